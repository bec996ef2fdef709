"""What a comparison says: how many for each reason, and a few of them drawn at random.

The draw is a bottom-k sample by the hash of a seed and the document's name, so it is the same
whatever the order of documents, as on the page of what was left out.
"""

from dataclasses import dataclass, field
from hashlib import sha256
from heapq import nsmallest
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

Kind = Literal["came", "went", "changed"]

#: Documents drawn of each reason, and the seed of the draw.
DRAWN, SEED = 4, 0


@dataclass(frozen=True)
class Reason:
    """Why documents came, went or changed: how many did for it, and a few of them.

    A row has doc_id, title, section, url, licence; and, as the reason has them, figure and partner,
    revision and characters before and now, what else was and is, or the excerpt.
    """

    kind: Kind
    name: str
    count: int
    rows: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Changes:
    """Two builds held against each other."""

    before: int  # documents
    now: int
    reasons: list[Reason]  # the commonest of a kind first

    def count(self, kind: Kind) -> int:
        """How many documents came, went or changed."""
        return sum(reason.count for reason in self.reasons if reason.kind == kind)

    @property
    def unchanged(self) -> int:
        """Documents that stayed as they were."""
        return self.now - self.count("came") - self.count("changed")

    def figures(self) -> dict[str, Any]:
        """Counts as JSON values; no titles, no texts."""
        return {
            "before": self.before,
            "now": self.now,
            **{kind: self.count(kind) for kind in ("came", "went", "changed")},
            "unchanged": self.unchanged,
            "reasons": [[reason.kind, reason.name, reason.count] for reason in self.reasons],
        }


def by_reason(kind: Kind, rows: pa.Table) -> list[Reason]:
    """The rows' reasons, from their column `reason`, each with a draw from its rows."""
    counts = rows.group_by("reason").aggregate([("doc_id", "count")]).to_pylist()
    counts.sort(key=lambda row: (-row["doc_id_count"], row["reason"]))
    return [
        Reason(
            kind, row["reason"], row["doc_id_count"], _drawn(row["reason"], rows.filter(
                pc.field("reason") == row["reason"]
            )),
        )
        for row in counts
    ]  # fmt: skip


def _drawn(reason: str, rows: pa.Table) -> list[dict[str, Any]]:
    def rank(place: int) -> str:
        return sha256(f"{SEED}\0{reason}\0{names[place]}".encode()).hexdigest()

    names = rows["doc_id"]
    return [
        {name: value for name, value in row.items() if name != "reason"}
        for row in rows.take(nsmallest(DRAWN, range(rows.num_rows), key=rank)).to_pylist()
    ]


def lookup(rows: pa.Table, found: pa.Table, key: str) -> pa.Table:
    """`rows` with the columns that `found` has for their key, null where it has none.

    Of several rows of `found` with one key the first counts.
    """
    columns = [name for name in found.column_names if name != key]
    first = found.group_by(key, use_threads=False).aggregate([(name, "first") for name in columns])
    first = first.rename_columns({f"{name}_first": name for name in columns} | {key: key})
    return rows.join(first, key, join_type="left outer")


def prefixed(words: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Each text of the column after these words; null where it is null."""
    return pc.binary_join_element_wise(pa.scalar(words), column, "")


def first_true(*cases: tuple[Any, Any], otherwise: Any) -> pa.ChunkedArray:
    """For each row the value beside the first condition that holds; null is no."""
    conditions = pc.make_struct(*(pc.fill_null(condition, False) for condition, _ in cases))
    return pc.case_when(conditions, *(value for _, value in cases), otherwise)
