"""Questions at the terminal itself, because stdin and stdout may be pipes; and the bytes of stdin."""

import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import click

from aws_iot.app import App
from aws_iot.cli.ui import output
from aws_iot.errors import AwsIotError, LocalError
from aws_iot.streams import Readable, unbuffered

_ASKED = "aws_iot.asked"
"""The key in Click's context for the seconds that questions to the person have taken."""


def standard_input(instead: str) -> Readable:
    """The bytes of standard input. `instead` is the hint of the `LocalError` that is raised if it is closed."""
    if sys.stdin is None:
        raise LocalError("standard input is closed", hint=instead)
    return unbuffered(sys.stdin)


def ask_secret(question: str, *, twice: bool = False) -> str:
    """An answer that is not shown while the person types it."""
    with _asking():
        answer: str = click.prompt(question, hide_input=True, err=True, confirmation_prompt=twice)
    return answer


def ask_line(question: str, default: str | None = None) -> str:
    """An answer in a line. An empty one means `default`, or repeats the question. Raises `click.Abort` on Ctrl-D."""
    with _asking():
        try:
            return _ask_line(question, default)
        except (KeyboardInterrupt, click.Abort):
            click.echo(err=True)  # a line break before what follows, if only the shell's prompt
            raise click.Abort from None


def ask_password(app: App, username: str) -> str:
    """The password of a user. Raises a usage error if there is no terminal."""
    need_terminal(app, "A password is needed", "use --password-stdin or set AWS_IOT_PASSWORD")
    return ask_secret(f"Password for {username}")


def ask_new_password(app: App, username: str) -> str:
    """A new password, typed twice. Raises a usage error if there is no terminal."""
    need_terminal(app, "A new password is needed", "set AWS_IOT_NEW_PASSWORD")
    return ask_secret(f"New password for {username}", twice=True)


def show_rejection(error: AwsIotError) -> None:
    """Show why an answer was rejected, as a sentence. The same question follows."""
    reason = str(error).rstrip(".")
    begins_with_word = re.match(r"[a-z]+(-[a-z]+)*[ ,]", reason)  # not with the name of a file, for example
    output.error(f"{reason[0].upper() + reason[1:] if begins_with_word else reason}.")


def is_confirmed(question: str) -> bool:
    """Whether the person answers yes; an empty answer means no."""
    return ask_line(f"{question} [y/N]", default="n").lower() in ("y", "yes")


def ask_choice(choices: Sequence[str], ask: Callable[[], str]) -> int:
    """Print the choices with their numbers. Returns the index of the one whose number the person answers."""
    for number, choice in enumerate(choices, 1):
        output.error(f"  {number}  {choice}")
    while len(chosen := ask_numbers(len(choices), ask)) != 1:
        output.error("Type one number.")
    return chosen[0]


def ask_numbers(count: int, ask: Callable[[], str]) -> list[int]:
    """The indexes of the numbers, from 1 to `count`, that the person answers. Asks again while there are others."""
    indexes = {str(index + 1): index for index in range(count)}
    while True:
        numbers = ask().replace(",", " ").split()
        wrong = [number for number in numbers if number not in indexes]
        if not wrong:
            return list(dict.fromkeys(indexes[number] for number in numbers))
        output.error(f"'{wrong[0]}' is not a number from the list.")


def need_terminal(app: App, what: str, instead: str) -> None:
    """Raise a usage error that names an alternative, if there is no terminal."""
    if not app.settings.has_terminal():
        raise click.UsageError(f"{what}, but there is no terminal to ask for it: {instead}.")


def working_time() -> float:
    """A clock in seconds that stands still while the person is asked."""
    context = click.get_current_context(silent=True)
    return time.perf_counter() - (context.meta.get(_ASKED, 0.0) if context else 0.0)


@contextmanager
def _asking() -> Iterator[None]:
    began = time.perf_counter()
    try:
        yield
    finally:
        if context := click.get_current_context(silent=True):
            context.meta[_ASKED] = context.meta.get(_ASKED, 0.0) + time.perf_counter() - began


def _is_blocking(stream: TextIO) -> bool:
    return sys.platform == "win32" or os.get_blocking(stream.fileno())


def _ask_line(question: str, default: str | None) -> str:
    if sys.stdin is not None and sys.stdin.isatty() and _is_blocking(sys.stdin):
        answer: str = click.prompt(question, default=default, show_default=False, err=True)
        return answer.strip()
    # Not from a stdin that is a pipe: it holds data, not the answer. Nor from a terminal that another program has left
    # non-blocking: Python would take a pause for the end.
    try:
        with Path("/dev/tty").open("w", encoding="utf-8") as screen, Path("/dev/tty").open() as keyboard:
            line, left = "\n", 1 if default is not None else None
            while line == "\n" and left != 0:
                screen.write(f"{question}: ")
                screen.flush()
                line, left = keyboard.readline(), left and left - 1
    except OSError as error:
        raise click.UsageError(f"There is no terminal to ask for this: {question}") from error
    if not line:
        raise click.Abort
    return line.strip() or default or ""
