"""`loremill fixtures NAME`: pages kept in the repository, so that a test pins their extraction."""

from typing import Annotated

import pyarrow as pa
import typer

from crawlers.franchise import FranchiseSpec, data_root, load_franchise
from crawlers.yaml_spec import SpecError
from dagster_project.commands.speech import FAILED, refuse, say, say_errors, say_progress
from dagster_project.components.franchise import source_rules
from dagster_project.fixtures import (
    FixtureError,
    accept,
    compare,
    fixtures_folder,
    load,
    save,
    unfree,
)
from dagster_project.preview.pages import live_pages, stored_pages
from pipeline.reports.text import counted

_TEST = "pytest tests/test_franchise_fixtures.py"


def fixtures(
    name: Annotated[str, typer.Argument(help="a franchise, e.g. batman")],
    title: Annotated[
        list[str] | None, typer.Option(help="save this page of the store; may be given again")
    ] = None,
    pages: Annotated[int, typer.Option(min=1, max=100, help="pages a source, spread out")] = 3,
    live: Annotated[
        bool, typer.Option("--live", help="fetch them now; default: from the store")
    ] = False,
    expect: Annotated[
        bool,
        typer.Option("--accept", help="save no page; expect what the saved ones give now"),
    ] = False,
) -> None:
    """Save pages of a franchise with what is extracted from them, for a test to compare.

    A page that is saved already is replaced; the others stay. Exit status: 0 done, 1 after a
    failed fetch, 2 for bad input.
    """
    try:
        spec = load_franchise(name)
        if expect:
            _accept(name, spec)
            return
        if live and title:
            refuse(["--title picks pages of the store; leave it or --live out"])
        if live:
            found, wrong = live_pages(name, spec, pages, say_progress)
        else:
            found, wrong = _stored(name, spec, pages, title or []), []
        say_errors(wrong)
        if found.num_rows:
            _save(name, spec, found)
        if wrong:
            raise typer.Exit(FAILED)
    except SpecError as error:
        refuse(error.mistakes)
    except (FixtureError, OSError, pa.ArrowException) as error:
        refuse([error])


def _stored(name: str, spec: FranchiseSpec, count: int, titles: list[str]) -> pa.Table:
    found = stored_pages(data_root(), name, spec, count, titles)
    there = f"{data_root() / 'pages' / name} holds"
    if missing := sorted(set(titles) - set(found["title"].to_pylist())):
        refuse(f"{there} no page titled {title!r}" for title in missing)
    if not found.num_rows:
        refuse([f"{there} no pages; crawl first, or give --live"])
    return found


def _save(name: str, spec: FranchiseSpec, found: pa.Table) -> None:
    folder = fixtures_folder(name)
    saved = save(folder, found)
    accept(folder, source_rules(spec), saved)
    say(f"saved in {folder}: {', '.join(saved)}")
    say(f"read their .expected.txt; `{_TEST} -k {name}` compares with it from now on")
    for licence in unfree(found):
        say(
            f"warning: there are pages under {licence}; keep them out of a public repository "
            "unless you follow it (NOTICE.txt says where each is from)"
        )


def _accept(name: str, spec: FranchiseSpec) -> None:
    folder = fixtures_folder(name)
    if not load(folder):
        refuse([f"{folder} holds no pages; save some with `loremill fixtures {name}`"])
    differences = compare(folder, source_rules(spec))
    accept(folder, source_rules(spec), [difference.name for difference in differences])
    for difference in differences:
        say(f"{difference.diff}\n")
    say(f"{counted(len(differences), 'expectation')} rewritten in {folder}")
