"""The secret for an authenticator app: as a QR code on the terminal, and as letters."""

import io
import sys
from urllib.parse import quote, urlencode

import click

from aws_iot.cli.ui import output

BLACK_ON_WHITE = "\x1b[97;40m"  # the blocks are drawn where the code is light
PLAIN = "\x1b[0m"


def issuer_of(key: str) -> str:
    """The name under which an app shows the accounts of a profile."""
    return "aws-iot" if key == "default" else f"aws-iot {key}"


def show_authenticator(username: str, secret: str, issuer: str) -> None:
    """Draw the QR code on stderr, and show the secret for people who type it."""
    import segno  # here: it takes long to load

    drawn = io.StringIO()
    segno.make_qr(key_uri(username, secret, issuer), error="l").terminal(drawn, border=2, compact=True)
    click.echo("Scan this with your authenticator app:", err=True)
    for line in drawn.getvalue().splitlines():
        # With its own colours: on a white terminal it would be inverted, and some apps cannot read that.
        click.echo(f"{BLACK_ON_WHITE}{line}{PLAIN}" if sys.stderr.isatty() else line, err=True)
    letters = " ".join(secret[i : i + 4] for i in range(0, len(secret), 4))
    click.echo(f"Or type this secret into the app: {output.visible(letters)}", err=True)


def key_uri(username: str, secret: str, issuer: str) -> str:
    """The content of the QR code: github.com/google/google-authenticator/wiki/Key-Uri-Format."""
    named = {"secret": secret, "issuer": issuer}
    return f"otpauth://totp/{quote(f'{issuer}:{username}')}?{urlencode(named, quote_via=quote)}"
