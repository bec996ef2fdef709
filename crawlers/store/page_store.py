"""The pages of one spider for one franchise on disk: a journal a crawl, sealed into Parquet parts.

Pages are only ever added, but for a takedown (erase.py); the current view is the latest row of
each url, tombstones left out. A segment goes journal -> part -> manifest -> journal removed, under
one name all the way, so a crash between any two steps neither loses a page nor stores one twice.
The manifest, replaced atomically, alone says which parts count.
"""

import fcntl
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from crawlers.page import GONE, Page
from crawlers.store import erase
from crawlers.store.journal import Journal, read_journal, write_parquet
from crawlers.store.known import COLUMNS, KnownPages
from crawlers.store.latest import Latest
from crawlers.store.older_schema import as_of_today
from pipeline.atomic import write_atomically
from pipeline.schema import PAGES

#: A segment is sealed at whichever comes first; small enough that a part is read in one go.
SEAL_PAGES = 1_000
SEAL_BYTES = 64 * 2**20
_MANIFEST = "manifest.json"
#: What the data version leaves out: it changes with every crawl though the page has not.
_NOT_CONTENT = {"body", "fetched_at", "crawl_id", "etag", "last_modified"}


class StoreError(ValueError):
    """A file of the store is missing or damaged; the message names it and the remedy."""


class StoreBusyError(RuntimeError):
    """Another crawl writes to this store."""

    def __init__(self, root: Path):
        super().__init__(f"another crawl is writing to {root}; wait for it to end, or end it")


def pages_root(data: str | Path, franchise: str, spider: str) -> Path:
    """Where the pages of a franchise's spider stand under the data root."""
    return Path(data).absolute() / "pages" / franchise / spider


class PageStore:
    """Reads the sealed pages under `root`; `writer` adds to them.

    Every method raises StoreError where a file of the store is missing or damaged.
    """

    def __init__(self, root: Path):
        self.root = root

    def writer(self, crawl_id: str) -> "PageWriter":
        """Open the store for one crawl, after recovering what a killed one left in its journal.

        Raises StoreBusyError while another crawl has it open, ValueError where the manifest is
        lost, damaged or a journal was written by another version.
        """
        return PageWriter(self, crawl_id)

    def parts(self) -> list[Path]:
        """The valid parts, oldest first. Raises StoreError where the manifest is damaged."""
        path = self.root / _MANIFEST
        try:
            names = [part["name"] for part in json.loads(path.read_bytes())["parts"]]
            if not all(re.fullmatch(r"\d{6,}-[\w.-]+", name, re.ASCII) for name in names):
                raise ValueError("a part's name is none")
        except FileNotFoundError:
            return []
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise StoreError(
                f"{path} is damaged ({type(error).__name__}: {error}); restore it, or write it "
                f"anew with the names of the files in {self.root / 'parts'}, in their order"
            ) from error
        return [self.root / "parts" / f"{name}.parquet" for name in names]

    @contextmanager
    def opened(self, part: Path) -> Iterator[pq.ParquetFile]:
        """A part to be read, of whatever version's schema."""
        with _opened(part) as file:
            yield file

    def known(self) -> KnownPages:
        """The current pages by url."""
        return KnownPages(self._rows(COLUMNS))

    def count(self) -> int:
        """How many pages the current view holds."""
        return len(self._latest_rows())

    def gone(self) -> dict[str, str | None]:
        """The tombstones' urls, and where each page has gone that was moved."""
        gone: dict[str, str | None] = {}
        for url, status, (final_url,) in self._rows(["final_url"]):
            if status == GONE:
                gone[url] = final_url
            else:
                gone.pop(url, None)
        return gone

    def current(self) -> Iterator[pa.RecordBatch]:
        """The latest row of each url, oldest first, in batches of schema PAGES.

        Holds one row group in memory.
        """
        parts = self.parts()
        latest = self._latest_rows().in_order_of("part, number")
        for part, rows in groupby(latest, key=lambda row: int(row[1])):
            yield from _rows_of(parts[part], [number for *_, number in rows])

    def data_version(self) -> str:
        """A sha256 over what the current pages are; when they were fetched does not count."""
        columns = [name for name in PAGES.names if name not in _NOT_CONTENT]
        latest = Latest(
            ["digest"],
            (
                (url, status, [_digest(dict(zip(columns, values, strict=True)))])
                for url, status, values in self._rows(columns)
            ),
        )
        digest = sha256()
        for _, page in latest.in_order_of("url"):
            digest.update(page.encode())
        return digest.hexdigest()

    def _latest_rows(self) -> Latest:
        """Of each current url its part's number and its own within the part."""

        def rows() -> Iterator[tuple[str, int, tuple[int, int]]]:
            for number, part in enumerate(self.parts()):
                for row, (url, status, _) in enumerate(_read(part, [])):
                    yield url, status, (number, row)

        return Latest(["part", "number"], rows())

    def _rows(self, columns: list[str]) -> Iterator[tuple[str, int, list[Any]]]:
        """Url, status and the columns of all rows, oldest first; bodies are not read for it."""
        for part in self.parts():
            yield from _read(part, columns)


