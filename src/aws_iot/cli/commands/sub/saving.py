"""Saves each message in the history before it is printed, handled or acknowledged."""

import math
from types import TracebackType
from typing import Self

from aws_iot.history.recorder import Recorder
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
