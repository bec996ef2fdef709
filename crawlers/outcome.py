"""What became of a crawl: figures, failures and whether it is complete, kept beside the pages.

`last_crawl.json` in the store's folder is the message from the crawl's process to whoever started
it; failures are listed there and never only logged. `crawls/` keeps the same of every crawl.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pipeline.atomic import write_atomically

LAST_CRAWL = "last_crawl.json"
#: The folder of the outcomes of all crawls, CRAWL_ID.json.
CRAWLS = "crawls"
#: The share of listed pages that may fail in a complete crawl; one page may among a few, too.
_MAY_FAIL = 0.1
#: Characters of a failure's text, which may be a server's own.
_LONGEST = 500
#: Failures that are kept one by one.
_KEPT = 1_000


@dataclass
class CrawlOutcome:
    """The record of one crawl; filled while it runs.

    `failed` counts the pages and sources that could not be had; `failures` holds the first of them
    as {url, what, remedy}, so that a crawl that fails for long does not fill the memory;
    `errors` those lines that make the crawl incomplete. Times are ISO 8601, UTC.
    """

    crawl_id: str
    spider: str
    franchise: str
    started_at: str
    finished_at: str | None = None
    finish_reason: str | None = None
    complete: bool = False
    listed: int = 0  # pages that the sources name
    fetched: int = 0  # pages stored anew
    unchanged: int = 0
    moved: int = 0  # pages stored under a new url, with a tombstone for the old
    gone: int = 0  # tombstones of pages that are listed no more
    taken_down: int = 0  # listed pages that were taken out for good; no part of `listed`
    stale: int = 0  # pages that came older than listed, out of a cache; the next crawl asks again
    requests: int = 0  # all: pages, listings, robots.txt, retries
    bytes: int = 0  # of bodies as they came over the wire
    retries_after_429: int = 0
    rests: int = 0  # times a server was left alone because it was busy or broken, or asked for it
    requests_per_minute: int = 0  # of the busiest minute of the busiest host
    shortest_gap: float | None = None  # seconds between two requests to one host
    signals: dict[str, int] = field(default_factory=dict)  # e.g. "noai" -> stored pages that say it
    robots: dict[str, str] = field(default_factory=dict)  # origin -> what robots.txt said
    #: origin -> the SitePolicy in force, its delay as robots.txt may have lengthened it
    policies: dict[str, dict[str, Any]] = field(default_factory=dict)
    failed: int = 0
    failures: list[dict[str, str]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def fail(self, url: str, what: str, remedy: str, *, fatal: str | None = None) -> None:
        """Note a failure; `fatal` says where (file, source) it leaves the crawl incomplete."""
        url, what = one_line(url), one_line(what)
        self.failed += 1
        if len(self.failures) < _KEPT:
            self.failures.append({"url": url, "what": what, "remedy": remedy})
        if fatal is not None:
            self.errors.append(f"{fatal}: {what} ({url}); {remedy}")

    def was_sent(self, gap: float | None, in_the_minute: int) -> None:
        """Count a request: seconds after the one before it to the same host, and its minute's."""
        self.requests += 1
        self.requests_per_minute = max(self.requests_per_minute, in_the_minute)
        if gap is not None and (self.shortest_gap is None or gap < self.shortest_gap):
            self.shortest_gap = gap

    def said(self, signals: list[str]) -> None:
        """Count a stored page by what was said of its use by machines."""
        for signal in signals:
            self.signals[signal] = self.signals.get(signal, 0) + 1

    def had(self) -> int:
        """How many of the listed pages are as the site has them now."""
        return self.fetched + self.unchanged

    def falls_short(self) -> bool:
        """Whether more of the listed pages failed than a site's odd dead page explains."""
        if self.taken_down and not self.listed:
            return False  # the sources have nothing else
        failed = self.listed - self.had()
        return failed == self.listed or failed > max(1, _MAY_FAIL * self.listed)

    def save(self, root: Path) -> None:
        """Replace the store's `last_crawl.json`, and keep a copy for good."""
        (root / CRAWLS).mkdir(parents=True, exist_ok=True)
        text = json.dumps(asdict(self), indent=2, ensure_ascii=False)
        write_atomically(root / CRAWLS / f"{self.crawl_id}.json", text.encode())
        write_atomically(root / LAST_CRAWL, text.encode())

    @classmethod
    def load(cls, root: Path) -> "CrawlOutcome":
        """The last crawl of the store at `root`.

        Raises FileNotFoundError where none has ended yet.
        """
        return cls(**json.loads((root / LAST_CRAWL).read_text("utf-8")))


def one_line(text: str) -> str:
    """Text that may be a server's own, fit for a terminal: bounded, control characters escaped."""
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text[:_LONGEST])
    return shown if len(text) <= _LONGEST else f"{shown}…"


def requests_path(root: Path, crawl_id: str) -> Path:
    """Where the politeness record of a crawl stands under its store's root."""
    return root / "requests" / f"{crawl_id}.parquet"
