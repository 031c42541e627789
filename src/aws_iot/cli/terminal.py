"""Asking the person, at the terminal itself: stdin and stdout may be pipes."""

import sys
from contextlib import suppress
from pathlib import Path

import click

from aws_iot.app import App


def ask_secret(question: str, *, twice: bool = False) -> str:
    """An answer that is not shown while it is typed."""
    answer: str = click.prompt(question, hide_input=True, err=True, confirmation_prompt=twice)
    return answer


def ask_line(question: str) -> str:
    """An answer in a line. Raises `click.Abort` where the person leaves instead."""
    if not sys.stdin.isatty():
        with suppress(OSError), Path("/dev/tty").open("r+", encoding="utf-8") as terminal:
            terminal.write(f"{question}: ")
            terminal.flush()
            line = terminal.readline()
            if not line:
                raise click.Abort
            return line.strip()
    answer: str = click.prompt(question, err=True)
    return answer.strip()


def ask_new_password(app: App, username: str) -> str:
    """A new password, typed twice."""
    need_terminal(app, "A new password is needed", "AWS_IOT_NEW_PASSWORD")
    return ask_secret(f"New password of {username}", twice=True)


def need_terminal(app: App, what: str, instead: str) -> None:
    """Raises a usage error that says what else there is, if nobody is there to be asked."""
    if not app.has_terminal():
        raise click.UsageError(f"{what}, and there is no terminal to ask for it: use {instead}.")
