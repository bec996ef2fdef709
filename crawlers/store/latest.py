"""The latest row of each url of a store, in a scratch database, so that memory stays flat."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from crawlers.page import GONE
from crawlers.scratch_database import scratch_database


class Latest:
    """The rows of a store by url: `columns` of the latest of each, without what is gone."""

    def __init__(self, columns: Sequence[str], rows: Iterable[tuple[str, int, Sequence[Any]]]):
        """`rows` oldest first: url, status, the columns' values."""
        self.db = scratch_database()
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
