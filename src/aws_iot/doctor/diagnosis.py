"""Diagnosis: runs the checks in order, and stops at the first that fails."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from aws_iot.doctor.checks import Check, Checks, Setup
from aws_iot.doctor.probes import CheckResult
from aws_iot.doctor.redaction import redact
from aws_iot.errors import AwsIotError


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check. It was skipped if there is neither a `result` nor an `error`.

    `checked` is a clause that can follow "whether". `seconds` is how long the check took.
    """

    step: str
    checked: str
    seconds: float = 0.0
    result: CheckResult | None = None
    error: AwsIotError | None = None


class Diagnosis:
    """Runs the checks for one setup, once. Findings hold no secrets."""

    def __init__(self, setup: Setup) -> None:
        self._clock = setup.clock
        self._checks = Checks(setup)

    def findings(self, begin: Callable[[str], None] = lambda _: None) -> Iterator[Finding]:
        """Yield each finding at once; after a failure, the remaining checks are skipped.

        `begin` is called with the name of each check before it runs.
        """
        failed = False
        with self._checks.closing:
            for check in self._checks.in_order():
                if failed:
                    yield Finding(check.step, check.checked)
                    continue
                begin(check.step)
                finding = self._run(check)
                failed = finding.error is not None
                yield finding

    def _run(self, check: Check) -> Finding:
        began = self._clock()
        result, failure = None, None
        try:
            result = CheckResult(*(self._redact(text) for text in check.run()))
        except AwsIotError as error:
            hint = error.hint and self._redact(error.hint)
            failure = type(error)(self._redact(str(error)), hint=hint)
        return Finding(check.step, check.checked, self._clock() - began, result, failure)

    def _redact(self, text: str) -> str:
        return redact(text, self._checks.secrets)
