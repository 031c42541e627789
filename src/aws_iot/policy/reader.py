"""What must be read from AWS to explain a decision: the policies of an identity, and AWS's own verdict.

`aws/admin/policy_reader.py` implements the protocol.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from aws_iot.policy.access import PolicyLayer, Principal, Question


@dataclass(frozen=True, slots=True)
class AwsVerdict:
    """AWS's own verdict on a question (TestAuthorization).

    `decision` is ALLOWED, IMPLICIT_DENY or EXPLICIT_DENY; `policies` are those that decided it, and `missing` the
    condition keys that AWS had no value for.
    """

    decision: str
    policies: tuple[str, ...]
    missing: tuple[str, ...] = ()


class PolicyReader(Protocol):
    """Reads the policies of identities of one pool. Raises `CredentialsRefused` and `Unreachable`."""

    def read(self, identity: str) -> tuple[Sequence[PolicyLayer], str | None]:
        """The layers of an identity: the role, its permissions boundary if there is one, and the IoT policies.

        Policies that the caller may not read make their layer doubtful. The second value is the AWS account, None if
        nothing names it.
        """
        ...

    def aws_verdicts(
        self, principal: Principal, questions: Sequence[Question]
    ) -> Mapping[Question, AwsVerdict]:
        """AWS's own verdicts, on those questions that TestAuthorization accepts. Raises `AwsIotError`."""
        ...
