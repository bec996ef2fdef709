"""Says how a crawl goes, a line every few seconds, and at its end what became of it.

Lines go to stderr, so that a person and an orchestrator read the same; the outcome goes into the
store's `last_crawl.json`. Nothing fails silently: an exception in a callback counts as a failure.
"""

import logging
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from scrapy import Spider, signals
from scrapy.crawler import Crawler
from scrapy.http import Response
from scrapy.utils.asyncio import create_looping_call
from twisted.python.failure import Failure
from w3lib.url import file_uri_to_path

from crawlers.component import Component
from crawlers.outcome import CrawlOutcome
from crawlers.store.unfinished import end
from crawlers.store_pipeline import MAKE_ROOM, NO_STORE

#: Failures that are printed; last_crawl.json has them all.
_SHOWN = 3
#: Not interrupted, nor ended by a bound: what such a crawl did not fetch, the next asks for.
_CAME_TO_ITS_END = ("finished", "failed")
_REPORT = "this is a fault of Loremill; run again with -L DEBUG and report what it says"


class CrawlReport(Component):
    """Extension; must be first to hear that the spider closed: feeds ask for the outcome."""

    def __init__(self, crawler: Crawler):
        super().__init__(crawler)
        self._last = ""
        self._interval = crawler.settings.getfloat("PROGRESS_INTERVAL")
        self._ticking = create_looping_call(self._progress)
        # What it warns of is a failure that is told here, and its advice is to store torn pages.
        logging.getLogger("scrapy.core.downloader.handlers.http11").setLevel(logging.ERROR)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Listens to the crawl's signals."""
        report = cls(crawler)
        crawler.signals.connect(report._opened, signals.spider_opened)
        crawler.signals.connect(report._closed, signals.spider_closed)
        crawler.signals.connect(report._error, signals.spider_error)
        crawler.signals.connect(report._item_error, signals.item_error)
        return report

    def _opened(self) -> None:
        self._ticking.start(self._interval, now=False)

    def _closed(self, spider: Spider, reason: str) -> None:
        if self._ticking.running:
            self._ticking.stop()
        ours = self.spider
        ours.outcome.policies = ours.sites.in_force()
        conclude(ours.outcome, reason, where=str(ours.file))
        if reason != NO_STORE:
            self._save(ours.outcome, ours.store.root)
        if ours.outcome.listed or ours.outcome.requests or not ours.outcome.errors:
            self._progress()  # where nothing had begun the error says it all
        if ours.outcome.requests:
            _say(treatment(ours.outcome))
        told = "\n".join(ours.outcome.errors)
        minor = [
            failure
            for failure in ours.outcome.failures
            if f"{failure['what']} ({failure['url']}); {failure['remedy']}" not in told
        ]
        for failure in minor[:_SHOWN]:
            _say(f"failed: {failure['url']}: {failure['what']}; {failure['remedy']}")
        outcome = ours.outcome
        if outcome.complete and not outcome.fetched + outcome.gone + outcome.moved:
            for feed in self.crawler.settings.getdict("FEEDS"):
                path = file_uri_to_path(feed) if feed.startswith("file:") else feed
                left = "is left as it was" if Path(path).exists() else "is not written"
                _say(f"nothing new was fetched, so {feed} {left}; all pages: {ours.store.root}")
        for error in ours.outcome.errors:
            _say(f"error: {error}")

    def _save(self, outcome: CrawlOutcome, root: Path) -> None:
        """Keep the outcome; a disk too full even for it is an error like another."""
        try:
            outcome.save(root)
            if outcome.finish_reason in _CAME_TO_ITS_END:
                end(root)
        except OSError as error:
            outcome.complete = False
            told = f"{root}: what became of the crawl cannot be kept: {error}; {MAKE_ROOM}"
            outcome.errors = outcome.errors or [told]

    def _error(self, failure: Failure, response: Response | None) -> None:
        self._fault(response.url if response is not None else "the listing", failure)

    def _item_error(self, failure: Failure, response: Response | None) -> None:
        self._fault(response.url if response is not None else "a tombstone", failure)

    def _fault(self, url: str, failure: Failure) -> None:
        spider = self.spider
        what = f"{type(failure.value).__name__}: {failure.value}"
        spider.outcome.fail(url, what, _REPORT, fatal=str(spider.file))

    def _progress(self) -> None:
        line = progress(self.spider.outcome)
        if line != self._last:
            _say(line)
        self._last = line


def progress(outcome: CrawlOutcome) -> str:
    """E.g. `wikipedia: 120 of 300 pages, 12.3 MB, 4 left unchanged`."""
    pages = f"{outcome.had():,} of {outcome.listed:,} pages"
    line = f"{outcome.spider}: {pages}, {outcome.bytes / 1e6:.1f} MB"
    if outcome.unchanged:
        line += f", {outcome.unchanged:,} left unchanged"
    if outcome.moved:
        line += f", {outcome.moved:,} moved"
    if outcome.stale:
        line += f", {outcome.stale:,} older than listed"
    if outcome.gone:
        line += f", {outcome.gone:,} gone"
    if outcome.taken_down:
        line += f", {outcome.taken_down:,} taken down"
    if outcome.failed:
        line += f", {outcome.failed:,} failed"
    return line


def treatment(outcome: CrawlOutcome) -> str:
    """How the sites were treated.

    E.g. `wikipedia: 312 requests, 0.50 s apart at least, 118 in the busiest minute, 2 rests when
    a server was busy`.
    """
    line = f"{outcome.spider}: {_counted(outcome.requests, 'request')}"
    if outcome.shortest_gap is not None:
        line += f", {outcome.shortest_gap:.2f} s apart at least"
    line += f", {outcome.requests_per_minute:,} in the busiest minute"
    if outcome.rests:
        line += f", {_counted(outcome.rests, 'rest')} when a server was busy"
    for signal, pages in sorted(outcome.signals.items()):
        line += f"; {signal} on {_counted(pages, 'page')}"
    return line


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def conclude(outcome: CrawlOutcome, reason: str, where: str) -> None:
    """Judge a crawl that ended for `reason`: complete, or with an error that says why not."""
    outcome.finished_at = datetime.now(UTC).isoformat(timespec="seconds")
    if reason == "shutdown":
        outcome.errors.append(
            f"{where}: interrupted after {outcome.fetched} new pages, which are kept; "
            "run the same command to go on"
        )
    elif not outcome.errors and reason != "finished":
        outcome.errors.append(f"{where}: ended early ({reason}); run the same command to go on")
    elif not (outcome.errors or outcome.listed or outcome.taken_down):
        outcome.errors.append(f"{where}: nothing was found; see whether the sources are right")
    elif not outcome.errors and outcome.falls_short():
        first = outcome.failures[0]
        outcome.errors.append(
            f"{where}: only {outcome.had()} of {outcome.listed} pages could be had; the first "
            f"failure, {first['url']}, {first['what']}; {first['remedy']}"
        )
    outcome.complete = not outcome.errors
    outcome.finish_reason = "failed" if reason == "finished" and outcome.errors else reason


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
