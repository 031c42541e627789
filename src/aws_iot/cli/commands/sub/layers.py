"""Layers around the sink that prints or runs commands: save, leave out, mark as read."""

from __future__ import annotations  # so that what only types need is not imported

import math
from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Self

from aws_iot.messaging.deliveries import Delivery
from aws_iot.messaging.message import Message
from aws_iot.messaging.receiving import Sink

if TYPE_CHECKING:
    from aws_iot.history.reading import ReadMarker
    from aws_iot.history.saving.recorder import Recorder


class Layer:
    """Passes everything on to another sink."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def __enter__(self) -> Self:
        self._sink.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._sink.__exit__(kind, error, trace)

    def take(self, delivery: Delivery, ends: float = math.inf) -> bool:
        return self._sink.take(delivery, ends)

    def flush(self) -> None:
        self._sink.flush()

    def finish(self, ends: float = math.inf) -> None:
        self._sink.finish(ends)

    def check(self) -> None:
        self._sink.check()


class Saving(Layer):
    """Saves each delivery before it is printed, handled or acknowledged."""

    def __init__(self, sink: Sink, recorder: Recorder, *, handles_at_once: bool) -> None:
        """`handles_at_once`: the sink does not wait for `flush` to handle a delivery."""
        super().__init__(sink)
        self._recorder = recorder
        self._handles_at_once = handles_at_once

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._recorder.flush()
        super().__exit__(kind, error, trace)

    def take(self, delivery: Delivery, ends: float = math.inf) -> bool:
        self._recorder.add(delivery.message)
        if self._handles_at_once:
            self._recorder.flush()
        return self._sink.take(delivery, ends)

    def flush(self) -> None:
        self._recorder.flush()
        self._sink.flush()

    def finish(self, ends: float = math.inf) -> None:
        self._recorder.flush()
        self._sink.finish(ends)


class Choosing(Layer):
    """Leaves out what is not wanted. Such deliveries do not count, and are acknowledged when the others are."""

    def __init__(self, sink: Sink, is_wanted: Callable[[Message], bool]) -> None:
        super().__init__(sink)
        self._is_wanted = is_wanted
        self._left_out: list[Delivery] = []

    def take(self, delivery: Delivery, ends: float = math.inf) -> bool:
        if self._is_wanted(delivery.message):
            return self._sink.take(delivery, ends)
        self._left_out.append(delivery)
        return False

    def flush(self) -> None:
        self._sink.flush()
        self._acknowledge()

    def finish(self, ends: float = math.inf) -> None:
        self._sink.finish(ends)
        self._acknowledge()

    def _acknowledge(self) -> None:
        for delivery in self._left_out:
            delivery.ack()
        self._left_out.clear()


class MarkingAsRead(Layer):
    """Marks rooms as read once their messages are printed."""

    def __init__(self, sink: Sink, marker: ReadMarker) -> None:
        super().__init__(sink)
        self._marker = marker
        self._taken: dict[str, datetime] = {}

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        self._note()

    def take(self, delivery: Delivery, ends: float = math.inf) -> bool:
        message = delivery.message
        self._taken[message.room] = message.received
        return self._sink.take(delivery, ends)

    def flush(self) -> None:
        self._sink.flush()
        self._note()

    def finish(self, ends: float = math.inf) -> None:
        self._sink.finish(ends)
        self._note()

    def _note(self) -> None:
        if self._taken:
            self._marker.note(self._taken)
            self._taken = {}
