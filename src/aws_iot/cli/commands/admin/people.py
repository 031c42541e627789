"""How `aws-iot admin` shows people: as a table."""

from collections.abc import Sequence

from aws_iot.backend.team import Person
from aws_iot.cli.commands.admin.options import Admin
from aws_iot.cli.ui import output
from aws_iot.cli.ui.tables import table


def people_table(since: str, people: Sequence[Person], *, numbered: bool = False) -> list[str]:
    """The lines of a table; `since` is the header of the times. With `numbered`, people can be chosen by number."""
    rows = [
        [one.label, f"{one.since.astimezone():%F %R}" if one.since else None, one.identity] for one in people
    ]
    if numbered:
        rows = [[str(number), *row] for number, row in enumerate(rows, 1)]
    headers = [*(["#"] if numbered else []), "PERSON", since]
    lines = table([*headers, "IDENTITY"], rows, shorten={"IDENTITY"})
    if not is_cut(lines):
        return lines
    # All are in the region of the identity pool. The form in the first column is enough to type.
    region = people[0].identity.partition(":")[0]
    last = f"IDENTITY ({region}:…)"
    return table(
        [*headers, last],
        [[*row[:-1], one.identity.partition(":")[2]] for row, one in zip(rows, people, strict=True)],
        shorten={last},
    )


def is_cut(lines: Sequence[str]) -> bool:
    """Whether identities in these lines of a table are not whole."""
    return any(line.endswith("…") for line in lines)


def note_what_is_missing(admin: Admin, people: Sequence[Person], lines: Sequence[str], command: str) -> None:
    """Tell why names are missing, if the credentials do not allow reading them, and how to see whole identities."""
    if people and admin.team.lacks_names:
        output.info("Names are missing: your AWS credentials do not allow iot:ListThings.")
    if is_cut(lines):
        output.info(f"To see whole identities: {admin.command(command, '--json')}")
