"""The latest row of each url of a store, in a temporary SQLite file, so that memory stays flat.

A dict of a million pages takes some hundred megabytes; here they lie on disk, of which SQLite keeps
a few megabytes in memory and removes the rest by itself, even after a kill.
https://www.sqlite.org/inmemorydb.html#temp_db
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from crawlers.page import GONE

#: What SQLite holds in memory of an index, in kibibytes.
_CACHE = 8 * 2**10


class Latest:
    """The rows of a store by url: `columns` of the latest of each, without what is gone."""

    def __init__(self, columns: Sequence[str], rows: Iterable[tuple[str, int, Sequence[Any]]]):
        """`rows` oldest first: url, status, the columns' values."""
        # A generator that reads from it may go from one thread to another, never be in two.
        self.db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        for setting in (f"cache_size=-{_CACHE}", "journal_mode=OFF", "synchronous=OFF"):
            self.db.execute(f"PRAGMA {setting}")
        self.db.execute(
            f"CREATE TABLE latest (url PRIMARY KEY, {', '.join(columns)}) WITHOUT ROWID"
        )
        self._columns = ", ".join(columns)
        put = f"REPLACE INTO latest VALUES (?{', ?' * len(columns)})"  # noqa: S608 - our own names
        for url, status, values in rows:
            if status == GONE:
                self.db.execute("DELETE FROM latest WHERE url = ?", (url,))
            else:
                self.db.execute(put, (url, *values))

    def __len__(self) -> int:
        (count,) = self.db.execute("SELECT count(*) FROM latest").fetchone()
        return int(count)

    def get(self, url: str) -> tuple[Any, ...] | None:
        """The columns of one url."""
        select = f"SELECT {self._columns} FROM latest WHERE url = ?"  # noqa: S608
        row: tuple[Any, ...] | None = self.db.execute(select, (url,)).fetchone()
        return row

    def in_order_of(self, order: str) -> Iterator[tuple[Any, ...]]:
        """All, the url first, by the column or columns `order`."""
        yield from self.db.execute(f"SELECT url, {self._columns} FROM latest ORDER BY {order}")  # noqa: S608
