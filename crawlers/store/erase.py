"""Takes pages out of a store: the one case in which its parts are rewritten.

Of a page's rows, in all revisions, the columns that name it stay, as a tombstone; the body goes.
New parts are written beside the old, the manifest then names them, and the old ones are removed. A
note of which replaces which comes first, so that whoever opens the store after a kill can tell what
is left over from what was lost.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from crawlers.page import GONE
from crawlers.store.journal import write_parquet
from crawlers.store.older_schema import as_of_today
from pipeline.atomic import sync, write_atomically
from pipeline.schema import PAGES

#: The note: names of parts as JSON, old -> new; there only while pages are being erased.
NOTE = "erasing.json"
#: A part that was rewritten says how often, between its number and its crawl.
_NAME = re.compile(r"(\d{6,})-(?:erased(\d+)-)?(.+)")

#: Of columns a row each (url, title and the like): which rows are to be erased.
Wanted = Callable[[pa.RecordBatch], list[bool]]
#: What `Wanted` is given.
NAMES = ("url", "final_url", "title", "page_id", "attribution_url", "status", "source")


def marked(part: Path, wanted: Wanted) -> list[bool]:
    """For each row of a part whether it is wanted and has something to erase yet."""
    marks: list[bool] = []
    with pq.ParquetFile(part) as file:
        for batch in file.iter_batches(columns=[*NAMES, "body_sha256"]):
            erased = [digest == _EMPTY for digest in batch["body_sha256"].to_pylist()]
            pairs = zip(wanted(batch), erased, strict=True)
            marks += [is_wanted and not is_erased for is_wanted, is_erased in pairs]
    return marks


def rewritten(part: Path, marks: list[bool], folder: Path) -> str:
    """Write the part anew without the bodies of the marked rows; the new name."""
    name = next_name(part.stem)
    write_parquet(_without(part, marks), folder / f"{name}.parquet", PAGES)
    return name


def next_name(name: str) -> str:
    """What a part is called after pages of it were erased once more."""
    found = _NAME.fullmatch(name)
    assert found is not None  # the manifest was read
    number, times, crawl = found.groups()
    return f"{number}-erased{int(times or 0) + 1}-{crawl}"


def note(root: Path, renamed: Mapping[str, str]) -> None:
    """Say which parts are about to be replaced by which."""
    write_atomically(root / NOTE, json.dumps(renamed, indent=1).encode())


def settle(root: Path, valid: set[str]) -> None:
    """End an erasure at whatever point it stands: of old and new what is not valid is removed.

    The store must be locked; `valid` are the parts that its manifest names. Raises OSError.
    """
    path = root / NOTE
    try:
        renamed = json.loads(path.read_bytes())
    except FileNotFoundError:
        return
    for name in (name for pair in renamed.items() for name in pair):
        if name not in valid:
            (root / "parts" / f"{name}.parquet").unlink(missing_ok=True)
    sync(root / "parts")
    path.unlink()


_EMPTY = sha256(b"").hexdigest()


def _without(part: Path, marks: list[bool]) -> Iterator[pa.RecordBatch]:
    start = 0
    with pq.ParquetFile(part) as file:
        for group in range(file.num_row_groups):
            table = as_of_today(file.read_row_group(group), PAGES).combine_chunks()
            for batch in table.to_batches():
                end = start + batch.num_rows
                yield _erased(batch, pa.array(marks[start:end], pa.bool_()))
                start = end


def _erased(batch: pa.RecordBatch, marks: pa.BooleanArray) -> pa.RecordBatch:
    columns = {name: batch[name] for name in PAGES.names}
    for name, value in (("body", b""), ("body_sha256", _EMPTY), ("status", GONE)):
        kind = PAGES.field(name).type
        columns[name] = pc.if_else(marks, pa.scalar(value, kind), columns[name])
    return pa.RecordBatch.from_arrays(list(columns.values()), schema=PAGES)