class PageWriter:
    """The one crawl that may write; holds the lock until closed."""

    def __init__(
        self,
        store: PageStore,
        crawl_id: str,
        seal_pages: int = SEAL_PAGES,
        seal_bytes: int = SEAL_BYTES,
    ):
        if not re.fullmatch(r"[\w.-]{1,100}", crawl_id, re.ASCII):
            raise ValueError(f"crawl id {crawl_id!r}: letters, digits, '.', '_' and '-' only")
        self._store = store
        self._crawl_id = crawl_id
        self._seal_pages, self._seal_bytes = seal_pages, seal_bytes
        self._journals = store.root / "journal"
        self._parts = store.root / "parts"
        for folder in (self._journals, self._parts):
            folder.mkdir(parents=True, exist_ok=True)
        self._lock = _lock(store.root)
        self._journal: Journal | None = None
        try:
            self._recover()
        except BaseException:
            self._lock.close()
            raise

    def append(self, page: Page) -> None:
        """Add a page; when this returns, a kill no longer loses it."""
        if self._journal is None:
            self._journal = Journal(self._journals / f"{self._next_name()}.arrows", PAGES)
        try:
            self._journal.append(page.batch())
        except OSError:
            self._journal = None  # its end may be torn: nothing may follow it
            raise
        if self._journal.rows >= self._seal_pages or self._journal.bytes >= self._seal_bytes:
            self.seal()

    def seal(self) -> None:
        """Turn the journal so far into a part."""
        journal, self._journal = self._journal, None
        if journal is not None:
            journal.close()
            self._seal(journal.path)

    def erase(self, wanted: erase.Wanted) -> int:
        """Take the bodies of all wanted rows out of the parts, for good; how many rows that was.

        Raises StoreError, OSError; what was there stands then, or is gone.
        """
        self.seal()
        marks = {}
        for part in self._store.parts():
            with _opened(part):
                found = erase.marked(part, wanted)
            if any(found):
                marks[part] = found
        if marks:
            renamed = {part.stem: erase.next_name(part.stem) for part in marks}
            erase.note(self._store.root, renamed)
            for part, rows in marks.items():
                erase.rewritten(part, rows, self._parts)
            parts = [part.stem for part in self._store.parts()]
            self._name_parts([renamed.get(name, name) for name in parts])
            self._settle()
        return sum(map(sum, marks.values()))

    def close(self) -> None:
        """Seal, and let the next crawl in."""
        try:
            self.seal()
        finally:
            self._lock.close()

    def _recover(self) -> None:
        for aside in self._store.root.glob(f".{_MANIFEST}.*"):  # killed before it took its place
            aside.unlink()
        self._settle()
        sealed = {part.stem for part in self._store.parts()}
        journals = {journal.stem: journal for journal in self._journals.glob("*.arrows")}
        parts = {part.stem for part in self._parts.glob("*.parquet")}
        # A part that was being written has its journal still; any other the manifest has lost.
        if lost := sorted(parts - sealed - journals.keys()):
            raise ValueError(
                f"{self._parts} holds {len(lost)} parts that {_MANIFEST} does not name, first "
                f"{lost[0]}; restore {_MANIFEST}, or move these parts away to do without them"
            )
        for name, journal in sorted(journals.items()):
            if name in sealed:  # killed after the manifest named the part
                journal.unlink()
            else:
                self._seal(journal)

    def _seal(self, journal: Path) -> None:
        part = self._parts / f"{journal.stem}.parquet"
        if write_parquet(read_journal(journal, PAGES), part, PAGES):
            self._name_parts([path.stem for path in self._store.parts()] + [part.stem])
        else:
            part.unlink()
        journal.unlink()

    def _name_parts(self, names: list[str]) -> None:
        """Say which parts count from now on."""
        manifest = {"version": 1, "parts": [{"name": name} for name in names]}
        write_atomically(self._store.root / _MANIFEST, json.dumps(manifest, indent=1).encode())

    def _settle(self) -> None:
        """End what an erasure left that was killed, or has just named its parts."""
        erase.settle(self._store.root, {part.stem for part in self._store.parts()})

    def _next_name(self) -> str:
        """Numbered in the order of writing, whatever the crawls are called."""
        taken = [int(part.stem.split("-", 1)[0]) for part in self._store.parts()]
        return f"{max(taken, default=0) + 1:06}-{self._crawl_id}"


