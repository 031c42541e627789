"""Giving an authenticator app its secret: as a QR code on the terminal, and in letters."""

import io
import sys
from urllib.parse import quote, urlencode

import click

from aws_iot.cli.ui import output

BLACK_ON_WHITE = "\x1b[97;40m"  # of blocks that are drawn where the code is light
PLAIN = "\x1b[0m"


def issuer_of(key: str) -> str:
    """What an app shows the accounts of a profile as."""
    return "aws-iot" if key == "default" else f"aws-iot {key}"


def show_authenticator(username: str, secret: str, issuer: str) -> None:
    """Draw what the app is to scan, on stderr, and say the secret for those who type."""
    import segno  # only here: it takes a while to load

    drawn = io.StringIO()
    segno.make_qr(key_uri(username, secret, issuer), error="l").terminal(drawn, border=2, compact=True)
    click.echo("Scan this with your authenticator app:", err=True)
    for line in drawn.getvalue().splitlines():
        # In colours of our own: on a white terminal it would be inverted, which not every app reads.
        click.echo(f"{BLACK_ON_WHITE}{line}{PLAIN}" if sys.stderr.isatty() else line, err=True)
    letters = " ".join(secret[i : i + 4] for i in range(0, len(secret), 4))
    click.echo(f"or type its secret there: {output.visible(letters)}", err=True)


def key_uri(username: str, secret: str, issuer: str) -> str:
    """What authenticator apps scan: github.com/google/google-authenticator/wiki/Key-Uri-Format."""
    named = {"secret": secret, "issuer": issuer}
    return f"otpauth://totp/{quote(f'{issuer}:{username}')}?{urlencode(named, quote_via=quote)}"
