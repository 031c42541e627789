"""Answers: challenges are answered by what the caller gave beforehand, else by the person."""

from collections.abc import Mapping

from aws_iot.auth.challenges import Challenge, ChallengeAnswer
from aws_iot.auth.prompter import Prompter
from aws_iot.errors import AwsIotError, ChallengeNotSupported


class ChallengeResponder:
    """Answers the challenges of one sign-in."""

    def __init__(self, answers: Mapping[str, str], attributes: Mapping[str, str], prompter: Prompter) -> None:
        """`answers` holds answers by what challenges want: `code`, `choice` or `password`. Each is used once."""
        self._answers = dict(answers)
        self._attributes = attributes
        self._prompter = prompter
        self.new_password: str | None = None
        """What replaced an admin's password, if the user pool asked for that."""

    def answer(self, challenge: Challenge, rejected: AwsIotError | None) -> ChallengeAnswer:
        """The answer. `rejected` is why the last answer to this challenge was rejected, if it was.

        Raises it if there is no other answer and nobody can be asked; `ChallengeNotSupported`; and what the
        prompter raises.
        """
        given = self._answers.pop(challenge.wants, None)
        if rejected and not given:
            if not self._prompter.is_interactive:
                raise rejected
            self._prompter.show_rejection(rejected)
        again = rejected is not None
        match challenge.wants:
            case "code":
                return ChallengeAnswer(given or self._prompter.code(challenge))
            case "choice":
                return ChallengeAnswer(given or self._prompter.choice(challenge))
            case "password":
                self.new_password = given or self._prompter.new_password(challenge, again=again)
                return ChallengeAnswer(self.new_password, self._attributes_of(challenge))
            case "authenticator":
                return ChallengeAnswer(self._prompter.authenticator_code(challenge, again=again))
        raise ChallengeNotSupported(
            f"the user pool asks for {challenge.kind}, which this program does not support"
        )

    def _attributes_of(self, challenge: Challenge) -> tuple[tuple[str, str], ...]:
        return tuple(
            (name, self._attributes[name] if name in self._attributes else self._prompter.attribute(name))
            for name in challenge.attributes
        )