def _lock(root: Path) -> IO[bytes]:
    """An exclusive lock that the system releases when its holder dies."""
    file = (root / ".lock").open("wb")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise StoreBusyError(root) from error
    return file


@contextmanager
def _opened(part: Path) -> Iterator[pq.ParquetFile]:
    """A part to be read. Raises StoreError, while it is read too."""
    try:
        with pq.ParquetFile(part) as file:
            yield file
    except (OSError, pa.ArrowException) as error:
        what = "is missing" if isinstance(error, FileNotFoundError) else f"is damaged ({error})"
        raise StoreError(
            f"{part} {' '.join(what.split())[:300]}; restore it, or move it away and take its name "
            f"out of {part.parents[1] / _MANIFEST}: the next crawl fetches its pages anew"
        ) from error


def _read(part: Path, columns: list[str]) -> Iterator[tuple[str, int, list[Any]]]:
    """Url, status and the columns of each row of a part."""
    read = list(dict.fromkeys(["url", "status", *columns]))
    schema = pa.schema([PAGES.field(name) for name in read])
    with _opened(part) as file:
        for batch in file.iter_batches(columns=read):
            values = as_of_today(batch, schema).to_pydict()
            rows = zip(*(values[name] for name in ["url", "status", *columns]), strict=True)
            for url, status, *rest in rows:
                yield url, status, rest


def _rows_of(part: Path, rows: list[int]) -> Iterator[pa.RecordBatch]:
    """These rows of a part, whole."""
    start = 0
    with _opened(part) as file:
        for group in range(file.num_row_groups):
            end = start + file.metadata.row_group(group).num_rows
            wanted = [row - start for row in rows if start <= row < end]
            start = end
            if wanted:
                table = as_of_today(file.read_row_group(group).take(wanted), PAGES)
                yield from table.combine_chunks().to_batches()


def _digest(page: dict[str, Any]) -> str:
    signals = page.pop("signals")
    # Left out where null, so that rows from before there was the column count as ever.
    told = [*page.values(), *([signals] if signals is not None else [])]
    return sha256(json.dumps(told, ensure_ascii=False).encode()).hexdigest()
