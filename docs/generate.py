"""Write the docs that the code already says: `make docs`. With `--check`, fail when they are stale."""

import ast
import re
import sys
from pathlib import Path

import click

from aws_iot import errors
from aws_iot.cli.root import root

DOCS = Path(__file__).parent
SOURCE = DOCS.parent / "src" / "aws_iot"
WRITTEN = "<!-- Written by `make docs`: change the code instead. -->"


def commands() -> str:
    """The `--help` of every command."""
    sections = [
        f"# Commands\n\n{WRITTEN}\n\nEvery option can also be given as the environment variable it names."
    ]
    for path, command in _walk(["aws-iot"], root):
        context = click.Context(
            command, info_name=" ".join(path), terminal_width=100, **root.context_settings
        )
        sections.append(f"## {' '.join(path)}\n\n```text\n{command.get_help(context)}\n```")
    return "\n\n".join(sections) + "\n"


def _walk(path: list[str], command: click.Command) -> list[tuple[list[str], click.Command]]:
    found = [(path, command)]
    if isinstance(command, click.Group):
        context = click.Context(command, **root.context_settings)
        for name in command.list_commands(context):
            sub = command.get_command(context, name)
            assert sub
            found += _walk([*path, name], sub)
    return found


def exit_codes() -> str:
    """The table of exit codes, from the classes of errors."""
    rows = {
        0: "Done.",
        1: "You said no when you were asked; or, with a traceback, a bug of ours: please report it.",
        2: "The command line is wrong: see `--help`.",
    }
    for error in errors.AwsIotError.__subclasses__():
        if error.__module__ == errors.__name__:
            rows[error.exit_code] = (error.__doc__ or "").splitlines()[0]
    rows |= {129: "SIGHUP: the terminal was closed.", 130: "Ctrl-C.", 143: "SIGTERM."}
    table = "\n".join(f"| {code} | {meaning} |" for code, meaning in sorted(rows.items()))
    return f"# Exit codes\n\n{WRITTEN}\n\n| code | meaning |\n| --- | --- |\n{table}\n"


def architecture(current: str) -> str:
    """The page as it is, with the map of modules brought up to date."""
    rows = []
    for path in sorted(SOURCE.rglob("*.py")):
        sentence = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n\n")[0]
        name = path.relative_to(SOURCE).as_posix()
        rows.append(f"| `{name}` | {' '.join(sentence.split())} |")
    table = "| module | what it is |\n| --- | --- |\n" + "\n".join(rows)
    return re.sub(
        r"(<!-- map -->\n).*(\n<!-- end of map -->)", lambda m: m[1] + table + m[2], current, flags=re.DOTALL
    )


def main() -> int:
    page = DOCS / "architecture.md"
    pages = {
        DOCS / "commands.md": commands(),
        DOCS / "exit-codes.md": exit_codes(),
        page: architecture(page.read_text(encoding="utf-8")),
    }
    stale = [p for p, text in pages.items() if not p.exists() or p.read_text(encoding="utf-8") != text]
    if "--check" in sys.argv:
        for path in stale:
            print(f"{path.relative_to(DOCS.parent)} is stale: run `make docs`", file=sys.stderr)
        return bool(stale)
    for path in stale:
        path.write_text(pages[path], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
