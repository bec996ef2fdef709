"""What a re-crawl knows of the pages before it asks the site, and which were listed meanwhile."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from crawlers.store.latest import Latest


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored of a page, as far as a re-crawl asks."""

    revision: str | None
    etag: str | None
    last_modified: str | None
    body_sha256: str
    final_url: str | None
    title: str | None
    page_id: str | None
    source: str
    licence: str
    crawl_id: str


#: In the order in which `Known` takes them.
COLUMNS = [field.name for field in fields(Known)]


class KnownPages(Mapping[str, Known]):
    """The current pages by url, and a note of each url that the sources list."""

    def __init__(self, rows: Iterable[tuple[str, int, Sequence[Any]]]):
        """`rows` of the store, oldest first: url, status, the values of COLUMNS."""
        self._latest = Latest(COLUMNS, rows)
        self._db = self._latest.db
        self._db.execute("CREATE INDEX by_page_id ON latest (page_id)")
        self._db.execute("CREATE TABLE listed (url PRIMARY KEY) WITHOUT ROWID")
        self._db.execute("CREATE TABLE arrived (final_url PRIMARY KEY, url) WITHOUT ROWID")
        self._db.execute("CREATE TABLE labels (url PRIMARY KEY, source, licence) WITHOUT ROWID")

    def __getitem__(self, url: str) -> Known:
        row = self._latest.get(url)
        if row is None:
            raise KeyError(url)
        return Known(*row)

    def __iter__(self) -> Iterator[str]:
        for url, *_ in self._latest.in_order_of("url"):
            yield url

    def __len__(self) -> int:
        return len(self._latest)

    def addresses(self, page_id: str) -> list[str]:
        """The urls under which a page of this id is stored, on whatever site."""
        select = "SELECT url FROM latest WHERE page_id = ? ORDER BY url"
        return [url for (url,) in self._db.execute(select, (page_id,))]

    def note(self, url: str) -> None:
        """Note that a source lists the url."""
        self._db.execute("INSERT OR IGNORE INTO listed VALUES (?)", (url,))

    def is_listed(self, url: str) -> bool:
        """Whether a source lists the url."""
        select = "SELECT 1 FROM listed WHERE url = ?"
        return self._db.execute(select, (url,)).fetchone() is not None

    def arrive(self, final_url: str, url: str) -> str:
        """Note where a listed url led; the first of this crawl's that led there."""
        self._db.execute("INSERT OR IGNORE INTO arrived VALUES (?, ?)", (final_url, url))
        select = "SELECT url FROM arrived WHERE final_url = ?"
        (first,) = self._db.execute(select, (final_url,)).fetchone()
        return str(first)

    def label(self, url: str, source: str, licence: str) -> None:
        """Note that a page, unchanged, is of another source or licence now."""
        self._db.execute("REPLACE INTO labels VALUES (?, ?, ?)", (url, source, licence))

    def labelled(self, url: str) -> tuple[str, str] | None:
        """The new source and licence of a page, where one was noted."""
        select = "SELECT source, licence FROM labels WHERE url = ?"
        found: tuple[str, str] | None = self._db.execute(select, (url,)).fetchone()
        return found

    def has_labels(self) -> bool:
        """Whether any page was given another source or licence."""
        return self._db.execute("SELECT 1 FROM labels").fetchone() is not None

    def of_source(self, source: str) -> int:
        """How many pages are stored as the source's."""
        select = "SELECT count(*) FROM latest WHERE source = ?"
        (count,) = self._db.execute(select, (source,)).fetchone()
        return int(count)

    def unlisted(self) -> Iterator[tuple[str, Known]]:
        """The pages that no source lists any more."""
        urls = "SELECT url FROM latest WHERE url NOT IN (SELECT url FROM listed) ORDER BY url"
        for (url,) in self._db.execute(urls):
            yield url, self[url]
