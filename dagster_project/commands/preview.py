"""`loremill preview NAME`: what a crawl of a franchise would give, from a few pages."""

import shutil
from pathlib import Path
from typing import Annotated

import pyarrow as pa
import typer

from crawlers.franchise import FranchiseSpec, data_root, load_franchise
from crawlers.policy import UnknownHostError
from crawlers.sources import source_name
from crawlers.store.page_store import StoreError
from crawlers.yaml_spec import SpecError
from dagster_project.commands.speech import FAILED, refuse, say_errors, say_progress
from dagster_project.components.franchise import source_rules
from dagster_project.fixtures import FixtureError, fixtures_folder, load, together
from dagster_project.preview import NoRulesError, look
from dagster_project.preview.advice import advice
from dagster_project.preview.pages import KindError, live_pages, page_of_file, stored_pages
from dagster_project.preview.show import as_json, as_text
from pipeline.reports.text import counted

#: Longer lines are hard to read, however wide the terminal; shorter ones hold no address.
_WIDEST, _NARROWEST = 110, 40


def preview(
    name: Annotated[str, typer.Argument(help="a franchise, e.g. batman")],
    live: Annotated[
        bool | None,
        typer.Option(
            "--live/--saved",
            help="fetch a few pages now, or look only at saved ones; default: saved ones, and "
            "live ones where there are none",
            show_default=False,
        ),
    ] = None,
    pages: Annotated[
        int, typer.Option(min=1, max=100, help="pages a source; of fixtures all are shown")
    ] = 3,
    file: Annotated[
        list[Path] | None,
        typer.Option(help="look at a page saved by hand, e.g. page.html; may be given again"),
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="whose rules the files are read by; default: the first")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="show whole texts")] = False,
    json: Annotated[bool, typer.Option("--json", help="print JSON, with whole texts")] = False,
) -> None:
    """Show what would be extracted from a franchise's pages, and what would be dropped.

    Exit status: 0 with documents, 1 without any or after a failed fetch, 2 for bad input.
    """
    wrong: list[str] = []
    try:
        spec = load_franchise(name)
        if file:
            origin, found = "from files", _files(file, name, spec, source)
        else:
            origin, found, wrong = _pages(name, spec, live, pages)
        seen = look(found, source_rules(spec))
    except SpecError as error:
        refuse(error.mistakes)
    except NoRulesError as error:
        refuse([f"{fixtures_folder(name)}: {error}; save pages anew, or give --live"])
    except (
        FixtureError,
        KindError,
        StoreError,
        UnknownHostError,
        OSError,
        pa.ArrowException,
    ) as error:
        refuse([error])
    say_errors(wrong)
    told = advice(seen, spec)
    if not (found.num_rows or wrong):
        say_errors([f"the sources of {name} list no pages"])
    if json:
        typer.echo(as_json(name, origin, seen, told))
    elif found.num_rows:
        width = max(_NARROWEST, min(shutil.get_terminal_size().columns, _WIDEST))
        typer.echo(as_text(spec.title, origin, seen, told, full=full, width=width))
    if wrong or not seen.figures["documents"]:
        raise typer.Exit(FAILED)


def _pages(
    name: str, spec: FranchiseSpec, live: bool | None, count: int
) -> tuple[str, pa.Table, list[str]]:
    """Where the pages are from, the pages, and what went wrong on the way."""
    if live is not True:
        folder = fixtures_folder(name)
        saved = together(load(folder))
        if saved.num_rows:
            return f"saved in {folder}", saved, []
        stored = stored_pages(data_root(), name, spec, count)
        if stored.num_rows:
            return f"from the store {data_root() / 'pages' / name}", stored, []
        if live is False:
            refuse([f"{folder} and {data_root() / 'pages' / name} hold no pages; try --live"])
    pages, wrong = live_pages(name, spec, count, say_progress)
    return f"live, at most {counted(count, 'page')} a source", pages, wrong


def _files(paths: list[Path], name: str, spec: FranchiseSpec, source: str | None) -> pa.Table:
    sources = {source_name(one): one for one in spec.sources}
    chosen = source or next(iter(sources))
    if chosen not in sources:
        refuse([f"{name} has no source {chosen!r}; its sources are: {', '.join(sources)}"])
    return pa.concat_tables([page_of_file(path, name, sources[chosen]) for path in paths])
