"""How `aws-iot admin` shows people: as a table."""

from collections.abc import Sequence

from aws_iot.backend.team import Person
from aws_iot.cli.commands.admin.options import Admin
from aws_iot.cli.ui import output
from aws_iot.cli.ui.tables import table


def people_table(since: str, people: Sequence[Person], *, numbered: bool = False) -> list[str]:
    """The lines of a table; `since` is the header of the times. With `numbered`, people can be chosen by number."""
    headers = ["PERSON", since, "IDENTITY"]
    rows = [
        [one.label, f"{one.since.astimezone():%F %R}" if one.since else None, one.identity] for one in people
    ]
    if numbered:
        headers = ["#", *headers]
        rows = [[str(number), *row] for number, row in enumerate(rows, 1)]
    # The form in the first column is enough to type.
    return table(headers, rows, shorten={"IDENTITY"})


def note_missing_names(admin: Admin, people: Sequence[Person]) -> None:
    """Tell why names are missing, if the credentials do not allow reading them."""
    if people and admin.team.lacks_names:
        output.info("Names are missing: your AWS credentials do not allow iot:ListThings.")
