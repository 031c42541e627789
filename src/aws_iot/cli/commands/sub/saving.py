"""Saves each message in the history before it is printed, handled or acknowledged."""

import math
from contextlib import suppress
from types import TracebackType
from typing import Self

from aws_iot.app import App
from aws_iot.cli.ui import output
from aws_iot.cli.ui.colors import Role
from aws_iot.config.profile import Profile
from aws_iot.errors import LocalError
from aws_iot.history.file.schema import history_file
from aws_iot.history.owners import note_owner
from aws_iot.history.recorder import Recorder
from aws_iot.messaging.client import Client
from aws_iot.messaging.deliveries import Delivery
from aws_iot.messaging.receiving import Sink


class SavingSink:
    """Passes deliveries on to another sink, once they are saved."""

    def __init__(self, sink: Sink, recorder: Recorder, *, handles_at_once: bool) -> None:
        """`handles_at_once`: the sink does not wait for `flush` to handle a delivery."""
        self._sink = sink
        self._recorder = recorder
        self._handles_at_once = handles_at_once

    def __enter__(self) -> Self:
        self._recorder.__enter__()
        self._sink.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._recorder.flush()
            self._sink.__exit__(kind, error, trace)
        finally:
            self._recorder.__exit__(kind, error, trace)

    def take(self, delivery: Delivery, ends: float = math.inf) -> None:
        self._recorder.add(delivery.message)
        if self._handles_at_once:
            self._recorder.flush()
        self._sink.take(delivery, ends)

    def flush(self) -> None:
        self._recorder.flush()
        self._sink.flush()

    def finish(self, ends: float = math.inf) -> None:
        self._recorder.flush()
        self._sink.finish(ends)

    def check(self) -> None:
        """A message that was not saved is no failure."""
        self._sink.check()


def saving(
    app: App, profile: Profile, client: Client, sink: Sink, *, durable: bool, at_once: bool
) -> SavingSink:
    """The sink, with the history of the client's identity before it. `durable`: the broker keeps no copy."""
    folder = app.settings.folders.history(profile.key)
    with suppress(LocalError):  # the recorder warns if the folder cannot be written
        note_owner(folder, client.username, client.identity)
    recorder = Recorder(
        history_file(folder, client.identity), client.identity, _warn, app.settings.now, is_safe=durable
    )
    return SavingSink(sink, recorder, handles_at_once=at_once)


def _warn(problem: LocalError) -> None:
    output.info(f"Warning: {problem}", Role.WARNING)
    if problem.hint:
        output.info(problem.hint, Role.HINT)
