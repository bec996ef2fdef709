"""Two extractions of a franchise: which documents came, went and changed, and why.

The reasons are read off what either extraction left: a document that went is in dropped.parquet
now, or its page is not in pages.parquet any more, or the page is there and cut otherwise. A text
that changed though its page's bytes are those of last time was changed by the rules or the code.
"""

from functools import reduce
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.diff.changes import Changes, Reason, by_reason, first_true, lookup, prefixed
from pipeline.diff.excerpt import excerpt
from pipeline.diff.unlike import differs, digests, rows_of, unlike
from pipeline.schema import DOCUMENTS

NEW_PAGE = "its page is new"
NEW_STORY = "its page had no story before"
NEW_SECTION = "another section of a page that was there"
LET_IN = "was left out before: "
LEFT_OUT = "left out now: "
NO_STORY = "its page gives no story now: "
NOT_THERE = "its page is no longer there"
CUT_OFF = "its section is no longer cut out of the page"
EDITED = "its page was edited"
CUT_ANEW = "its page is the same, cut or cleaned by other rules"
OTHER = "same text, other "

#: What a document says of itself beside its text; a change of one is a change.
_SAID = ("licence", "title", "section", "genre", "language", "url", "attribution_url")
_COLUMNS = ["doc_id", "source", "revision", "text_sha256", "characters", *_SAID]
_SHOWN = ["doc_id", "title", "section", "url", "licence", "reason"]
_DOCUMENTS, _BATCH = "documents.parquet", 256
_NO_FATES = pa.schema([("url", pa.string()), ("fate", pa.string())])


def compare_documents(last: Path, new: Path, fates: pa.Table | None = None) -> Changes:
    """Hold the extraction in folder `new` against that in `last`.

    `fates` names what became of pages that are no longer there: `url` and `fate`, each a few words
    such as "its page was taken down". Raises FileNotFoundError where `last` is of a version that
    recorded no pages.
    """
    compared = ("text_sha256", *_SAID)
    ones, others = (digests(folder / _DOCUMENTS, compared) for folder in (last, new))
    wanted = unlike(ones, others)
    fields = pa.schema([DOCUMENTS.field(name) for name in _COLUMNS])
    before, now = (rows_of(folder / _DOCUMENTS, fields, wanted) for folder in (last, new))
    both = before.join(now, "doc_id", join_type="full outer", right_suffix="_now")
    is_new, is_old = (pc.is_null(both[f"text_sha256{side}"]) for side in ("", "_now"))
    came, went = both.filter(is_new), both.filter(is_old)
    stayed = both.filter(pc.and_(pc.invert(is_new), pc.invert(is_old)))
    reasons = [
        *by_reason("came", _came(came, last)),
        *by_reason("went", _went(went, last, new, fates)),
        *by_reason("changed", _changed(stayed, last, new)),
    ]
    _add_excerpts(reasons, last, new)
    return Changes(ones.num_rows, others.num_rows, reasons)


def _came(rows: pa.Table, last: Path) -> pa.Table:
    names = [name for name in rows.column_names if name.endswith("_now")]
    rows = rows.select(["doc_id", *names]).rename_columns(
        {"doc_id": "doc_id"} | {name: name.removesuffix("_now") for name in names}
    )
    rows = lookup(_with_page(rows), _pages(last, "documents"), "page")
    rows = lookup(rows, _dropped(last).select(["doc_id", "dropped"]), "doc_id")
    reason = first_true(
        (pc.is_valid(rows["dropped"]), prefixed(LET_IN, rows["dropped"])),
        (pc.is_null(rows["documents"]), NEW_PAGE),
        (pc.equal(rows["documents"], 0), NEW_STORY),
        otherwise=NEW_SECTION,
    )
    return rows.append_column("reason", reason).select([*_SHOWN, "characters", "revision"])


