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
import pyarrow.parquet as pq

from crawlers.page import GONE
from crawlers.store.journal import read_journal
from crawlers.store.older_schema import as_of_today
from crawlers.store.page_store import PageStore
from crawlers.takedowns import PageName, address, number_on_wiki
from dagster_project.takedown.same_page import same_pages
from pipeline.artifact import Artifact
from pipeline.reports.text import one_line
from pipeline.schema import PAGES

_COLUMNS = [
    *("url", "final_url", "attribution_url", "title", "page_id"),
    *("franchise", "spider", "source", "status", "fetched_at"),
]
_OF_PAGE = ["url", "title", "page_id"]
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

    def has(self, rows: pa.RecordBatch) -> list[bool]:
        """Which rows are of these pages: another page may have had the same address."""
        return _are_of(self.pages, rows)


@dataclass(frozen=True)
class Meant:
    """The pages that are meant, by store, and other pages that share an address with them."""

    stores: list[InStore]
    others: tuple[PageName, ...]


def page_stores(data: Path) -> list[PageStore]:
    """All page stores of the data root."""
    return [PageStore(path) for path in sorted((data / "pages").glob("*/*")) if path.is_dir()]


def find(data: Path, what: str, franchise: str | None) -> Meant:
    """The page whose address or title is `what`.

    With `franchise` it is looked for there; once it is known, it is found everywhere. Of two pages
    of a wiki that have stood at an address, it is the one that stands there now. Raises
    NotFoundError, StoreError.
    """
    stores = page_stores(data)
    wanted = {address(what), address(urldefrag(what).url)}
    by_address: list[dict[str, Any]] = []
    arrived: list[dict[str, Any]] = []
    by_title: list[dict[str, Any]] = []
    for store in stores:
        for row in _rows(store):
            if franchise is not None and row["franchise"] != franchise:
                continue
            listed = ("url",) if row["final_url"] else ("url", "attribution_url")
            if not wanted.isdisjoint(_addresses(row, *listed)):
                by_address.append(row)
            elif not wanted.isdisjoint(_addresses(row, "final_url", "attribution_url")):
                arrived.append(row)
            elif row["title"] == what:
                by_title.append(row)
    if not by_address:
        for rows, are in ((arrived, "arrived at"), (by_title, "are titled")):
            groups = _same_page(rows)
            if len(groups) > 1:
                urls = "\n".join(f"  {one_line(group[0]['url'], 300)}" for group in groups)
                raise NotFoundError(f"{len(groups)} pages {are} {what!r}; give the URL:\n{urls}")
            if rows:
                break
    rows = by_address or arrived or by_title
    if not rows:
        raise NotFoundError(_nothing(data, stores, what, franchise))
    return in_stores(data, [_name(row) for row in _standing(rows)])


def in_stores(data: Path, pages: Iterable[PageName]) -> Meant:
    """What the stores have of these pages, under all names that they lead to."""
    stores = page_stores(data)
    names, others = same_pages(
        pages, lambda: (_name(row) for store in stores for row in _rows(store))
    )
    found = []
    for store in stores:
        of_store = (store.root.parent.name, store.root.name)
        here = tuple(
            sorted(
                (name for name in names if (name.franchise, name.spider) == of_store),
                key=lambda name: (name.url, name.source, name.page_id or "", name.final_url or ""),
            )
        )
        if here:
            found.append(InStore(store, here, *_size(store, here)))
    return Meant(found, tuple(sorted(others, key=lambda name: (name.url, name.final_url or ""))))


def bodies(found: InStore) -> Iterator[pa.RecordBatch]:
    """The rows that still have a body, of schema PAGES."""
    for batch in _batches(found.store, PAGES.names):
        rows = batch.filter(pa.array(found.has(batch), pa.bool_()))
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


def _are_of(pages: Iterable[PageName], rows: pa.RecordBatch) -> list[bool]:
    wanted = {(page.url, page.number) for page in pages}
    columns = (rows[name].to_pylist() for name in _OF_PAGE)
    return [(row[0], number_on_wiki(*row)) in wanted for row in zip(*columns, strict=True)]


def _size(store: PageStore, pages: Iterable[PageName]) -> tuple[int, int]:
    """Rows with a body, and the bytes of these."""
    rows = size = 0
    for batch in _batches(store, [*_OF_PAGE, "body"]):
        ours = pa.array(_are_of(pages, batch), pa.bool_())
        lengths = pc.binary_length(batch["body"].filter(ours))
        rows += sum(length > 0 for length in lengths.to_pylist())
        size += pc.sum(lengths).as_py() or 0
    return rows, size


def _name(row: dict[str, Any]) -> PageName:
    return PageName(**{name: row[name] for name in _NAMES})


def _addresses(row: dict[str, Any], *columns: str) -> set[str]:
    return {address(row[column]) for column in columns if row[column]}


def _number(row: dict[str, Any]) -> tuple[str, str] | None:
    return number_on_wiki(row["url"], row["title"], row["page_id"])


def _same_page(rows: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Rows of one number on a wiki, or whose addresses lead from one to the other, together."""
    urls = {address(row["url"]) for row in rows}
    groups: list[tuple[set[object], list[dict[str, Any]]]] = []
    for row in rows:
        marks: set[object] = {address(row["url"])}
        marks |= urls & _addresses(row, "final_url", "attribution_url")
        if (number := _number(row)) is not None:
            marks.add(number)
        same = [group for group in groups if not group[0].isdisjoint(marks)]
        together = [row for _, members in same for row in members]
        groups = [group for group in groups if group not in same]
        groups.append((marks.union(*(names for names, _ in same)), [*together, row]))
    return [members for _, members in groups]


def _standing(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows without those of pages that have moved away from where another stands now."""
    away = {_number(row) for row in rows if row["status"] == GONE and row["final_url"]} - {None}
    there = [row for row in rows if row["status"] != GONE and _number(row) is not None]
    if not there:
        return rows
    # The last of them where the times are equal: a store has its rows in the order of writing.
    now = _number(max(reversed(there), key=lambda row: row["fetched_at"]))
    return [row for row in rows if _number(row) == now or _number(row) not in away]


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
    on = [one_line(url, 300) for url in _pages_with(data, what, franchise)[:_NEAREST]]
    stands = f"; a document of that title stands on {', '.join(on)}: give the URL" if on else ""
    return f"{where} has no page with the URL or title {what!r}{stands or nearest}"


def _pages_with(data: Path, title: str, franchise: str | None) -> list[str]:
    """The addresses of the pages that have a document of this title."""
    found: set[str] = set()
    for root in (data / "documents").glob(franchise or "*"):
        if (made := Artifact.load(root)) is not None:
            rows = pq.read_table(made.folder / "documents.parquet", columns=["title", "url"])
            urls = rows.filter(pc.equal(rows["title"], title))["url"].to_pylist()
            found |= {urldefrag(url).url for url in urls}
    return sorted(found)
