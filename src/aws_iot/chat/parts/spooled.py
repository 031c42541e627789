"""Spooled: the outbox's messages in a spool, as far as that can be used. What cannot be saved is sent all the same."""

from __future__ import annotations  # so that what only types need is not imported

from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Self

from aws_iot.chat.model import events as on
from aws_iot.errors import LocalError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from aws_iot.messaging.message import Outgoing
    from aws_iot.publishing.spool.store import Spool


class Spooled:
    """The messages that the broker has not acknowledged. One thread uses it, as a context manager."""

    def __init__(self, open_spool: Callable[[], Spool], tell: Callable[[on.Event], None]) -> None:
        self._open_spool = open_spool
        self._tell = tell
        self._resources = ExitStack()
        self._spool: Spool | None = None
        self._leads = False
        self._unsaved: set[str] = set()
        """The IDs of those for which the person was warned."""
        self._published: set[str] = set()
        """The IDs of those that the broker may have received."""
        self._settled: set[str] = set()
        """The IDs of those that are still in the spool, but are not to be sent any more."""

    def __enter__(self) -> Self:
        try:
            self._spool = self._resources.enter_context(self._open_spool())
        except LocalError as error:
            text = f"{error}; messages that are not sent are lost when the chat ends"
            self._tell(on.Warned(text, on.Subject.OUTBOX))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._settled:
            self._remove_settled()
        self._resources.close()

    def left(self) -> Iterator[Outgoing]:
        """What ended chats have left, unless another program sends that. Raises `LocalError`."""
        if not self._spool:
            return
        with ExitStack() as stack:
            if not self._leads and stack.enter_context(self._spool.sending()):
                self._leads = True
                self._resources.push(stack.pop_all())
        last = 0
        while self._leads and (batch := self._spool.unsent(last)):
            last = batch[-1][0]
            yield from (message for _, message in batch if message.id not in self._settled)

    def add(self, message: Outgoing) -> None:
        """Save a message until it is settled."""
        self._settled.discard(message.id)
        if self._spool:
            try:
                self._spool.add(message)
            except LocalError as error:
                self._warn(message, f"{error}; the message is lost if the chat ends before it is sent")

    def note_published(self, message: Outgoing) -> None:
        """A message is given to the broker now."""
        if self._spool and message.id not in self._unsaved:
            try:
                self._spool.note_published(message.id)
            except LocalError as error:
                self._warn(message, f"{error}; the next chat may show a message as not sent that was sent")
        self._published.add(message.id)

    def withdraw(self, id_: str) -> bool:
        """Have no program send this message, if none has; whether that worked. Raises `LocalError`."""
        if id_ in self._published:
            return False
        if self._spool and id_ not in self._unsaved and not self._spool.withdraw(id_):
            return False
        self.settle(id_)
        return True

    def settle(self, id_: str) -> None:
        """A message is not to be sent any more."""
        self._published.discard(id_)
        if id_ in self._unsaved:
            self._unsaved.remove(id_)
            if not self._unsaved:
                self._tell(on.Warned("", on.Subject.OUTBOX))
        if self._spool:
            self._settled.add(id_)
            self._remove_settled()

    def _remove_settled(self) -> None:
        assert self._spool
        with suppress(
            LocalError
        ):  # such as on a full disk: they are removed with the next one, or at the end
            self._spool.remove(self._settled)
            self._settled.clear()

    def _warn(self, message: Outgoing, text: str) -> None:
        self._unsaved.add(message.id)
        self._tell(on.Warned(text, on.Subject.OUTBOX))
