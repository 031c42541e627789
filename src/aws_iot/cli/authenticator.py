"""Giving an authenticator app its secret: as a QR code on the terminal, and in letters."""

import sys
from urllib.parse import quote, urlencode

import click

from aws_iot.cli.output import visible

ISSUER = "aws-iot"
"""What the app shows the account as."""


def show_authenticator(username: str, secret: str) -> None:
    """Draw what the app is to scan, on stderr, and say the secret for those who type."""
    import segno  # only here: it takes a while to load

    code = segno.make_qr(key_uri(username, secret), error="l")
    click.echo("Scan this with your authenticator app:", err=True)
    code.terminal(sys.stderr, border=2, compact=True)
    letters = " ".join(secret[i : i + 4] for i in range(0, len(secret), 4))
    click.echo(f"or type its secret there: {visible(letters)}", err=True)


def key_uri(username: str, secret: str) -> str:
    """What authenticator apps scan: github.com/google/google-authenticator/wiki/Key-Uri-Format."""
    return f"otpauth://totp/{quote(f'{ISSUER}:{username}')}?" + urlencode(
        {"secret": secret, "issuer": ISSUER}
    )
