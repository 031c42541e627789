"""CA bundle: the file of the certificate authorities to trust, wherever a person has set it.

The first of these counts, for sign-in, rooms, admins and doctor alike: `ca_bundle` in the profile, `AWS_CA_BUNDLE`,
`ca_bundle` in `~/.aws/config`, `REQUESTS_CA_BUNDLE`. Without any, each library trusts what it trusts by default.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from aws_iot.config.paths import expanded
from aws_iot.errors import LocalError
from aws_iot.files import read
from aws_iot.streams import decoded


def find_ca_bundle(own: str | None, aws_profile: str | None = None) -> str | None:
    """The absolute path of the file to use; None if none is set. It is not opened.

    `own` is that of the profile. `aws_profile` is the section of `~/.aws/config`; None: the one that AWS tools use. If
    that file is malformed, it counts as missing.
    """
    return _absolute(own) if own else next((path for _, path in _settings(aws_profile)), None)


def ca_bundle_unusable(path: str | None) -> LocalError:
    """The error for a file that a library could not use."""
    return LocalError(
        f"the ca_bundle {path} cannot be used: {_problem(path) or 'it holds no valid certificate'}",
        hint=f"It is set by {_setting_of(path)}. Set it to a file of certificates (PEM).",
    )


def untrusted_hint(path: str | None) -> str:
    """What to do about a certificate of an authority that is not in the file or, without one, not known by default."""
    trusted = f"Only the authorities in {path} are trusted, because of {_setting_of(path)}.\n" if path else ""
    return f"{trusted}If this is your server, set ca_bundle in the exports file to the PEM file of its authority."


def check_ca_bundle(path: str) -> None:
    """Raise `LocalError` if a file cannot be the reason why certificates are trusted. To find out takes time."""
    import ssl  # here: it takes long to import

    try:
        ssl.create_default_context(cafile=path)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise ca_bundle_unusable(path) from error


def _setting_of(path: str | None) -> str:
    return next((name for name, found in _settings(None) if found == path), "ca_bundle in the profile")


def _problem(path: str | None) -> str | None:
    file = Path(path or "")
    try:
        if not file.exists():
            return "there is no such file"
        if file.is_dir():
            return "it is a folder"
    except (OSError, ValueError):  # such as a part of it that cannot be entered, or a NUL
        return "there is no such file"
    return None if os.access(file, os.R_OK) else "you cannot read it"


def _settings(aws_profile: str | None) -> Iterator[tuple[str, str]]:
    """The settings that name a file, the first one first, and the paths. A variable that is empty is not set."""
    if path := os.environ.get("AWS_CA_BUNDLE"):
        yield "AWS_CA_BUNDLE", _absolute(path)
    if path := _of_aws_config(aws_profile):
        yield "ca_bundle in ~/.aws/config", _absolute(path)
    if path := os.environ.get("REQUESTS_CA_BUNDLE"):
        yield "REQUESTS_CA_BUNDLE", _absolute(path)


def _of_aws_config(aws_profile: str | None) -> str | None:
    """docs.aws.amazon.com/cli/latest/userguide/cli-configure-files.html"""
    try:
        data = read(expanded(Path(os.environ.get("AWS_CONFIG_FILE") or "~/.aws/config")))
        text = decoded(data or b"")
    except (LocalError, UnicodeDecodeError):  # no home, unreadable, or not text
        return None
    if not text:
        return None
    import configparser  # here: few people have such a file

    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    try:
        parser.read_string(text)
    except configparser.Error:
        return None
    name = aws_profile or os.environ.get("AWS_PROFILE") or os.environ.get("AWS_DEFAULT_PROFILE") or "default"
    wanted = [["profile", name], [name]] if name != "default" else [[name], ["profile", name]]
    headers = [(_words(header), header) for header in parser.sections()]
    sections = [header for words in wanted for found, header in headers if found == words]
    return next((path for one in sections if (path := parser.get(one, "ca_bundle", fallback=None))), None)


def _words(header: str) -> list[str]:
    """`[profile "our team"]` names the profile `our team`, with any blanks after `profile`."""
    import shlex  # here, for the same reason

    try:
        return shlex.split(header)
    except ValueError:  # a quote without its counterpart
        return [header]


def _absolute(path: str) -> str:
    try:
        return str(expanded(Path(path)).absolute())
    except (LocalError, OSError):  # no such home folder, or the current folder was removed
        return path
