"""The page that shows how a crawl treated its sites: where it lies, and how it is made.

One page a crawl, under `reports/crawls/FRANCHISE/SPIDER/`, from the record and the outcome that the
crawl left in its store. Dagster writes it after each crawl, `loremill crawls` for those that were
started without Dagster.
"""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from crawlers.outcome import CRAWLS, CrawlOutcome, requests_path
from crawlers.store.page_store import pages_root
from pipeline.reports.crawl import CrawlFigures, write_crawl_report

#: The folder of these pages beside the models' reports: no story model may be called so.
FOLDER = "crawls"


@dataclass(frozen=True)
class CrawlPage:
    """A page that was written."""

    path: Path
    said: CrawlFigures


def write_page(data: Path, outcome: CrawlOutcome) -> CrawlPage | None:
    """Write the page of a crawl; None where it left no record, having ended before it began."""
    root = pages_root(data, outcome.franchise, outcome.spider)
    record = requests_path(root, outcome.crawl_id)
    if not record.is_file():
        return None
    folder = data.absolute() / "reports" / FOLDER / outcome.franchise / outcome.spider
    path = folder / f"{outcome.crawl_id}.html"
    return CrawlPage(path, write_crawl_report(record, asdict(outcome), path))


def load_outcome(root: Path, crawl_id: str) -> CrawlOutcome | None:
    """What became of a crawl of the store at `root`; None where it did not end in order."""
    try:
        text = (root / CRAWLS / f"{crawl_id}.json").read_text("utf-8")
    except FileNotFoundError:
        return None
    known = {field.name for field in fields(CrawlOutcome)}  # an earlier release had others
    return CrawlOutcome(**{name: said for name, said in json.loads(text).items() if name in known})


def crawl_ids(root: Path) -> list[str]:
    """The crawls of the store at `root`, those that did not end in order among them."""
    ended = (root / CRAWLS).glob("*.json")
    recorded = requests_path(root, "x").parent.glob("*.parquet")
    return sorted({path.stem for path in (*ended, *recorded)})
