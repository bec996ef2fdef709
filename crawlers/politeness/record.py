"""The politeness record: a row a request of a crawl, sent or refused, with why and what came.

Rows are of schema REQUESTS and are written while the crawl runs, to a journal that is sealed into
Parquet at its end; the record of a killed crawl is sealed at the next start. Kept for good: a row
is some fifty bytes there. A row is written as soon as all is in it; only of a host that asks for no
delay, where that would cost a share of the speed, do rows wait for each other. So a kill loses the
requests that were under way, and of such a host those of the last second.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any
from weakref import WeakKeyDictionary

import pyarrow as pa
import pyarrow.parquet as pq
from scrapy.http import Request
from scrapy.http.request import NO_CALLBACK

from crawlers.outcome import requests_path
from crawlers.store.journal import Journal, read_journal, write_parquet
from pipeline.atomic import sync
from pipeline.schema import REQUESTS

#: Marks a request for robots.txt in its meta, and the redirected and repeated ones after it.
ROBOTS = "robots.txt"
#: Seconds until a row is written, and until many are together.
_AT_ONCE = 0.1
_TOGETHER = 1.0
#: Seconds for which those who judge an answer may add to its row; they wait for nothing else.
_SETTLED = 0.05
#: Characters of a text that is kept of what a site or an error says.
_LONGEST = 2_000


@dataclass
class Row:
    """A request on one way through the middlewares; columns as in REQUESTS, times in seconds."""

    host: str
    url: str
    kind: str
    attempt: int
    time: datetime = field(default_factory=lambda: datetime.now(UTC))
    sent: bool = False
    rule: str = ""
    wait: float = 0.0
    gap: float | None = None
    status: int | None = None
    bytes: int | None = None
    seconds: float | None = None
    asked: float | None = None
    done: str | None = None
    started: float = field(default_factory=monotonic)  # not a column, like `ended`
    ended: float = 0.0

    def send(self, wait: float, gap: float | None) -> None:
        """It is being sent, after having been held back for `wait`."""
        self.sent, self.wait, self.gap = True, wait, gap
        self.time, self.started = datetime.now(UTC), monotonic()


class RequestRecord:
    """The record of one crawl; its store must be locked for this crawl while it is open."""

    def __init__(
        self,
        root: Path,
        crawl_id: str,
        franchise: str,
        spider: str,
        host_of: Callable[[str], str],  # a url's host, as the rows name it
    ):
        self.path = requests_path(root, crawl_id)
        self._crawl = {"crawl_id": crawl_id, "franchise": franchise, "spider": spider}
        self._host_of = host_of
        self._rows: WeakKeyDictionary[Request, Row] = WeakKeyDictionary()
        self._ended: list[Row] = []  # not written yet
        self._journal: Journal | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._on_failure: Callable[[OSError], None] | None = None

    def open(self, on_failure: Callable[[OSError], None]) -> None:
        """Seal what killed crawls left, and begin; `on_failure` hears of a disk that is full.

        A crawl that goes by the name of an earlier one goes on with its record. Raises OSError,
        ValueError where a journal was written by another version.
        """
        folder = self.path.parent
        folder.mkdir(parents=True, exist_ok=True)
        for aside in folder.glob("*.aside"):
            aside.unlink()
        for left in sorted(folder.glob("*.arrows")):
            _seal(left)
        journal = Journal(self.path.with_suffix(".aside"), REQUESTS)
        if self.path.exists():
            with pq.ParquetFile(self.path) as earlier:
                for batch in earlier.iter_batches():
                    journal.append(batch.cast(REQUESTS))
        journal.path = journal.path.rename(self.path.with_suffix(".arrows"))
        self._journal, self._on_failure = journal, on_failure

    def of(self, request: Request) -> Row:
        """The request's row, to be filled on its way."""
        if request not in self._rows:
            self._rows[request] = Row(
                host=self._host_of(request.url),
                url=request.url,
                kind=_kind(request),
                attempt=request.meta.get("retry_times", 0) + 1,
            )
        return self._rows[request]

    def end(self, request: Request, *, at_once: bool = False) -> None:
        """Its answer is here, or none will come; the row will be written, or is at once."""
        row = self.of(request)
        row.ended = monotonic()
        if row.sent:
            row.seconds = row.ended - row.started
        else:
            row.time = datetime.now(UTC)
        self._ended.append(row)
        self._write_in(_AT_ONCE if at_once else _TOGETHER)

    def close(self) -> None:
        """Write and seal. Raises OSError; the journal then stays for the next crawl."""
        if self._timer is not None:
            self._timer.cancel()
        journal, self._journal = self._journal, None
        if journal is not None:
            if self._ended:
                journal.append(self._batch(self._ended))
            journal.close()
            _seal(journal.path)

    def _write_in(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        if self._timer is not None and self._timer.when() <= loop.time() + seconds:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_later(seconds, self._write_settled)

    def _write_settled(self) -> None:
        settled = monotonic() - _SETTLED
        ready = [row for row in self._ended if row.ended <= settled]
        self._ended = self._ended[len(ready) :]
        self._timer = None
        if self._ended:
            self._write_in(_AT_ONCE)
        if self._journal is not None and ready:
            try:
                self._journal.append(self._batch(ready))
            except OSError as error:
                self._journal = None  # its end may be torn: nothing may follow it
                assert self._on_failure is not None
                self._on_failure(error)

    def _batch(self, rows: list[Row]) -> pa.RecordBatch:
        columns = []
        values: list[Any]
        for column in REQUESTS:
            if (always := self._crawl.get(column.name)) is not None:
                values = [always] * len(rows)
            else:
                values = [getattr(row, column.name) for row in rows]
                if pa.types.is_string(column.type):
                    values = [_bounded(value) for value in values]
            columns.append(pa.array(values, column.type))
        return pa.RecordBatch.from_arrays(columns, schema=REQUESTS)


def _kind(request: Request) -> str:
    """What is awaited where it is asked for, and not handed to a callback, is a listing."""
    if request.meta.get(ROBOTS):
        return "robots"
    return "listing" if request.callback in (None, NO_CALLBACK) else "page"


def _bounded(text: str | None) -> str | None:
    if text is None:
        return None
    text = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    return text.encode("utf-8", "replace").decode()


def _seal(journal: Path) -> None:
    """A kill between any two steps leaves the journal, or nothing to do."""
    aside = journal.with_suffix(".aside")
    write_parquet(read_journal(journal, REQUESTS), aside, REQUESTS)
    aside.replace(journal.with_suffix(".parquet"))
    sync(journal.parent)
    journal.unlink()
