"""A person who answers the questions of `aws-iot init` from a script."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aws_iot.auth.accounts import CodeSent
from aws_iot.auth.prompter import NoPrompter
from aws_iot.config.profile import Profile
from aws_iot.errors import AwsIotError

PASSWORD = "Passw0rd-of-alice"


class Interrupted(Exception):
    """The person presses Ctrl-C."""


class Script:
    """`SetupPrompter` with the answers of a person, one or several for each question."""

    def __init__(self, **answers: Any) -> None:
        self._answers: dict[str, Iterator[Any]] = {
            question: iter(answer if isinstance(answer, list) else [answer])
            for question, answer in answers.items()
        }
        self.asked: list[str] = []
        self.rejections: list[str] = []
        self.shown: list[str] = []

    def _answer(self, question: str) -> Any:
        self.asked.append(question)
        found = next(self._answers.get(question, iter(())), None)
        assert found is not None, f"{question} was asked, and the script has no answer"
        if isinstance(found, BaseException):
            raise found
        return found

    def continues_with(self, _: Profile) -> bool:
        return bool(self._answer("continues_with"))

    def show_note(self, text: str) -> None:
        self.shown.append(text)

    def show_existing(self, profile: Profile) -> None:
        self.shown.append(profile.key)

    def replaces_damaged(self, *_: object) -> bool:
        return bool(self._answer("replaces_damaged"))

    def new_key(self) -> str:
        return str(self._answer("new_key"))

    def is_local(self) -> bool:
        return bool(self._answer("is_local"))

    def local_stack_started(self) -> None:
        self._answer("local_stack_started")

    def exports_file(self) -> Path:
        return Path(self._answer("exports_file"))

    def endpoint(self) -> str:
        return str(self._answer("endpoint"))

    def username(self, preset: str | None) -> str:
        return str(self._answer("username") or preset)

    def has_account(self, _: str) -> bool:
        return bool(self._answer("has_account"))

    def is_own(self, _: str) -> bool:
        return bool(self._answer("is_own"))

    def email(self) -> str:
        return str(self._answer("email"))

    def chosen_password(self, _: str) -> str:
        return str(self._answer("chosen_password"))

    def code(self, _: str, sent: CodeSent | None) -> str:
        return str(self._answer("code"))

    def show_rejection(self, error: AwsIotError) -> None:
        self.rejections.append(str(error))


class Typing(NoPrompter):
    """`Prompter` of a person who types this password."""

    is_interactive = True

    def password(self, _: str) -> str:  # type: ignore[override]
        return PASSWORD


def answers_at_init(name: str, exports: Path) -> dict[str, str]:
    """What a person types at `aws-iot init` to create an account in a team, by the question."""
    return {
        "Number [1]: ": "1",
        "Exports file [aws-exports.json]: ": str(exports),
        "User name: ": name,
        "  2  Yes, sign in\r\nNumber [1]: ": "",
        "E-mail address: ": f"{name}@example.com",
        f"New password for {name}: ": PASSWORD,
        "Repeat for confirmation: ": PASSWORD,
        "(press Enter to get a new one): ": "123456",
    }
