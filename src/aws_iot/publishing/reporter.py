"""PublishReporter: gets the events of a run that sends many messages, to show them to a person or a program."""

from dataclasses import dataclass
from typing import Protocol

from aws_iot.errors import AwsIotError
from aws_iot.messaging.connection import Lost, Restored


@dataclass(frozen=True, slots=True)
class Progress:
    """How many messages were sent and acknowledged so far; a few times a second."""

    sent: int
    acknowledged: int


@dataclass(frozen=True, slots=True)
class Rejected:
    """A message was not sent, and will not be.

    `number` is its number in the input; None means a saved message of another run.
    """

    number: int | None
    error: AwsIotError


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The run ends early. The reason is raised after this event.

    `can_continue`: a checkpoint was saved, so the same request can continue from there.
    """

    sent: int
    acknowledged: int
    rejected: int
    can_continue: bool = False


@dataclass(frozen=True, slots=True)
class Finished:
    """Every message is settled. If some were rejected, that is raised after this event.

    `rejected` includes messages that never could be sent. `seconds` begin when the first message could be sent.
    `checkpoint_kept`: the file still holds rejected messages, so the same request can retry them. `over_limit`:
    messages stay in the spool because a limit of the account or connection was reached.
    """

    acknowledged: int
    rejected: int
    seconds: float
    checkpoint_kept: bool = False
    over_limit: bool = False


@dataclass(frozen=True, slots=True)
class OthersWaiting:
    """The spool also holds messages for another identity pool, or from another user. They stay there."""

    pool: str
    username: str | None
    messages: int


@dataclass(frozen=True, slots=True)
class SavingUntilConnected:
    """There is no connection yet. Messages are saved in the spool, and connecting is retried.

    `again` marks a retry that has failed.
    """

    error: AwsIotError
    again: bool = False


@dataclass(frozen=True, slots=True)
class SavingForNextRun:
    """Connecting needs a person: to sign in, or to accept the identity.

    Messages are saved in the spool, and the run ends when the input does.
    """

    error: AwsIotError


@dataclass(frozen=True, slots=True)
class Connected:
    """After `SavingUntilConnected`: there is a connection now, and the saved messages are sent."""


@dataclass(frozen=True, slots=True)
class OtherProgramSends:
    """Another program sends the messages in the spool, including those of this run."""


@dataclass(frozen=True, slots=True)
class OtherProgramFinished:
    """The other program has settled all messages of this run."""


@dataclass(frozen=True, slots=True)
class Unsent:
    """The run ends early, and this many messages are left in the spool."""

    messages: int


SpoolEvent = (
    OthersWaiting
    | SavingUntilConnected
    | SavingForNextRun
    | Connected
    | OtherProgramSends
    | OtherProgramFinished
)
Event = Progress | Rejected | Lost | Restored | Interrupted | Finished | Unsent | SpoolEvent


class PublishReporter(Protocol):
    """Anything that takes events, such as a function, or `list.append`."""

    def __call__(self, event: Event, /) -> None:
        """Called on the thread that sends, so it must return quickly."""
        ...
