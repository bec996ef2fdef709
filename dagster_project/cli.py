"""`loremill …`: what Scrapy and Dagster don't do. It needs all three packages, so it lives here.

A command's module is imported when the command is asked for: Dagster alone takes a second to load,
and `loremill trace` has answered by then.
"""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

#: In the order of `--help`; each is a function in a module of its name in dagster_project/commands.
COMMANDS = (
    "preview",
    "fixtures",
    "crawls",
    "report",
    "sample",
    "perplexity",
    "rate",
    "trace",
    "copied",
    "takedown",
)


class CommandsOnDemand(TyperGroup):
    """Imports the command that is named, and all of them for `--help`."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Every command's name."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of this name, or None."""
        # An unknown name needs all of them: the error says which comes nearest.
        for name in [cmd_name] if cmd_name in COMMANDS else COMMANDS:
            if name not in self.commands:
                self.commands[name] = _load(name)
        return super().get_command(ctx, cmd_name)


def _app(**settings: Any) -> typer.Typer:
    return typer.Typer(
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # a mistake is one line, not a box
        **settings,
    )


def _load(name: str) -> Any:
    alone = _app()
    alone.command(name)(getattr(import_module(f"dagster_project.commands.{name}"), name))
    return typer.main.get_command(alone)


app = _app(cls=CommandsOnDemand, no_args_is_help=True)


@app.callback()
def main() -> None:
    """Turn the lore of a franchise into a model that tells stories."""
