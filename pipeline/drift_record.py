"""What pages gave before they fell: the alarm's memory, so that a drip of falls adds up.

A crawl that fetches two pages a week in a new markup loses two stories a week, too few to ring;
and were each week held against the one before it alone, all would be lost in time without a word.
So a page that fell keeps what it gave before, for a year; and pages that changed and did not fall
are kept too, for it is their share that tells a new markup from an editor's pen. It lies beside
the versions of the documents, not in one: history must not give the same documents another data
version. Their figures name the file, so that it becomes the good one in the same step as they.
"""

from collections.abc import Collection
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.atomic import write_atomically
from pipeline.drift_pages import any_fell, at_best, changed

#: How long a fall is remembered. Long enough for a page a month to make a dozen; but a plot that
#: an editor took off years ago is no news, the page is what it is now.
KEPT = timedelta(days=365)

CARRIED = pa.schema(
    [
        pa.field("page", pa.binary(), nullable=False),  # drift_pages.page_names
        pa.field("since", pa.date32(), nullable=False),  # when it fell, or changed last
        pa.field("anew", pa.bool_(), nullable=False),  # its bytes changed, not rules or code alone
        pa.field("documents_before", pa.int64()),  # before it fell; null if it did not
        pa.field("characters_before", pa.int64()),
    ]
)
_PREFIX = "drift-"


def record_name(version: str) -> str:
    """The file of this version of the documents, beside its folder."""
    return f"{_PREFIX}{version}.parquet"


def read_carried(path: Path | None, today: date) -> pa.Table:
    """The record at `path`, of schema CARRIED; empty without one.

    What is older than KEPT is left out. Raises ValueError where the file is missing or damaged.
    """
    if path is None:
        return CARRIED.empty_table()
    try:
        table = pq.read_table(path).cast(CARRIED)
    except (OSError, pa.ArrowException, ValueError) as error:
        raise ValueError(f"{path.name} is missing or damaged: earlier falls are forgotten") from (
            error
        )
    return table.filter(pc.field("since") > pa.scalar(today - KEPT, pa.date32()))


def carried_on(pages: pa.Table, today: date, accepted: Collection[str] = ()) -> pa.Table:
    """The record after these pages, of `pages_in_both`, became the good ones.

    Of the sources in `accepted` no page is taken to have fallen: all start from what they give now.
    Pages that are gone are forgotten.
    """
    pages = at_best(pages)
    accepts = pc.is_in(pages["source"], value_set=pa.array(accepted, pa.string()))
    falls = pc.and_(any_fell(pages), pc.invert(accepts))
    anew = pc.or_(changed(pages), pc.fill_null(pages["anew"], False))
    first = pc.and_(falls, pc.is_null(pages["documents_before"]))
    again = pc.and_(changed(pages), pc.invert(falls))
    now = pa.scalar(today, pa.date32())
    nothing = pa.scalar(None, pa.int64())
    table = pa.Table.from_arrays(
        [
            pages["page"],
            pc.if_else(pc.or_(first, again), now, pc.fill_null(pages["since"], now)),
            anew,
            pc.if_else(falls, pages["documents"], nothing),
            pc.if_else(falls, pages["characters"], nothing),
        ],
        schema=CARRIED,
    )
    return table.filter(pc.or_(falls, anew))


def write_carried(path: Path, carried: pa.Table, last: Path | None) -> None:
    """Write the record to `path`, and remove all beside it but `last`, which stands until then."""
    for stale in path.parent.glob(f"{_PREFIX}*.parquet"):
        if stale not in (path, last):
            stale.unlink(missing_ok=True)
    sink = pa.BufferOutputStream()
    pq.write_table(carried.sort_by("page"), sink, compression="zstd")
    write_atomically(path, sink.getvalue().to_pybytes())
