"""The Tab key reads a command line as Click does, without Click: it offers the same options, values and subcommands."""

from collections.abc import Iterable

from click.shell_completion import _resolve_context, _resolve_incomplete
from hypothesis import given, settings
from hypothesis import strategies as st

from aws_iot.cli.completion import table
from aws_iot.cli.completion.answer import Offers, complete
from aws_iot.cli.completion.command_line import Typed
from aws_iot.cli.root import root

VALUES = ["lobby", "team", "1", "on", "x=y", "sub", "deploy"]
LIKE_OPTIONS = ["-", "-1", "--quiet"]
# Of a group that is a command of rooms as well, Click offers only the rooms. `help` completes commands.
COMMANDS = [
    (path, row)
    for path, row in table.commands().items()
    if path != "help" and not (row["arguments"] and row["commands"])
]
# They work, but are not offered.
OLD_NAMES = {
    name
    for row in table.commands().values()
    for option in row["options"]
    for name in option.get("old_names", ())
}
KINDS = {"file": "files", "dir": "folders"}


def names_of(kind: str, _: Typed | None = None) -> list[str]:
    """What this machine knows of a kind."""
    return [f"{kind}-1", f"{kind}-2", "lobby"]


def by_click(words: list[str], incomplete: str) -> Offers:
    """What Click offers, which would ask each parameter for the names that this machine knows."""
    context = _resolve_context(root, {}, "aws-iot", [*words])
    wanted, incomplete = _resolve_incomplete(context, [*words], incomplete)
    if kind := getattr(wanted, "completes", ""):
        value = context.params.get(wanted.name or "")
        given = value if isinstance(value, tuple) else ()
        names = names_of(kind) if isinstance(kind, str) else kind
        return offers(name for name in names if name.startswith(incomplete) and name not in given)
    items = wanted.shell_complete(context, incomplete)
    if [item.type for item in items] in (["file"], ["dir"]):
        return Offers(KINDS[items[0].type])
    return offers(item.value for item in items if item.value not in OLD_NAMES)


def offers(names: Iterable[str]) -> Offers:
    return Offers(names=dict.fromkeys(names, ""))


def by_us(words: list[str], incomplete: str) -> Offers:
    found = complete(words, incomplete, names_of)
    option, is_joined, _ = incomplete.partition("=")
    prefix = f"{option}=" if is_joined and option.startswith("--") else ""  # which Click leaves out
    assert all(name.startswith(prefix) for name in found.names)
    return offers(name.removeprefix(prefix) for name in found.names)._replace(kind=found.kind)


@st.composite
def lines(draw: st.DrawFn) -> tuple[list[str], str]:
    """A command, options with their values and other words, and the beginning of a word."""
    path, command = draw(st.sampled_from(COMMANDS))
    words, options = path.split(), command["options"]
    others: list[None] = [] if command["commands"] else [None]
    for option in draw(st.lists(st.sampled_from([*options, *others]), max_size=5)):
        name = draw(st.sampled_from(option["names"] if option else VALUES))
        count = option["nargs"] if option else 0
        words += [
            name,
            *draw(st.lists(st.sampled_from([*VALUES, *LIKE_OPTIONS]), min_size=count, max_size=count)),
        ]
    names = sorted(name for option in options for name in option["names"])
    with_value = [name for option in options if option["nargs"] for name in option["names"]]
    last = draw(st.sampled_from(["", "--", *with_value]))
    words += [last] if last else []
    long = [name for name in with_value if name.startswith("--") and not last]
    joined = [f"{name}={value}" for name in long for value in VALUES]
    whole = draw(st.sampled_from([*([] if last == "--" else names), *command["commands"], *VALUES, *joined]))
    return words, whole[: draw(st.integers(0, len(whole)))]


@settings(deadline=None)  # a command is imported when a line has it for the first time
@given(lines())
def test_the_same_is_offered_as_by_click(line: tuple[list[str], str]) -> None:
    assert by_us(*line) == by_click(*line)
