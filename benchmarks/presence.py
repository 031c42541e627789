"""How many messages presence costs: simulates people in a room, with the reducer of the real chat.

    python benchmarks/presence.py

A working day has eight hours. People look at the chat for 25 minutes on average, then do something else for 20. They
write three messages an hour, which takes 20 seconds each. A message is billed once for its sender and once for each
receiver (the sender is one of them), and so is each acknowledgement of a receiver.
"""

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from aws_iot.chat.model import effects as do
from aws_iot.chat.model import events as on
from aws_iot.chat.model.presence import OFF, Presence
from aws_iot.chat.model.reducer import farewells, start, update
from aws_iot.chat.model.state import Link, Me, State, Status
from aws_iot.messaging.kinds import PRESENCE, Sign
from aws_iot.messaging.message import Message

ROOM = "lobby"
HOUR = 3600.0
BEGAN = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
LOOKS_SECONDS, AWAY_SECONDS, WRITES_SECONDS = 25 * 60, 20 * 60, 20 * 60
TYPES_SECONDS = 20.0


def chances(seed: int) -> random.Random:
    """The same random numbers each time."""
    return random.Random(seed)  # noqa: S311 no secret


class Person:
    """Somebody with a chat."""

    def __init__(self, number: int, mode: str, comes: float, goes: float, chance: random.Random) -> None:
        self.comes, self.goes = comes, goes
        self.state = State(Me(f"us-east-1:{number:08x}-0ed5-4578-add0-985024739222", f"person{number}"))
        self.state.presence = Presence(mode, "only")
        self.is_there = False
        self._chance = chance
        self._looks_until, self._away_until, self._writes_at = comes, comes, comes + chance.random() * HOUR

    def come(self) -> None:
        self.is_there = True
        start(self.state, [ROOM], {}, (), BEGAN)
        update(self.state, on.StatusChanged(Status(Link.ONLINE)))
        update(self.state, on.RoomsJoined([ROOM]))

    def go(self) -> do.Announce | None:
        self.is_there = False
        return next((one for one in farewells(self.state) if isinstance(one, do.Announce)), None)

    def step(self, at: float) -> list[do.Effect]:
        """What they do at this time, and what their chat does."""
        if at >= self._away_until:
            self._looks_until = at + self._chance.expovariate(1 / LOOKS_SECONDS)
            self._away_until = self._looks_until + self._chance.expovariate(1 / AWAY_SECONDS)
        effects: list[do.Effect] = []
        if at < self._looks_until:
            update(self.state, on.Pressed())
            if at >= self._writes_at:
                effects += update(self.state, on.Typed(ROOM, f"text at {at}"))
            if at >= self._writes_at + TYPES_SECONDS:
                update(self.state, on.Typed(ROOM, ""))
                self._writes_at = at + self._chance.expovariate(1 / WRITES_SECONDS)
        return [*effects, *update(self.state, on.Ticked(at, self._chance.random()))]


def simulate(people: Sequence[Person], hours: float, step: float) -> dict[str, float]:
    """Messages that were sent, received and acknowledged, and the hours for which people were there."""
    sent = received = acknowledged = 0
    there = at = 0.0
    while at <= hours * HOUR:
        effects: list[tuple[Person, do.Effect]] = []
        for one in people:
            if not one.is_there and one.comes <= at < one.goes:
                one.come()
            elif one.is_there and at >= one.goes and (last := one.go()):
                effects.append((one, last))
            if one.is_there:
                there += step / HOUR
                effects += [(one, effect) for effect in one.step(at)]
        present = [one for one in people if one.is_there]
        for sender, effect in effects:
            if isinstance(effect, do.Announce):
                sent += 1
                received += len(present)
                acknowledged += len(present) * effect.is_first
                for one in present:
                    update(one.state, on.Sensed([_message(sender, effect.sign)]))
        at += step
    return {"sent": sent, "received": received, "acknowledged": acknowledged, "hours": there}


def _message(sender: Person, sign: Sign) -> Message:
    state = sender.state
    told = Message(ROOM, state.me.identity, sign.value, b"", BEGAN, "id-1", BEGAN, state.me.username)
    return told._replace(kind=PRESENCE, re=state.presence.chat)


def day(count: int, mode: str, step: float) -> dict[str, float]:
    """A working day: people come and go within half an hour."""
    chance = chances(count)
    comes = [chance.random() * HOUR / 2 for _ in range(count)]
    people = [Person(n, mode, begin, begin + 8 * HOUR, chances(n)) for n, begin in enumerate(comes, start=1)]
    return simulate(people, 8.6, step)


def rush(count: int, minutes: float) -> tuple[dict[str, float], float]:
    """Many people come within some minutes; also whom one knows of after a quarter of an hour, on average."""
    chance = chances(count)
    people = [Person(n, "on", chance.random() * minutes * 60, 24 * HOUR, chances(n)) for n in range(count)]
    result = simulate(people, (minutes + 15) / 60, 2.0)
    return result, sum(len(one.state.presence.here(ROOM)) for one in people) / count / (count - 1)


def _print(name: str, one: dict[str, float]) -> None:
    billed = one["sent"] + one["received"] + one["acknowledged"]
    hours = one["hours"]
    print(
        f"| {name} | {one['sent'] / hours:.1f} | {one['received'] / hours:.0f} | {billed / hours:.0f} |"
        f" {billed:,.0f} |"
    )


def main() -> None:
    """Print the table of the decision on presence."""
    print("Each person in an hour:\n\n| in one room | sent | received | billed | billed in all |")
    print("| --- | --- | --- | --- | --- |")
    runs: list[tuple[str, Callable[[], dict[str, float]]]] = [
        ("2 people, a day, `on`", lambda: day(2, "on", 2)),
        ("10 people, a day, `on`", lambda: day(10, "on", 2)),
        ("10 people, a day, `typing`", lambda: day(10, "typing", 2)),
        ("100 people, a day, `on`", lambda: day(100, "on", 20)),
        ("10 people, a day, `off`", lambda: day(10, OFF, 20)),
    ]
    for name, run in runs:
        _print(name, run())
    print()
    for minutes in (1, 15):
        result, known = rush(100, minutes)
        sent, billed = result["sent"], result["sent"] + result["received"] + result["acknowledged"]
        print(
            f"100 people come within {minutes} min, and chat for 15 more: {sent:.0f} messages, {billed:,.0f} billed;"
            f" each then knows of {known:.0%} of the others."
        )


if __name__ == "__main__":
    main()
