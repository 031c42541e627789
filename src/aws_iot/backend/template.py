"""The CloudFormation template `template.yaml`, and its parameters."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

SID_OF_ROOMS = "AskForTheRoomsOfThePool"
"""The Sid of the statement in the role's policy that names the rooms for subscribing."""


def text() -> str:
    """The template, as YAML."""
    from importlib.resources import files  # here: most commands of `aws-iot backend` do not read it

    return files(__package__).joinpath("template.yaml").read_text(encoding="utf-8")


def is_ours(description: str) -> bool:
    """Whether a stack with this description was made from any version of the template."""
    return description.startswith("Chat rooms over AWS IoT Core for one team")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the template; `constraint` describes in words what `pattern` accepts."""

    default: str
    pattern: str | None
    constraint: str | None
    max_length: int | None
    allowed: tuple[str, ...]
    """The values of which it has one; empty if others decide."""

    def fits(self, value: str) -> bool:
        """Whether its `pattern`, if it has one, accepts the value."""
        return self.pattern is None or re.fullmatch(self.pattern, value) is not None


@cache
def parameters() -> Mapping[str, Parameter]:
    """The template's parameters, by name."""
    section = re.search(r"^Parameters:\n(.*?)^\S", text(), re.MULTILINE | re.DOTALL)
    blocks = re.findall(r"^  (\w+):\n((?:    .*\n)+)", section[1] if section else "", re.MULTILINE)
    return {
        name: Parameter(
            _value(block, "Default") or "",
            _value(block, "AllowedPattern"),
            _value(block, "ConstraintDescription"),
            int(length) if (length := _value(block, "MaxLength")) else None,
            tuple(re.findall(r"\w+", _value(block, "AllowedValues") or "")),
        )
        for name, block in blocks
    }


def _value(block: str, key: str) -> str | None:
    found = re.search(rf"^    {key}: (.*)$", block, re.MULTILINE)
    return found[1].strip("'\"") if found else None
