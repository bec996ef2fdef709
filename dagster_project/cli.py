"""`loremill …`: what Scrapy and Dagster don't do. It needs all three packages, so it lives here."""

from typing import Annotated

import typer

from crawlers.franchise import data_root
from dagster_project.commands.crawls import crawls
from dagster_project.commands.fixtures import fixtures
from dagster_project.commands.preview import preview
from pipeline.artifact import Artifact
from pipeline.reports import REPORT
from pipeline.reports.summary import summary

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # a mistake is one line, not a box
)


@app.callback()
def main() -> None:
    """Turn the lore of a franchise into a model that tells stories."""


app.command()(preview)
app.command()(fixtures)
app.command()(crawls)


@app.command()
def report(
    model: Annotated[str, typer.Argument(help="name of a story model, e.g. batman-gpt2")],
) -> None:
    """Print a model's figures, some of its stories, and where its report lies."""
    made = _artifact("reports", model)
    samples = _artifact("samples", model)
    typer.echo(summary(made.figures, samples.folder, report=made.folder / REPORT))


def _artifact(kind: str, name: str) -> Artifact:
    """A finished artifact of the data root; exit status 2 with one line where there is none."""
    root = data_root() / kind
    artifact = Artifact.load(root / name)
    if artifact is None:
        there = ", ".join(sorted(path.name for path in root.glob("*"))) or "none"
        typer.echo(f"error: {root} has no {name!r}; there are: {there}", err=True)
        raise typer.Exit(2)
    return artifact
