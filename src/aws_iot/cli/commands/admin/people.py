"""How `aws-iot admin` shows people: as a table."""

from __future__ import annotations  # so that what only types need is not imported

from typing import TYPE_CHECKING

from aws_iot.cli.ui import output
from aws_iot.cli.ui.tables import layout, terminal_width
from aws_iot.identities import short_identity
from aws_iot.text.labels import label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_iot.backend.team import Person
    from aws_iot.cli.commands.admin.options import Admin


def people_table(since: str, people: Sequence[Person], *, numbered: bool = False) -> list[str]:
    """The lines of a table; `since` is the header of the times. With `numbered`, people can be chosen by number."""
    return people_layout(since, people, terminal_width(), numbered=numbered)


def people_layout(since: str, people: Sequence[Person], width: int | None, *, numbered: bool) -> list[str]:
    """The same for a screen of `width` columns; None is no limit."""
    rows = [
        [person_label(one), f"{one.since.astimezone():%F %R}" if one.since else None, one.identity]
        for one in people
    ]
    if numbered:
        rows = [[str(number), *row] for number, row in enumerate(rows, 1)]
    headers = [*(["#"] if numbered else []), "PERSON", since]
    lines = layout([*headers, "IDENTITY"], rows, width, {"IDENTITY"})
    if not is_cut(lines):
        return lines
    # All are in the region of the identity pool. The form in the first column is enough to type.
    region = people[0].identity.partition(":")[0]
    last = f"IDENTITY ({region}:…)"
    uuids = [one.identity.partition(":")[2] for one in people]
    short = [[*row[:-1], uuid] for row, uuid in zip(rows, uuids, strict=True)]
    return layout([*headers, last], short, width, {last})


def person_label(person: Person) -> str:
    """`bob~4f9fa251`, as `sub` shows it; only the identity if the name is unknown."""
    short = short_identity(person.identity) or person.identity
    return f"{label(person.username)}~{short}" if person.username else short


def is_cut(lines: Sequence[str]) -> bool:
    """Whether identities in these lines of a table are not whole."""
    return any(line.endswith("…") for line in lines)


def note_what_is_missing(admin: Admin, people: Sequence[Person], lines: Sequence[str], command: str) -> None:
    """Tell why names are missing, if the credentials do not allow reading them, and how to see whole identities."""
    if people and admin.team.lacks_names:
        output.info("Names are missing: your AWS credentials do not allow iot:ListThings.")
    if is_cut(lines):
        output.info(f"To see whole identities: {admin.command(command, '--json')}")
