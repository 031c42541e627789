"""MessageActions: answering, reacting, editing, deleting, and what failed."""

from collections.abc import Sequence

from aws_iot.chat.actions.base import Actions
from aws_iot.chat.entry.completion import as_emoji, emoji_named
from aws_iot.chat.model import events as on
from aws_iot.chat.model.changes import NOT_SENT, changes_of, to_discard
from aws_iot.chat.model.posts import Delivery, Post
from aws_iot.chat.model.state import Link
from aws_iot.chat.model.threads import folding, thread_of
from aws_iot.chat.text.people import claimed_host, host_of, links
from aws_iot.chat.text.steady import cut, one_line, steady
from aws_iot.errors import InvalidMessage
from aws_iot.messaging.kinds import EDIT, check_reaction

LIKE = "👍"
"""The reaction without an argument."""


class MessageActions(Actions):
    """Does something with the selected message, or the last one."""

    def _target(self, *, own: bool | None = None) -> Post | None:
        """The selected message, or the last one; with `own`, of yours (True) or if possible of others (False).

        It tells the person if there is none, or if only its sender can do that.
        """
        state = self.bridge.state
        selected = state.selected_post or self._last(own)
        if selected is None:
            self._tell_of_none(own)
        elif selected.delivery in NOT_SENT:
            self._tell_of_unsent(selected)
        elif own and (selected.sender != state.me.identity or not selected.id):
            self.app.tell("Only the sender can change a message.")
        elif selected.is_deleted:
            self.app.tell("This message was deleted.")
        else:
            return selected
        return None

    def _last(self, own: bool | None) -> Post | None:
        """The last one that is meant. It may be one that is not sent: then no earlier one is meant instead."""
        state = self.bridge.state
        posts = [
            post
            for post in state.room.posts
            if not post.is_deleted and (own or post.delivery not in NOT_SENT)
        ]
        fitting = [post for post in posts if own in (None, post.sender == state.me.identity)]
        return next(reversed(fitting or ([] if own else posts)), None)

    def _tell_of_none(self, own: bool | None) -> None:
        unsent = [post for post in self.bridge.state.room.posts if post.delivery in NOT_SENT]
        if unsent:
            self._tell_of_unsent(unsent[-1])
        else:
            self.app.tell("There is no message of yours." if own else "There is no message.")

    def _tell_of_unsent(self, post: Post) -> None:
        which = "This" if post == self.bridge.state.selected_post else "Your last"
        self.app.tell(f"{which} message is not sent yet: /discard takes it back.")

    def do_select(self, argument: str) -> None:
        posts = self.bridge.state.room.posts
        if not argument.isdecimal() or int(argument) >= len(posts):
            self.app.tell("Which message? /select 0 selects the last one, /select 1 the one before.")
        else:
            post = posts[-1 - int(argument)]
            self.bridge.act(on.Selected(post.key, reveals=True))
            self.app.tell(f"Selected: {steady(one_line(post.text))}")

    def do_select_older(self, _: str) -> None:
        self._select(-1)

    def do_select_newer(self, _: str) -> None:
        self._select(1)

    def _select(self, by: int) -> None:
        state = self.bridge.state
        keys = [post.key for post in folding(state.room.posts, state.look.folded).shown]
        selected = state.look.selected
        at = keys.index(selected) + by if selected in keys else len(keys) - 1
        if at >= len(keys):
            self.bridge.act(on.Jumped())
        elif keys:
            self.bridge.act(on.Selected(keys[max(0, at)], reveals=True))

    def do_reply(self, argument: str) -> None:
        if post := self._target(own=False):
            self._aim(None, post, argument)

    def do_edit(self, argument: str) -> None:
        if post := self._target(own=True):
            self._aim(EDIT, post, argument)

    def _aim(self, kind: str | None, post: Post | None, text: str = "") -> None:
        self.app.keep_draft()
        self.bridge.act(on.Aimed(kind, post))
        if text:
            self.send(text)
        self.app.load_draft()

    def do_cancel(self, _: str) -> None:
        if self.bridge.state.current and self.bridge.state.room.draft.aim:
            self._aim(None, None)
        elif self.bridge.state.look.selected:
            self.bridge.act(on.Selected(None))
        else:
            self.bridge.act(on.Noticed(""))

    def do_react(self, argument: str) -> None:
        text = argument or LIKE
        emoji = emoji_named(text)
        if emoji is None and text.isascii() and any(map(str.isalpha, text)):
            name = cut(text.strip(":"), 40)
            self.app.tell(f"There is no emoji named {name}. Tab completes the names: /react :hea")
            return
        text = as_emoji(emoji or text)
        try:
            check_reaction(text)
        except InvalidMessage as error:
            self.app.tell(str(error))
            return
        if post := self._target(own=False):
            self.bridge.act(on.Reacted(post, text, self.new_id()))

    def do_delete(self, _: str) -> None:
        post = self._target(own=True)
        if post is None:
            return

        text = cut(steady(one_line(post.text)), 200)
        self.app.confirm(
            f"Delete this message for everybody?\n\n{text}",
            lambda: self.bridge.act(on.Deleted(post, self.new_id())),
        )

    def do_thread(self, _: str) -> None:
        if post := self._target():
            if len(thread_of(self.bridge.state.room.posts, post)) > 1:
                self.app.show_thread(post)
            else:
                self.app.tell("This message has no replies.")

    def do_versions(self, _: str) -> None:
        if post := self._target():
            if post.is_edited:
                self.bridge.act(on.VersionsAsked(post))
            else:
                self.app.tell("This message was not edited.")

    def do_answered(self, _: str) -> None:
        if post := self._target():
            if post.answered:
                self.bridge.act(on.Went(post.room, ref=post.answered.id))
            else:
                self.app.tell("This message answers none.")

    def do_copy(self, _: str) -> None:
        if post := self._target():
            self.app.copy(post.text)
            self.app.tell(
                "Copied, if your terminal allows it (OSC 52). Otherwise, hold Shift and drag the mouse."
            )

    def do_open_link(self, argument: str) -> None:
        state = self.bridge.state
        post = state.selected_post or next((one for one in reversed(state.room.posts) if _links(one)), None)
        found = _links(post) if post else []
        if not found:
            self.app.tell("This message has no link." if post else "No message here has a link.")
        elif not argument:
            self._choose_link(found)
        elif argument.isdecimal() and 1 <= int(argument) <= len(found):
            self.ask_to_open(found[int(argument) - 1])
        elif len(found) == 1:
            self.app.tell("This message has only one link: /open opens it.")
        else:
            self.app.tell(f"Which link? Use a number from 1 to {len(found)}, as in /open 1.")

    def _choose_link(self, found: Sequence[str]) -> None:
        if len(found) == 1:
            self.ask_to_open(found[0])
        else:
            listed = [f"to {host_of(link)}: {link}" if claimed_host(link) else link for link in found]
            self.app.choose("Which link?", listed, lambda at: self.ask_to_open(found[at]))

    def ask_to_open(self, link: str) -> None:
        """Show the link before it is opened; first the host, which a long link would hide."""
        host, claimed = host_of(link), claimed_host(link)
        question = f"Open this link to {host} in your browser?\n\n{link}"
        if claimed:
            question = (
                f"This link leads to {host}, not to {cut(claimed, 60)}. Open it all the same?\n\n{link}"
            )
        self.app.confirm(question, lambda: self.app.open_link(link))

    def enter_selected(self) -> None:
        """Enter without a text: open a link of the selected message, or go to what it answers."""
        post = self.bridge.state.selected_post
        if post and (found := _links(post)):
            self._choose_link(found)
        elif post and post.answered:
            self.do_answered("")

    def do_me(self, argument: str) -> None:
        if not argument:
            self.app.tell("What do you do? /me TEXT")
        else:
            self.send(f"*{argument}*")

    def do_resend(self, _: str) -> None:
        failed = self.bridge.state.room.failed
        for post in failed:
            self.bridge.act(on.Resent(post.room, post.id or ""))
        if not failed:
            self._tell_of_waiting()

    def _tell_of_waiting(self) -> None:
        state = self.bridge.state
        changes = len([*changes_of(state, state.room)])
        messages = sum(post.delivery is Delivery.PENDING for post in state.room.posts)
        counts = ((messages, "message"), (changes, "change"))
        what = " and ".join(f"{count} {one}{'s' * (count != 1)}" for count, one in counts if count)
        is_one = messages + changes == 1
        if not what:
            self.app.tell("Every message of this room was sent.")
        elif state.status.link is Link.ONLINE:
            self.app.tell(f"{what} {'is' if is_one else 'are'} being sent.")
        else:
            self.app.tell(f"{what} {'waits' if is_one else 'wait'} for the connection.")

    def do_discard(self, _: str) -> None:
        state = self.bridge.state
        id_ = to_discard(state)
        if id_ is None:
            self._tell_of_waiting()
            return
        self.app.keep_draft()
        self.bridge.act(on.Discarded(state.current, id_, to_draft=True))


def _links(post: Post) -> list[str]:
    """The links of a message, each once."""
    return [] if post.is_deleted else [*dict.fromkeys(links(post.text))]
