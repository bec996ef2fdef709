"""How a command speaks to a person: progress and errors on stderr, a line each; exit statuses."""

from collections.abc import Iterable
from typing import NoReturn

import typer

from pipeline.reports.text import plain

#: Exit statuses: what was asked for was tried and failed; it could not be tried at all.
FAILED, BAD_INPUT = 1, 2


def refuse(mistakes: Iterable[object], status: int = BAD_INPUT) -> NoReturn:
    """End the command with an `error:` line for each mistake."""
    say_errors(mistakes)
    raise typer.Exit(status)


def say_errors(mistakes: Iterable[object]) -> None:
    """An `error:` line each."""
    for mistake in mistakes:
        if isinstance(mistake, OSError) and mistake.filename is not None:
            told = mistake.strerror or "cannot be read"
            mistake = f"{mistake.filename}: {told[:1].lower()}{told[1:]}"
        say(f"error: {mistake}")


def say(line: str) -> None:
    """A line on stderr; what came from a site cannot move the cursor."""
    typer.echo(plain(line), err=True)


def say_progress(line: str) -> None:
    """What a child says while it works; its errors come with its end, see ChildError."""
    if not line.startswith("error:"):
        say(line)
