"""The one door for output: data to stdout, words to stderr, nothing that could drive a terminal."""

import unicodedata

import click

from aws_iot.errors import ProfileError

# Marks that reorder what is shown: unicode.org/reports/tr9. Other format characters (joined emoji need
# them) change nothing around them.
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_CONTROL = frozenset(("Cc", "Cs", "Zl", "Zp"))


QUIET = "aws_iot.quiet"
"""The key in Click's context under which `--quiet` is noted."""


def visible(text: str) -> str:
    r"""`text` on one line, with every control character shown as an escape such as \x1b."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(c) if unicodedata.category(c) in _CONTROL or c in _BIDI else c for c in text)


def _escape(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode()


def data(line: str) -> None:
    """Print a line of data, at once: others may read it from a pipe."""
    try:
        click.echo(line)
    except BrokenPipeError:
        raise
    except OSError as error:  # such as a full disk behind a redirection
        raise ProfileError(f"the output cannot be written: {error.strerror}") from error


def words(line: str) -> None:
    """Tell the person something; `--quiet` hides it."""
    context = click.get_current_context(silent=True)
    if not (context and context.meta.get(QUIET)):
        click.echo(visible(line), err=True)
