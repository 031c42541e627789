"""Group: a command with subcommands, whose help shows their whole summaries."""

from collections.abc import Iterable

import click


class Group(click.Group):
    """Its help wraps long summaries; Click's own would cut them off."""

    def summaries(self, ctx: click.Context) -> Iterable[tuple[str, str]]:
        """The name and summary of each command, in the order in which to list them."""
        for name in self.list_commands(ctx):
            command = self.get_command(ctx, name)
            if command and not command.hidden:
                yield name, command.get_short_help_str(limit=1000)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands."""
        if rows := list(self.summaries(ctx)):
            with formatter.section("Commands"):
                formatter.write_dl(rows)
