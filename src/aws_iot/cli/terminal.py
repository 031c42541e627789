"""Asking the person, at the terminal itself: stdin and stdout may be pipes."""

import sys
from pathlib import Path

import click

from aws_iot.app import App


def ask_secret(question: str, *, twice: bool = False) -> str:
    """An answer that is not shown while it is typed."""
    answer: str = click.prompt(question, hide_input=True, err=True, confirmation_prompt=twice)
    return answer


def ask_line(question: str) -> str:
    """An answer in a line. Raises `click.Abort` where the person leaves instead."""
    if sys.stdin is not None and sys.stdin.isatty():
        answer: str = click.prompt(question, err=True)
        return answer.strip()
    # Never from a stdin that is none: it holds what somebody pipes in, which is no answer to this.
    try:
        with Path("/dev/tty").open("w", encoding="utf-8") as screen, Path("/dev/tty").open() as keyboard:
            line = "\n"
            while line == "\n":
                screen.write(f"{question}: ")
                screen.flush()
                line = keyboard.readline()
    except OSError as error:
        raise click.UsageError(f"There is no terminal to ask for this: {question}") from error
    if not line:
        raise click.Abort
    return line.strip()


def ask_new_password(app: App, username: str) -> str:
    """A new password, typed twice."""
    need_terminal(app, "A new password is needed", "set AWS_IOT_NEW_PASSWORD")
    return ask_secret(f"New password of {username}", twice=True)


def need_terminal(app: App, what: str, instead: str) -> None:
    """Raises a usage error that says what else there is, if nobody is there to be asked."""
    if not app.has_terminal():
        raise click.UsageError(f"{what}, and there is no terminal to ask for it: {instead}.")
