"""Which pages of the stores somebody means: by address or title, under every name they ever had.

All rows are looked at, those of earlier revisions and of pages that are gone too, for their bodies
are there still. A page may be stored for several franchises and by several spiders.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag

import pyarrow as pa
import pyarrow.compute as pc

from crawlers.store.journal import read_journal
from crawlers.store.older_schema import as_of_today
from crawlers.store.page_store import PageStore
from crawlers.takedowns import PageName, address, number_on_wiki
from pipeline.reports.text import one_line
from pipeline.schema import PAGES

_COLUMNS = [
    *("url", "final_url", "attribution_url", "title", "page_id"),
    *("franchise", "spider", "source", "status"),
]
_NAMES = list(PageName.__dataclass_fields__)
#: Titles named where none is the one asked for.
_NEAREST = 5


class NotFoundError(ValueError):
    """No stored page is meant, or more than one may be; the message says which there are."""


@dataclass(frozen=True)
class InStore:
    """What one store has of the pages."""

    store: PageStore
    pages: tuple[PageName, ...]
    rows: int  # revisions whose body is there still
    size: int  # bytes of these bodies


def page_stores(data: Path) -> list[PageStore]:
    """All page stores of the data root."""
    return [PageStore(path) for path in sorted((data / "pages").glob("*/*")) if path.is_dir()]


def find(data: Path, what: str, franchise: str | None) -> list[InStore]:
    """The stores that have the page whose address or title is `what`.

    With `franchise` it is looked for there; once it is known, it is found everywhere. Raises
    NotFoundError, StoreError.
    """
    stores = page_stores(data)
    wanted = {address(what), address(urldefrag(what).url)}
    by_address: list[dict[str, Any]] = []
    by_title: list[dict[str, Any]] = []
    for store in stores:
        for row in _rows(store):
            if franchise is not None and row["franchise"] != franchise:
                continue
            if not wanted.isdisjoint(_addresses(row, "url", "final_url", "attribution_url")):
                by_address.append(row)
            elif row["title"] == what:
                by_title.append(row)
    groups = _same_page(by_title)
    if not by_address and len(groups) > 1:
        urls = "\n".join(f"  {one_line(group[0]['url'], 300)}" for group in groups)
        raise NotFoundError(f"{len(groups)} pages are titled {what!r}; give the URL:\n{urls}")
    rows = by_address or by_title
    if not rows:
        raise NotFoundError(_nothing(data, stores, what, franchise))
    return in_stores(data, [_name(row) for row in rows])


def in_stores(data: Path, pages: Iterable[PageName]) -> list[InStore]:
    """What the stores have of these pages, under all names that they lead to."""
    names = set(pages)
    before = 0
    while len(names) > before:
        before = len(names)
        addresses = {one for name in names for one in name.addresses}
        numbers = {name.number for name in names if name.number is not None}
        names |= {
            _name(row)
            for store in page_stores(data)
            for row in _rows(store)
            if not addresses.isdisjoint(_addresses(row, "url", "final_url"))
            or number_on_wiki(row["url"], row["title"], row["page_id"]) in numbers
        }
    found = []
    for store in page_stores(data):
        of_store = (store.root.parent.name, store.root.name)
        here = sorted(
            (name for name in names if (name.franchise, name.spider) == of_store),
            key=lambda name: (name.url, name.source, name.page_id or ""),
        )
        if here:
            found.append(InStore(store, tuple(here), *_size(store, {name.url for name in here})))
    return found


def bodies(found: InStore) -> Iterator[pa.RecordBatch]:
    """The rows that still have a body, of schema PAGES."""
    urls = pa.array(sorted({page.url for page in found.pages}))
    for batch in _batches(found.store, PAGES.names):
        rows = batch.filter(pc.is_in(batch["url"], value_set=urls))
        rows = rows.filter(pc.greater(pc.binary_length(rows["body"]), 0))
        if rows.num_rows:
            yield rows


def _rows(store: PageStore) -> Iterator[dict[str, Any]]:
    for batch in _batches(store, _COLUMNS):
        yield from batch.to_pylist()


def _batches(store: PageStore, columns: list[str]) -> Iterator[pa.RecordBatch]:
    """The columns of all rows, sealed or in a journal. Raises StoreError."""
    schema = pa.schema([PAGES.field(name) for name in columns])
    parts = store.parts()
    for part in parts:
        with store.opened(part) as file:
            for batch in file.iter_batches(256, columns=columns):
                yield as_of_today(batch, schema)
    sealed = {part.stem for part in parts}
    for journal in sorted((store.root / "journal").glob("*.arrows")):
        if journal.stem not in sealed:
            for batch in read_journal(journal, PAGES):
                yield batch.select(columns)


def _size(store: PageStore, urls: set[str]) -> tuple[int, int]:
    """Rows with a body, and the bytes of these."""
    wanted = pa.array(sorted(urls))
    rows = size = 0
    for batch in _batches(store, ["url", "body"]):
        lengths = pc.binary_length(batch.filter(pc.is_in(batch["url"], value_set=wanted))["body"])
        rows += sum(length > 0 for length in lengths.to_pylist())
        size += pc.sum(lengths).as_py() or 0
    return rows, size


def _name(row: dict[str, Any]) -> PageName:
    return PageName(**{name: row[name] for name in _NAMES})


def _addresses(row: dict[str, Any], *columns: str) -> set[str]:
    return {address(row[column]) for column in columns if row[column]}


def _same_page(rows: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Rows that share an address or a number on a wiki, together."""
    groups: list[tuple[set[object], list[dict[str, Any]]]] = []
    for row in rows:
        marks: set[object] = set(_addresses(row, "url", "final_url", "attribution_url"))
        marks.add(number_on_wiki(row["url"], row["title"], row["page_id"]) or row["url"])
        same = [group for group in groups if not group[0].isdisjoint(marks)]
        together = [row for _, members in same for row in members]
        groups = [group for group in groups if group not in same]
        groups.append((marks.union(*(names for names, _ in same)), [*together, row]))
    return [members for _, members in groups]


def _nothing(data: Path, stores: list[PageStore], what: str, franchise: str | None) -> str:
    titles = {
        row["title"]
        for store in stores
        for row in _rows(store)
        if row["title"] and franchise in (None, row["franchise"])
    }
    contained = sorted(title for title in titles if what.casefold() in title.casefold())
    near = contained[:_NEAREST] or get_close_matches(what, titles, _NEAREST, cutoff=0.5)
    where = data / "pages" / (franchise or "")
    told = "; ".join(one_line(title, 100) for title in near)
    nearest = f"; nearest titles: {told}" if near else ""
    return f"{where} has no page with the URL or title {what!r}{nearest}"
