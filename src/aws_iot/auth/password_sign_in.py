"""Signing in with a password: its proof, and the challenges that may follow."""

from collections.abc import Callable, Mapping
from contextlib import suppress

from aws_iot.auth.accounts import ATTEMPTS, REPEATABLE, Accounts, Challenge, ChallengeAnswer
from aws_iot.auth.passwords import typed_password
from aws_iot.auth.prompter import Prompter
from aws_iot.auth.session import Device, Session
from aws_iot.auth.session_store import DeviceStore
from aws_iot.config.profile import Profile
from aws_iot.errors import AwsIotError, ChallengeNotSupported, DeviceForgotten, LocalError


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

        Raises it if there is no other answer and the prompter is not interactive. Raises `ChallengeNotSupported`, and
        what the prompter raises.
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
                self.new_password = given or self._typed_password(challenge, again)
                return ChallengeAnswer(self.new_password, self._attributes_of(challenge))
            case "authenticator":
                return ChallengeAnswer(self._prompter.authenticator_code(challenge, again=again))
        raise ChallengeNotSupported(
            f"the user pool asks for {challenge.kind}, which this program does not support"
        )

    def _typed_password(self, challenge: Challenge, again: bool) -> str:
        first = iter([again])
        prompter = self._prompter
        return typed_password(
            lambda: prompter.new_password(challenge, again=next(first, True)), prompter.show_rejection
        )

    def _attributes_of(self, challenge: Challenge) -> tuple[tuple[str, str], ...]:
        return tuple(
            (name, self._attributes[name] if name in self._attributes else self._prompter.attribute(name))
            for name in challenge.attributes
        )


class PasswordSignIn:
    """Signs in with a password, and remembers this device if the user pool does. It saves no session."""

    def __init__(self, profile: Profile, devices: DeviceStore, accounts: Callable[[], Accounts]) -> None:
        self._profile = profile
        self._devices = devices
        self._accounts = accounts

    def sign_in(self, username: str, password: str, responder: ChallengeResponder) -> Session:
        """A new session. `responder` answers challenges, and after a wrong code again, `ATTEMPTS` times in all.

        Raises `SignInRefused`, `PasswordTooWeak`, and what the responder raises.
        """
        device = None
        with suppress(LocalError):  # the keyring is locked: sign in as on a new device
            device = self._devices.load(self._profile, username)
        try:
            session = self._new_session(username, password, device, responder)
        except DeviceForgotten:  # an admin has deleted it, or the user pool is a new one
            with suppress(LocalError):
                self._devices.remove(self._profile.key)
            device = None
            session = self._new_session(username, password, None, responder)
        if session.device and session.device != device:
            with suppress(LocalError):
                self._devices.save(self._profile, username, session.device)
        return session

    def _new_session(
        self, username: str, password: str, device: Device | None, responder: ChallengeResponder
    ) -> Session:
        accounts = self._accounts()
        step = accounts.sign_in(username, password, device)
        failures, rejected = 0, None
        while isinstance(step, Challenge):
            try:
                step, rejected = accounts.answer(step, responder.answer(step, rejected)), None
            except REPEATABLE as error:
                failures, rejected = failures + 1, error
                if failures == ATTEMPTS:
                    raise
        return _under(username, step)


def _under(username: str, session: Session) -> Session:
    """The session under the name that the person typed. After a challenge it has the user pool's own name."""
    token = session.refresh_token
    return session._replace(username=username, refresh_token=token and token._replace(username=username))
