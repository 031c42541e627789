"""How `aws-iot doctor` prints its findings: as text and as JSON."""

import shutil
import textwrap
from typing import Any

import click

from aws_iot.cli.ui import output
from aws_iot.doctor.diagnosis import Finding

MARGIN = " " * 14
"""The width of a check's name."""


def begin(step: str) -> None:
    """Show on a terminal which check is running; the finding replaces this line."""
    click.echo(f"{step:14}… ", nl=False)


def as_object(finding: Finding) -> dict[str, Any]:
    """A finding as a JSON object."""
    result, error = finding.result, finding.error
    return {
        "step": finding.step,
        "checked": finding.checked,
        "result": "failed" if error else "ok" if result else "skipped",
        "seen": result.text if result else error and str(error),
        "advice": (result.advice if result else error and error.hint) or None,
        "milliseconds": round(finding.seconds * 1000, 1),
        "exit_code": error.exit_code if error else None,
    }


def as_lines(finding: Finding, *, live: bool) -> list[str]:
    """The lines for a finding. The text comes last because it may be long.

    With `live` they replace the line that `begin` has written, and fit the terminal.
    """
    result, error = finding.result, finding.error
    if result is None and error is None:
        return [f"{finding.step:14}-"]
    columns = shutil.get_terminal_size().columns if live else None
    replace = "\r\x1b[K" if live else ""
    status = click.style("FAILED", fg="red", bold=True) if error else click.style("ok", fg="green")
    took = f"{finding.seconds * 1000:6.0f} ms"
    text = result.text if result else str(error)
    advice = result.advice if result else (error and error.hint) or ""
    padding = " " * (8 - len(click.unstyle(status)))
    first, *rest = _wrap(output.visible(text), columns, len(f"{MARGIN}{'':8}{took}  "))
    return [
        f"{replace}{finding.step:14}{status}{padding}{took}  {first}",
        *(f"{MARGIN}{line}" for line in rest),
        *([f"{MARGIN}Checked: whether {finding.checked}."] if error else []),
        # Not wrapped, because it may be a command.
        *(f"{MARGIN}{output.visible(line)}" for line in advice.splitlines()),
    ]


def _wrap(text: str, columns: int | None, taken: int) -> list[str]:
    """Lines that fit after the margin, the first after `taken` characters. Words stay whole, to be copied."""
    if columns is None:
        return [text]
    wrapper = textwrap.TextWrapper(
        max(columns - len(MARGIN), 20),
        initial_indent=" " * max(taken - len(MARGIN), 0),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.strip() for line in wrapper.wrap(text)] or [""]
