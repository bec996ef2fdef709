"""`loremill report MODEL`: what a story model learned, in a terminal."""

from typing import Annotated

import typer

from dagster_project.commands.finished import finished
from pipeline.reports import REPORT
from pipeline.reports.summary import summary


def report(
    model: Annotated[str, typer.Argument(help="name of a story model, e.g. batman-gpt2")],
) -> None:
    """Print a model's figures, some of its stories, and where its report lies."""
    made = finished("reports", model)
    samples = finished("samples", model)
    typer.echo(summary(made.figures, samples.folder, report=made.folder / REPORT))