def _went(rows: pa.Table, last: Path, new: Path, fates: pa.Table | None) -> pa.Table:
    rows = rows.drop_columns([name for name in rows.column_names if name.endswith("_now")])
    rows = _with_page(rows)
    rows = lookup(rows, _pages(last, "url", "page_url"), "page")
    rows = lookup(rows, _pages(new, "documents"), "page")
    dropped = _dropped(new)
    rows = lookup(rows, dropped.select(["doc_id", "dropped", "figure"]), "doc_id")
    whole = dropped.filter(pc.is_null(dropped["doc_id"])).select(["url", "dropped"])
    rows = lookup(rows, whole.rename_columns(["page_url", "no_story"]), "page_url")
    known = fates if fates is not None else _NO_FATES.empty_table()
    rows = lookup(rows, known.rename_columns(["page_url", "fate"]), "page_url")
    reason = first_true(
        (pc.is_valid(rows["dropped"]), prefixed(LEFT_OUT, rows["dropped"])),
        (pc.is_null(rows["documents"]), pc.fill_null(rows["fate"], NOT_THERE)),
        (pc.is_valid(rows["no_story"]), prefixed(NO_STORY, rows["no_story"])),
        otherwise=CUT_OFF,
    )
    return rows.append_column("reason", reason).select([*_SHOWN, "characters", "figure"])


def _changed(rows: pa.Table, last: Path, new: Path) -> pa.Table:
    is_other = reduce(pc.or_, (differs(rows, name) for name in ("text_sha256", *_SAID)))
    rows = _with_page(rows.filter(is_other))  # few as a rule: what follows is done for them alone
    rows = lookup(rows, _pages(last, "body_sha256", "body"), "page")
    rows = lookup(rows, _pages(new, "body_sha256", "body_now"), "page")
    others = [(differs(rows, name), f"{OTHER}{name.replace('_', ' ')}") for name in _SAID]
    reason = first_true(
        (
            differs(rows, "text_sha256"),
            first_true((differs(rows, "body"), EDITED), otherwise=CUT_ANEW),
        ),
        *others,
        otherwise=pa.scalar(None, pa.string()),
    )
    rows = rows.append_column("reason", reason)
    shown = [*_SHOWN, "characters", "characters_now", "revision", "revision_now"]
    shown += [f"{name}_now" for name in _SAID] + ["genre", "language", "attribution_url"]
    return rows.filter(pc.is_valid(rows["reason"])).select(shown)


def _with_page(rows: pa.Table) -> pa.Table:
    """With the column `page`: what the document's name begins with."""
    named = zip(rows["doc_id"].to_pylist(), rows["url"].to_pylist(), strict=True)
    return rows.append_column("page", pa.array([_page(*one) for one in named], pa.string()))


def _page(doc_id: str, url: str) -> str:
    """Without the place. A row's name may have the mark too; of places only a heading, as its
    address then says."""
    heading = f"#{unquote(urldefrag(url).fragment)}"
    return doc_id.removesuffix(heading) if doc_id.endswith(heading) else doc_id.rpartition("#")[0]


def _pages(folder: Path, column: str, name: str | None = None) -> pa.Table:
    """Of each page one figure; of a page found under two addresses the first's."""
    table = pq.read_table(folder / "pages.parquet", columns=["page", column])
    return table.rename_columns(["page", name or column])


def _dropped(folder: Path) -> pa.Table:
    """What was left out, `dropped` being the reason."""
    columns = ["doc_id", "url", "reason", "figure"]
    table = pq.read_table(folder / "dropped.parquet", columns=columns)
    return table.rename_columns(["doc_id", "url", "dropped", "figure"])


def _add_excerpts(reasons: list[Reason], last: Path, new: Path) -> None:
    """Put into the rows whose text changed where it did."""
    rows: dict[str, dict[str, Any]] = {
        row["doc_id"]: row
        for reason in reasons
        if reason.kind == "changed" and reason.name in (EDITED, CUT_ANEW)
        for row in reason.rows
    }
    before, now = (_texts(folder / _DOCUMENTS, [*rows]) for folder in (last, new))
    for doc_id, row in rows.items():
        row["excerpt"] = excerpt(before[doc_id], now[doc_id])


def _texts(path: Path, doc_ids: list[str]) -> dict[str, str]:
    """The texts of these documents, read a batch at a time."""
    found: dict[str, str] = {}
    wanted = pa.array(doc_ids, pa.string())
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(_BATCH, columns=["doc_id", "text"]):
            rows = batch.filter(pc.is_in(batch["doc_id"], wanted))
            found |= {row["doc_id"]: row["text"] for row in rows.to_pylist()}
    return found
