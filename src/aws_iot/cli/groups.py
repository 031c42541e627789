"""Command and Group: commands whose help is grouped, wrapped without breaking words, and short."""

from __future__ import annotations  # so that what only types need is not imported

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aws_iot.cli.ui.help_formatter import HelpFormatter

OWN = "Options"
COMMON = "Common options"
SIGN_IN = "Sign-in options"
MAX_COLUMNS = 100
"""Longer lines are hard to read."""

MARGIN = 2
"""Columns that stay free on the right."""

SECTIONS = (OWN, COMMON, SIGN_IN)
"""The sections of options, as `--help` shows them."""

Rows = list[tuple[str, str]]


class _Help(click.Command):
    """The help of commands and groups."""

    def get_help_option_names(self, _: click.Context) -> list[str]:
        """The same for every context, because Click keeps the option that it makes of them."""
        return ["-h", "--help"]

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        if option := super().get_help_option(ctx):
            option.help = "Print this help."
        return option

    def get_help(self, ctx: click.Context) -> str:
        formatter = page(ctx)
        self.format_usage(ctx, formatter)
        self.format_help_text(ctx, formatter)
        formatter.write_sections(self.sections(ctx))
        formatter.write_sections(self.sections_of_options(ctx))
        return formatter.getvalue().rstrip("\n")

    def sections(self, _: click.Context) -> Iterable[tuple[str, Rows]]:
        """What the help lists before the options."""
        return ()

    def sections_of_options(self, ctx: click.Context) -> list[tuple[str, Rows]]:
        """The options by section: the names and the help of each."""
        sections: dict[str, Rows] = {}
        help_option = self.get_help_option(ctx)
        for param in self.get_params(ctx):
            if isinstance(param, click.Option) and (record := param.get_help_record(ctx)):
                section = COMMON if param is help_option else getattr(param, "section", OWN)
                sections.setdefault(section, []).append(record)
        for name in (SIGN_IN, COMMON):  # a section for one option is too much
            if len(sections.get(name, ())) == 1:
                sections.setdefault(OWN, []).extend(sections.pop(name))
        if OWN not in sections:
            sections[OWN] = sections.pop(COMMON, [])
        return [(name, sections[name]) for name in SECTIONS if name in sections]


def page(ctx: click.Context) -> HelpFormatter:
    """An empty page of help, for the terminal's width. It decides whether `ctx` has colors."""
    # Here: most runs print no help.
    import shutil

    from aws_iot.cli.ui.colors import is_on
    from aws_iot.cli.ui.help_formatter import HelpFormatter

    ctx.color = is_on()
    columns = ctx.terminal_width or shutil.get_terminal_size().columns
    return HelpFormatter(width=min(columns, MAX_COLUMNS) - MARGIN)


class Command(_Help):
    """A command that is no group."""


class Group(_Help, click.Group):
    """A command with subcommands, whose help shows their whole summaries first."""

    command_class = Command

    def sections(self, ctx: click.Context) -> Iterable[tuple[str, Rows]]:
        """The subcommands by section: the name and summary of each, in the order in which to list them."""
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [
            (name, one.get_short_help_str(limit=1000)) for name, one in commands if one and not one.hidden
        ]
        return [("Commands", rows)]
