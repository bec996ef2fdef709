"""The page that shows how a crawl treated its sites: where it lies, and how it is made.

One page a crawl, under `reports/crawls/FRANCHISE/SPIDER/`, from the record and the outcome that the
crawl left in its store; that of a crawl which was killed from its record alone. Dagster writes it
after each crawl, `loremill crawls` for those that were started without Dagster.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

from crawlers.outcome import CRAWLS, CrawlOutcome, requests_path
from crawlers.sources import FileSource
from crawlers.store.journal import read_journal, write_parquet
from crawlers.store.kept import pages_kept
from crawlers.store.page_store import pages_root
from pipeline.reports.crawl import CrawlFigures, write_crawl_report
from pipeline.schema import REQUESTS

#: The folder of these pages beside the models' reports: no story model may be called so.
FOLDER = "crawls"
#: Spiders that read files and ask no site for anything: there is no treatment to show.
ON_DISK = frozenset(
    name
    for kind in FileSource.__subclasses__()
    for name in get_args(kind.model_fields["spider"].annotation)
)


@dataclass(frozen=True)
class CrawlPage:
    """A page that was written."""

    path: Path
    said: CrawlFigures


def write_page(data: Path, outcome: CrawlOutcome) -> CrawlPage | None:
    """Write the page of a crawl; None where it left no record, having ended before it began."""
    root = pages_root(data, outcome.franchise, outcome.spider)
    path = page_path(data, outcome.franchise, outcome.spider, outcome.crawl_id)
    with _sealed_record(root, outcome.crawl_id) as record:
        if record is None:
            return None
        return CrawlPage(path, write_crawl_report(record, asdict(outcome), path))


def page_path(data: Path, franchise: str, spider: str, crawl_id: str) -> Path:
    """Where the page of a crawl lies, or will."""
    return data.absolute() / "reports" / FOLDER / franchise / spider / f"{crawl_id}.html"


def is_current(page: Path, root: Path, crawl_id: str) -> bool:
    """Whether a page was written after all that the crawl left in the store at `root`."""
    left = (root / CRAWLS / f"{crawl_id}.json", *_records(root, crawl_id))
    written = page.stat().st_mtime_ns if page.is_file() else 0
    return all(path.stat().st_mtime_ns <= written for path in left if path.is_file())


def load_outcome(root: Path, crawl_id: str) -> CrawlOutcome | None:
    """What became of a crawl of the store at `root`; None where it did not end in order."""
    try:
        text = (root / CRAWLS / f"{crawl_id}.json").read_text("utf-8")
    except FileNotFoundError:
        return None
    known = {field.name for field in fields(CrawlOutcome)}  # an earlier release had others
    return CrawlOutcome(**{name: said for name, said in json.loads(text).items() if name in known})


def without_outcome(data: Path, franchise: str, spider: str, crawl_id: str) -> CrawlOutcome:
    """What is known of a crawl that did not end in order: how many pages it has left."""
    root = pages_root(data, franchise, spider)
    kept = pages_kept(root, crawl_id)
    return CrawlOutcome(crawl_id, spider, franchise, started_at="", fetched=kept)


def name_crawl(run_id: str) -> str:
    """The id of a crawl that a run of Dagster starts now; the run can be told from it."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{_mark(run_id)}"


def crawl_of_run(root: Path, run_id: str) -> str | None:
    """The crawl that a run of Dagster started in the store at `root`; None where none began."""
    of_run = (name for name in reversed(crawl_ids(root)) if name.endswith(f"-{_mark(run_id)}"))
    return next(of_run, None)


def _mark(run_id: str) -> str:
    return run_id[:8]


def crawl_ids(root: Path) -> list[str]:
    """The crawls of the store at `root`, those that did not end in order among them."""
    ended = (root / CRAWLS).glob("*.json")
    return sorted({path.stem for path in (*ended, *_records(root, "*"))})


def is_open(root: Path, crawl_id: str) -> bool:
    """Whether a crawl's record is not sealed: it runs, or was killed and none came after it."""
    return requests_path(root, crawl_id).with_suffix(".arrows").is_file()


def _records(root: Path, crawl_id: str) -> list[Path]:
    """The record of a crawl, or of all for "*": sealed, or the journal that it is sealed from."""
    folder = requests_path(root, crawl_id).parent
    return [path for kind in ("parquet", "arrows") for path in folder.glob(f"{crawl_id}.{kind}")]


@contextmanager
def _sealed_record(root: Path, crawl_id: str) -> Iterator[Path | None]:
    """The record as Parquet; of a crawl that was killed, what its journal holds so far."""
    record = requests_path(root, crawl_id)
    journal = record.with_suffix(".arrows")
    if record.is_file() or not journal.is_file():
        yield record if record.is_file() else None
        return
    with TemporaryDirectory() as folder:
        sealed = Path(folder) / record.name
        write_parquet(read_journal(journal, REQUESTS), sealed, REQUESTS)
        yield sealed
