"""How `aws-iot doctor` prints its findings: as text and as JSON."""

import sys
from typing import Any

import click

from aws_iot.cli.ui import output
from aws_iot.cli.ui.colors import Role, is_on, paint
from aws_iot.cli.ui.wrapping import fill, fit
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


def as_lines(finding: Finding, width: int | None) -> list[str]:
    """The lines for a finding. The text comes last because it may be long.

    On a terminal, they replace the line that `begin` has written, and fit its `width`. It is None if there is none.
    """
    result, error = finding.result, finding.error
    if result is None and error is None:
        return [f"{finding.step:14}-"]
    columns = width or sys.maxsize
    replace = "\r\x1b[K" if width else ""
    status, role = ("FAILED", Role.ERROR) if error else ("ok", Role.GOOD)
    text = output.visible(result.text if result else str(error))
    advice = result.advice if result else (error and error.hint) or ""
    start = f"{finding.step:14}{status:8}{finding.seconds * 1000:6.0f} ms  "
    lines = [start + text] if len(start + text) <= columns else [start.rstrip(), *fill(text, columns, MARGIN)]
    first, *rest = lines
    if is_on():
        at = len(MARGIN)
        first = first[:at] + paint(status, role) + first[at + len(status) :]
    return [
        f"{replace}{first}",
        *rest,
        *(fill(f"Checked: whether {finding.checked}.", columns, MARGIN) if error else []),
        *(_hint(part) for line in advice.splitlines() for part in fit(output.visible(line), columns, MARGIN)),
    ]


def _hint(line: str) -> str:
    return paint(line, Role.HINT) if is_on() else line
