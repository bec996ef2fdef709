"""Two builds of a corpus: which documents came, went and changed, and why.

The manifests say what is in, dropped.parquet what was kept out and for whose sake. A document that
stands in neither is not among the franchises' documents any more; their own comparison says why.
"""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.diff.changes import Changes, by_reason, first_true, lookup, prefixed
from pipeline.diff.unlike import digests, rows_of, unlike
from pipeline.schema import DROPPED, MANIFEST

NEW = "a new document"
LET_IN = "was kept out before: "
KEPT_OUT = "kept out now: "
NOT_THERE = "it is no longer among the documents"
TEXT = "its text changed"
SIDE = "it changed its side"
LICENCE = "same text, other licence"

_COLUMNS = [
    *("doc_id", "split", "franchise", "source", "title", "section", "url", "revision", "licence"),
    *("text_sha256", "start", "end"),
]
#: A change of one of these is a change.
_COMPARED = ["split", "text_sha256", "licence"]
_SHOWN = ["doc_id", "title", "section", "url", "licence", "reason", "split", "bytes"]


class EarlierManifestError(ValueError):
    """The corpus was written by a version whose manifest does not say what the texts were."""


def compare_corpora(last: Path, new: Path) -> Changes:
    """Hold the corpus in folder `new` against that in `last`. Raises EarlierManifestError."""
    ones, others = (_digests(folder) for folder in (last, new))
    wanted = unlike(ones, others)
    before, now = (_documents(folder, wanted) for folder in (last, new))
    both = before.join(now, "doc_id", join_type="full outer", right_suffix="_now")
    is_new, is_old = (pc.is_null(both[f"text_sha256{side}"]) for side in ("", "_now"))
    stayed = both.filter(pc.and_(pc.invert(is_new), pc.invert(is_old)))
    reasons = [
        *by_reason("came", _came(both.filter(is_new), last)),
        *by_reason("went", _went(both.filter(is_old), new)),
        *by_reason("changed", _changed(stayed)),
    ]
    return Changes(ones.num_rows, others.num_rows, reasons)


def _digests(folder: Path) -> pa.Table:
    path = folder / "manifest.parquet"
    if "text_sha256" not in pq.read_schema(path).names:
        raise EarlierManifestError(f"{path}: has no text_sha256, being of an earlier version")
    return digests(path, _COMPARED, "document")


def _documents(folder: Path, wanted: pa.ChunkedArray) -> pa.Table:
    fields = pa.schema([MANIFEST.field(name) for name in _COLUMNS])
    rows = rows_of(folder / "manifest.parquet", fields, wanted, "document")
    size = pc.subtract(rows["end"], rows["start"])
    return rows.drop_columns(["start", "end"]).append_column("bytes", size)


def _came(rows: pa.Table, last: Path) -> pa.Table:
    names = [name for name in rows.column_names if name.endswith("_now")]
    rows = rows.select(["doc_id", *names]).rename_columns(
        ["doc_id", *(name.removesuffix("_now") for name in names)]
    )
    rows = lookup(rows, _dropped(last, rows).select(["doc_id", "dropped"]), "doc_id")
    reason = first_true(
        (pc.is_valid(rows["dropped"]), prefixed(LET_IN, rows["dropped"])), otherwise=NEW
    )
    return rows.append_column("reason", reason).select(_SHOWN)


def _went(rows: pa.Table, new: Path) -> pa.Table:
    rows = rows.drop_columns([name for name in rows.column_names if name.endswith("_now")])
    rows = lookup(rows, _dropped(new, rows), "doc_id")
    reason = pc.fill_null(prefixed(KEPT_OUT, rows["dropped"]), NOT_THERE)
    return rows.append_column("reason", reason).select([*_SHOWN, "figure", "partner"])


def _changed(rows: pa.Table) -> pa.Table:
    reason = first_true(
        (pc.not_equal(rows["split"], rows["split_now"]), SIDE),
        (pc.not_equal(rows["text_sha256"], rows["text_sha256_now"]), TEXT),
        (pc.not_equal(rows["licence"], rows["licence_now"]), LICENCE),
        otherwise=pa.scalar(None, pa.string()),
    )
    rows = rows.append_column("reason", reason)
    shown = [*_SHOWN, "split_now", "bytes_now", "licence_now", "revision", "revision_now"]
    return rows.filter(pc.is_valid(rows["reason"])).select(shown)


def _dropped(folder: Path, rows: pa.Table) -> pa.Table:
    """What was kept out of these, `dropped` being the reason; before, none had a partner."""
    fields = pa.schema([DROPPED.field(name) for name in ("doc_id", "reason", "figure", "partner")])
    table = rows_of(folder / "dropped.parquet", fields, rows["doc_id"])
    return table.rename_columns(["doc_id", "dropped", "figure", "partner"])
