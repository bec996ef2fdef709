"""`loremill crawls FRANCHISE`: what was crawled when, and the page that shows how it went."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from crawlers.franchise import data_root
from crawlers.outcome import CrawlOutcome
from dagster_project.commands.speech import refuse
from dagster_project.crawl_page import crawl_ids, load_outcome, write_page
from pipeline.reports.text import counted, one_line, plain

#: Crawls listed, the latest ones.
_LISTED = 20
#: Characters of the reason why a crawl is not complete.
_REASON = 160


def crawls(
    franchise: Annotated[str, typer.Argument(help="a franchise that was crawled, e.g. batman")],
) -> None:
    """List a franchise's crawls, and write the page of each spider's last one.

    The page shows how the sites were treated. Exit status: 0, or 2 where nothing was crawled.
    """
    root = data_root() / "pages"
    found = [
        (crawl_id, store)
        for store in sorted((root / franchise).glob("*"))
        for crawl_id in crawl_ids(store)
    ]
    if not found:
        there = ", ".join(sorted(path.name for path in root.glob("*"))) or "none"
        refuse([f"{root / franchise} has no crawl; franchises that were crawled: {there}"])
    found.sort()
    for crawl_id, store in found[-_LISTED:]:
        typer.echo(plain(_line(crawl_id, store)))
    if len(found) > _LISTED:
        typer.echo(f"and {counted(len(found) - _LISTED, 'earlier crawl')}")
    for store in dict.fromkeys(store for _, store in found):
        ended = (load_outcome(at, crawl_id) for crawl_id, at in reversed(found) if at == store)
        last = next((outcome for outcome in ended if outcome is not None), None)
        page = write_page(data_root(), last) if last is not None else None
        if page is not None:
            typer.echo(f"how {store.name} treated its sites: {page.path}")


def _line(crawl_id: str, store: Path) -> str:
    outcome = load_outcome(store, crawl_id)
    if outcome is None:
        return f"{crawl_id}  {store.name}  did not end in order: killed, or still under way"
    return (
        f"{datetime.fromisoformat(outcome.started_at):%Y-%m-%d %H:%M}  {store.name}  "
        f"{counted(outcome.had(), 'page')}  {counted(outcome.requests, 'request')}  {_end(outcome)}"
    )


def _end(outcome: CrawlOutcome) -> str:
    if outcome.complete:
        return "complete"
    reason = outcome.errors[0] if outcome.errors else outcome.finish_reason or "not known"
    return f"not complete: {one_line(reason, _REASON)}"
