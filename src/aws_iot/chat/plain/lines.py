"""Lines: a message, or what has happened to one, as text."""

from collections.abc import Iterator

from aws_iot.chat.model.changes import changes_of, described
from aws_iot.chat.model.gaps import Gap
from aws_iot.chat.model.posts import Delivery, Post
from aws_iot.chat.model.state import State
from aws_iot.chat.text.moments import between
from aws_iot.chat.text.people import who
from aws_iot.chat.text.steady import one_line, steady
from aws_iot.text.labels import label
from aws_iot.text.visible import kept_in_place

NAME_COLUMNS = 40

MORE = "\n    | "
"""Begins the further lines of a message, so that none of them can pass for another message."""


def line(state: State, post: Post) -> str:
    """A message on one line."""
    name = who(post.sender, state.name_of(post.sender, post.name), NAME_COLUMNS)
    marks = ["edited"] if post.is_edited else []
    marks += ["not sent yet"] if post.delivery is Delivery.PENDING else []
    marks += [f"{steady(label(one.text))} {len(one.senders)}" for one in post.reactions]
    if post.answered:
        answered = post.answered
        quote = steady(one_line(answered.text or ""))[:40]
        to = who(answered.sender, answered.name, NAME_COLUMNS) if answered.sender else "an earlier message"
        marks.append(f"to {to} {label(quote)}" if quote else f"to {to}")
    waiting = changes_of(state, state.rooms[post.room], post.ref) if post.room in state.rooms else ()
    marks += [f"waiting: {steady(label(one_line(described(change)), 60))}" for _, change in waiting]
    about = f" ({'; '.join(marks)})" if marks else ""
    return f"{post.received.astimezone():%H:%M} {name}{about}: {_text(post)}"


def missing(gap: Gap) -> str:
    """That messages may be missing."""
    return f"Messages {between(*gap)} may be missing."


def not_sent(post: Post) -> str:
    """That a message of your own was not sent."""
    return f"Not sent: {_text(post)} ({steady(post.why)}). To send it again: /resend"


def _text(post: Post) -> str:
    if post.is_deleted:
        return "(deleted)"
    return in_lines(post.text)


def in_lines(text: str) -> str:
    """A text of several lines, none of which can pass for one of the chat."""
    return MORE.join(kept_in_place(steady(one)) for one in text.replace("\r\n", "\n").split("\n"))


def changes(state: State, known: Post, post: Post) -> Iterator[str]:
    """What has happened to a message."""
    name = who(post.sender, state.name_of(post.sender, post.name), NAME_COLUMNS)
    if post.delivery is Delivery.FAILED and known.delivery is not Delivery.FAILED:
        yield not_sent(post)
    elif post.is_deleted and not known.is_deleted:
        yield f"{name} deleted: {_text(known)}"
    elif post.is_edited and post.text != known.text:
        yield f"{name} edited: {_text(post)}"
    elif post.reactions != known.reactions:
        counts = ", ".join(f"{steady(label(one.text))} {len(one.senders)}" for one in post.reactions)
        about = label(steady(one_line(post.text or "(deleted)"))[:40])
        yield f"Reactions to {name} {about}: {counts or 'none'}"
