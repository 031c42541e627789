"""`aws-iot chat`: the chat screen."""

from __future__ import annotations  # so that what only types need is not imported

import shlex
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from aws_iot.app import App
from aws_iot.cli import options
from aws_iot.cli.groups import Command
from aws_iot.cli.rooms import check_one_room
from aws_iot.cli.saving import remember_rooms
from aws_iot.cli.ui import output
from aws_iot.errors import LocalError

if TYPE_CHECKING:
    from aws_iot.chat.connecting import Chatter
    from aws_iot.chat.model.state import State
    from aws_iot.config.profile import Profile

# The screen, the history and what signs in are imported when the command runs: `--help` would wait for them.


@click.command(cls=Command)
@options.argument("rooms", nargs=-1, metavar="[ROOM]...", completes="rooms")
@options.option(
    "--plain",
    env="PLAIN",
    is_flag=True,
    help="Print line by line instead, as screen readers need it.",
)
@options.no_history
@options.signing_in
@click.pass_obj
def chat(
    app: App,
    key: str,
    user: str | None,
    password: str | None,
    password_stdin: bool,
    plain: bool,
    no_history: bool,
    rooms: tuple[str, ...],
) -> None:
    """Chat on a full screen.

    It shows rooms, messages and people. Enter sends a message; F1 or /help lists the keys and commands; Ctrl+Q quits.

    Without ROOM, it opens the rooms of the last time, or those of your history, or `lobby`.

    What you type is saved at once, and so is what you send without a connection: it is sent later, even after a crash.
    Messages are saved for `aws-iot history`, unless you give --no-history.

    \b
    Examples:
      aws-iot chat
      aws-iot chat lobby ops -k alice
    """
    profile = app.config.profiles.load(key)
    for room in rooms:
        check_one_room(profile.identity_pool_id, room, lambda meant: f"aws-iot chat {shlex.join(meant)}")
    from aws_iot.chat.settings import load

    settings = load(app.settings.folders.chat_settings)
    settings = replace(settings, plain=settings.plain or plain)
    if not settings.plain and not all(
        one and one.isatty() for one in (sys.stdin, sys.stdout, sys.__stderr__)
    ):
        raise LocalError("`chat` needs a terminal", hint="In scripts, use `aws-iot sub` and `aws-iot pub`.")
    chatter = _chatter(app, profile, user, password, password_stdin)
    from aws_iot.chat.run import run

    state = run(app, chatter, rooms, settings, saves=profile.history and not no_history)
    remember_rooms(app, profile, state.rooms, no_history=no_history)
    _tell_of_unsent(state, profile)


def _tell_of_unsent(state: State, profile: Profile) -> None:
    from aws_iot.chat.model.events import Subject

    for subject in (Subject.MESSAGES, Subject.DRAFTS):
        if unsaved := state.warnings.get(subject.value):
            output.error(unsaved)
    waiting = state.sending.waiting
    if waiting and (warning := state.warnings.get(Subject.OUTBOX.value)):
        output.error(warning)
    elif waiting:
        what = "1 message is" if waiting == 1 else f"{waiting} messages are"
        output.info(f"{what} not sent yet. To send: aws-iot chat -k {profile.key}")


def _chatter(app: App, profile: Profile, user: str | None, password: str | None, from_stdin: bool) -> Chatter:
    """Who chats. If a session is saved, the screen comes first and the connection later; otherwise, they sign in."""
    from aws_iot.chat.connecting import Chatter

    saved = app.auth.sessions.load(profile)
    is_explicit = from_stdin or (password is not None and options.is_typed("password"))
    if saved and not is_explicit and user in (None, saved.username):
        return Chatter(profile, saved.identity, saved.username)
    from aws_iot.cli.sign_in import sign_in

    person = sign_in(app, profile, user, password, from_stdin)
    saved = app.auth.sessions.load(profile)
    is_saved = saved is not None and saved.identity == person.identity
    return Chatter(profile, person.identity, person.username, None if is_saved else person)
