"""`loremill crawls FRANCHISE`: what was crawled when, and the pages that show how it went."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from crawlers.franchise import data_root
from crawlers.outcome import CrawlOutcome
from crawlers.store.kept import is_busy
from dagster_project.commands.speech import refuse, say_errors
from dagster_project.crawl_page import (
    ON_DISK,
    crawl_ids,
    is_current,
    is_open,
    load_outcome,
    page_path,
    without_outcome,
    write_page,
)
from pipeline.reports.text import counted, one_line, plain

#: Crawls listed, the latest ones.
_LISTED = 20
#: Characters of the reason why a crawl is not complete.
_REASON = 160


def crawls(
    franchise: Annotated[str, typer.Argument(help="a franchise that was crawled, e.g. batman")],
) -> None:
    """List a franchise's crawls, and write the page of each that has none yet.

    The page shows how the sites were treated. It is told of each page written, and of each
    spider's last one. Exit status: 0, or 2 where nothing was crawled.
    """
    root = data_root() / "pages"
    stores = sorted(path for path in (root / franchise).glob("*") if path.is_dir())
    found = sorted((crawl_id, store) for store in stores for crawl_id in crawl_ids(store))
    # Asking takes the lock for a moment: only where a crawl may run at all.
    closed = {store for _, store in found}
    closed -= {store for crawl_id, store in found if is_open(store, crawl_id)}
    busy = {store for store in stores if store not in closed and is_busy(store)}
    if not found and not busy:
        there = ", ".join(sorted(path.name for path in root.glob("*") if path.name != franchise))
        refuse([f"{root / franchise} has no crawl; others that have: {there or 'none'}"])
    pages = []
    for number, (crawl_id, store) in enumerate(found):
        runs = store in busy and is_open(store, crawl_id)
        outcome = load_outcome(store, crawl_id)
        outcome = outcome or without_outcome(data_root(), franchise, store.name, crawl_id)
        if number >= len(found) - _LISTED:
            typer.echo(plain(_line(outcome, runs)))
        if store.name not in ON_DISK and not runs:
            pages += _page(store, outcome, last=all(at != store for _, at in found[number + 1 :]))
    for store in sorted(busy - {store for _, store in found}):
        typer.echo(f"{store.name}: a crawl begins")
    if len(found) > _LISTED:
        typer.echo(f"and {counted(len(found) - _LISTED, 'earlier crawl')}")
    for spider, page in pages:
        typer.echo(f"how {spider} treated its sites: {page}")


def _page(store: Path, outcome: CrawlOutcome, *, last: bool) -> list[tuple[str, Path]]:
    """The page to tell of: one that was written now, or the last."""
    path = page_path(data_root(), outcome.franchise, store.name, outcome.crawl_id)
    if is_current(path, store, outcome.crawl_id):
        return [(store.name, path)] if last else []
    try:
        return [(store.name, path)] if write_page(data_root(), outcome) else []
    except (OSError, ValueError) as error:  # one that another version wrote hides no other
        say_errors([error])
        return []


def _line(outcome: CrawlOutcome, runs: bool) -> str:
    if runs:
        return f"{outcome.crawl_id}  {outcome.spider}  under way"
    if outcome.finish_reason is None:
        kept = counted(outcome.fetched, "page")
        return f"{outcome.crawl_id}  {outcome.spider}  {kept}  did not end in order"
    asked = "" if outcome.spider in ON_DISK else f"{counted(outcome.requests, 'request')}  "
    return (
        f"{datetime.fromisoformat(outcome.started_at):%Y-%m-%d %H:%M}  {outcome.spider}  "
        f"{counted(outcome.had(), 'page')}  {asked}{_end(outcome)}"
    )


def _end(outcome: CrawlOutcome) -> str:
    if outcome.complete:
        return "complete"
    reason = outcome.errors[0] if outcome.errors else outcome.finish_reason or "not known"
    return f"not complete: {one_line(reason, _REASON)}"
