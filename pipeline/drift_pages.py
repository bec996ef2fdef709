"""What each page gave then and gives now: the table that the drift alarm judges.

Beside the last extraction's figures stand those of the drift record, where a page that fell within
the last year keeps what it gave before, so that falls of two pages a crawl add up.
"""

from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.diff.changes import lookup
from pipeline.schema import READ_PAGES

#: A fall of more than this is beyond the bound. An edit takes a plot off a page now and then and
#: halves another, one page in many; another markup takes from all pages that have it at once.
BOUND = 0.2

#: The file of an extraction that is compared, of schema READ_PAGES.
PAGES = "pages.parquet"

_KEY = ["source", "url"]
_COLUMNS = [*_KEY, "title", "body_sha256", "documents", "characters"]


class UnreadablePagesError(ValueError):
    """The last extraction's record of pages is missing, damaged, or an earlier version's."""


def pages_in_both(last: Path, new: Path, carried: pa.Table) -> pa.Table:
    """Pages that both folders' pages.parquet name: their figures then, and as `…_now`.

    `page` is what the drift record calls a page; its columns, of `carried`, are null where it says
    nothing of one. Some hundred bytes a page. Raises UnreadablePagesError of `last`.
    """
    before = _read_last(last / PAGES)
    now = pq.read_table(new / PAGES, columns=_COLUMNS).drop_columns(["title"])
    both = before.join(now, _KEY, join_type="inner", right_suffix="_now")
    names = page_names(*(both[column].to_pylist() for column in _KEY))
    return lookup(both.append_column("page", names), carried, "page")


def page_names(sources: Iterable[str], urls: Iterable[str]) -> pa.Array:
    """A digest a page: shorter than its address, and of a page taken down nothing is left in it."""
    pairs = zip(sources, urls, strict=True)
    digests = (blake2b("\0".join(pair).encode(), digest_size=16).digest() for pair in pairs)
    return pa.array(digests, pa.binary())


def at_best(pages: pa.Table) -> pa.Table:
    """The pages with what they gave before they fell, if it was within the last year."""
    for column in ("documents", "characters"):
        place = pages.schema.get_field_index(column)
        best = pc.coalesce(pages[f"{column}_before"], pages[column])
        pages = pages.set_column(place, column, best)
    return pages.filter(pc.field("documents") > 0)


def changed(pages: pa.Table) -> pa.ChunkedArray:
    """Of each page whether its bytes are others now."""
    return pc.not_equal(pages["body_sha256"], pages["body_sha256_now"])


def fell(pages: pa.Table, column: str, by: float = BOUND) -> pa.ChunkedArray:
    """Of each page whether it fell by more than this share; by all of it for 1."""
    kept = pc.multiply(pc.cast(pages[column], pa.float64()), 1 - by)
    now = pc.cast(pages[f"{column}_now"], pa.float64())
    return pc.less_equal(now, kept) if by == 1 else pc.less(now, kept)


def any_fell(pages: pa.Table) -> pa.ChunkedArray:
    """Of each page whether it gives less by more than the bound."""
    return pc.or_(fell(pages, "documents"), fell(pages, "characters"))


def _read_last(path: Path) -> pa.Table:
    schema = pa.schema([READ_PAGES.field(name) for name in _COLUMNS])
    try:
        return pq.read_table(path, columns=_COLUMNS).select(_COLUMNS).cast(schema)
    except FileNotFoundError as error:
        raise UnreadablePagesError(f"the last documents have no {PAGES}") from error
    except (OSError, pa.ArrowException, KeyError, ValueError) as error:
        raise UnreadablePagesError(
            f"{PAGES} of the last documents is damaged, or an earlier version's"
        ) from error
