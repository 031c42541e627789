"""What `sub` does with messages: saves them, leaves some out, prints them or runs commands, and marks them as read."""

from __future__ import annotations  # so that what only types need is not imported

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, NamedTuple

from aws_iot.app import App
from aws_iot.cli.commands.sub.handler import Handler, shell_syntax
from aws_iot.cli.commands.sub.layers import Choosing, MarkingAsRead, Saving
from aws_iot.cli.commands.sub.options import SubOptions
from aws_iot.cli.commands.sub.printer import LineMaker, Printer, TerminalPrinter
from aws_iot.cli.saving import new_recorder, warn
from aws_iot.cli.ui import output
from aws_iot.cli.ui.colors import is_on
from aws_iot.cli.ui.formatting import message_line, raw_line
from aws_iot.cli.ui.tables import terminal_width
from aws_iot.config.profile import Profile
from aws_iot.messaging.client import Client
from aws_iot.messaging.json_lines import to_line
from aws_iot.messaging.message import Message
from aws_iot.messaging.receiving import Sink

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from aws_iot.history.replay import Replay


class Sinks(NamedTuple):
    """Where messages go: `live` those that arrive, and `past` those of `replay`, which are saved already."""

    live: Sink
    past: Sink
    replay: Replay | None


def check_output(chosen: SubOptions) -> None:
    """Raise `LocalError` if nothing can be printed, and warn about a command that needs a shell."""
    if not chosen.command:
        output.need_stdout()
    elif word := shell_syntax(chosen.command):
        output.info(
            f"--exec does not run a shell, so '{word}' is passed as an argument."
            " To use one: --exec 'sh -c \"…\"'"
        )


@contextmanager
def open_sinks(
    app: App, profile: Profile, client: Client, chosen: SubOptions, since: datetime | None
) -> Iterator[Sinks]:
    """What the options want, for messages of this client, which has subscribed. `since` wants the history first."""
    recorder = new_recorder(
        app,
        profile,
        client.identity,
        client.username,
        no_history=chosen.no_history,
        is_safe=bool(chosen.durable),
    )
    path = app.history.file(profile, client.identity) if recorder or since else None
    with ExitStack() as stack:
        if recorder:
            stack.enter_context(recorder)
        past: Sink
        if chosen.command:
            past = Handler(chosen.command, chosen.jobs)
        else:
            past = _for_people(chosen, path if recorder else None, stack)
        if pattern := chosen.pattern:
            past = Choosing(past, lambda message: pattern.matches(message.text))
        live = past
        replay = _replay(app, path, chosen, since, stack) if path and since else None
        if replay:
            live = Choosing(live, lambda message: not replay.covers(message))
        if recorder:
            live = Saving(live, recorder, handles_at_once=bool(chosen.command))
        stack.enter_context(live)
        yield Sinks(live, past, replay)


def _replay(app: App, path: Path, chosen: SubOptions, since: datetime, stack: ExitStack) -> Replay:
    """The history since then, as it is now. Nothing is left of a damaged one, but new messages arrive nevertheless."""
    from aws_iot.history.file.schema import HistoryDamaged, begin_anew
    from aws_iot.history.replay import Replay
    from aws_iot.history.store import Filter, History

    try:
        history = stack.enter_context(History(path))
    except HistoryDamaged as error:
        warn(begin_anew(error, path, app.settings.now()))
        history = stack.enter_context(History(path))
    return Replay(history, Filter(chosen.rooms, since=since))


def _for_people(chosen: SubOptions, path: Path | None, stack: ExitStack) -> Sink:
    """What prints messages. A terminal also shows what they refer to, and marks them as read, in this history."""
    if path is None or not sys.stdout.isatty():
        return _printer(chosen, LineMaker(is_on(), chosen.pattern))
    from aws_iot.history.quotes import Quotes
    from aws_iot.history.reading import ReadMarker

    sink = _printer(chosen, LineMaker(is_on(), chosen.pattern, stack.enter_context(Quotes(path))))
    if chosen.pattern or chosen.senders:  # who sees a part of a room has not read it
        return sink
    return MarkingAsRead(sink, stack.enter_context(ReadMarker(path)))


def _printer(chosen: SubOptions, lines: LineMaker) -> Sink:
    if chosen.as_json:
        return Printer(to_line)
    is_terminal = sys.stdout.isatty()
    if chosen.template:
        return _terminal_printer(chosen.template.filled) if is_terminal else Printer(chosen.template.filled)
    if chosen.raw:
        return _terminal_printer(raw_line) if is_terminal else Printer(lambda message: message.payload)
    if is_terminal:
        return TerminalPrinter(lines.line, _columns)
    return Printer(lines.line if is_on() else message_line)


def _terminal_printer(form: Callable[[Message], str]) -> Sink:
    return TerminalPrinter(lambda message, _: form(message), _columns)


def _columns() -> int:
    return terminal_width() or sys.maxsize
