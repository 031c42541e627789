"""AcknowledgementCheck: acknowledgements that no longer leave end the connection, slow ones do not."""

from dataclasses import dataclass, field

from aws_iot.aws.iot.inbox import MESSAGES_PER_CHECK, STUCK_SECONDS, AcknowledgementCheck


@dataclass
class World:
    """A check, and what it asks at which time."""

    now: float = 1000.0
    asked: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.check = AcknowledgementCheck(lambda: self.asked.append(self.now), lambda: self.now)

    def receive(self, *, after: float = 0.0) -> bool:
        """Receive as many messages as are checked together; whether the acknowledgements are stuck."""
        self.now += after
        return [self.check.are_stuck() for _ in range(MESSAGES_PER_CHECK)] != [False] * MESSAGES_PER_CHECK


def test_acknowledgements_that_leave_are_never_stuck() -> None:
    world = World()
    for _ in range(3):
        assert not world.receive(after=2 * STUCK_SECONDS)
        world.check.answered()
    assert len(world.asked) == 3


def test_acknowledgements_are_stuck_if_messages_arrive_and_the_request_is_not_answered() -> None:
    world = World()
    assert not world.receive()
    assert not world.receive(after=STUCK_SECONDS)
    assert world.receive(after=0.1)
    assert len(world.asked) == 1
