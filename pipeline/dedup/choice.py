"""Which documents go: of each pair that matches one stays, and which is the policy's choice.

Documents are taken in the policy's order; each is kept unless it matches one that is kept already.
So nothing goes because of a chain: where A resembles B and B resembles C, but A not C, B goes as
A's near-duplicate and C stays, though the three are one connected component. Every document that
goes names its partner, which stays, and the similarity of the two. Works come first: of two
editions of a book one goes whole, so that no corpus gets half of each.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, get_args

import pyarrow as pa

from pipeline.dedup.components import connected
from pipeline.dedup.errors import DedupError
from pipeline.dedup.policy import EXACT, NEAR, WORK, Keep

Row = Mapping[str, Any]
Neighbours = dict[str, dict[str, float]]  # a name's partners, and how similar they are

#: The share of a work that another must have more of to oust it: all of it is lost in the other's
#: favour.
_MOST = 0.5


@dataclass(frozen=True)
class Removal:
    """A document that goes; `partner` is a document, or for `kind` work another work."""

    doc_id: str
    partner: str
    kind: str  # exact, near, work
    similarity: float

    @property
    def reason(self) -> str:
        """For a person, as `dropped.parquet` has it."""
        return {EXACT: "same text", NEAR: "near-duplicate", WORK: "another edition"}[self.kind]


def choose(matches: pa.Table, documents: pa.Table, keep: Keep) -> list[Removal]:
    """The documents that go, in order of doc_id.

    `documents` has a row for each document that may stay and has a match (those that have none need
    not be there; memory is some 2 kB a row), in the order that "first" means: doc_id, work_id,
    characters, and for "newest" also `revised` (a time, null where unknown: the oldest). "none"
    keeps no document that has a match. Ties fall to the earlier row. Raises DedupError.
    """
    if keep not in get_args(Keep):
        raise DedupError(f"keep {keep!r}: one of {', '.join(get_args(Keep))}")
    rows = _ranked(documents, keep)
    works: dict[str, list[Row]] = {}
    for row in rows:
        works.setdefault(row["work_id"], []).append(row)
    ranked = _ranked_works(works, keep)
    pairs: list[Row] = matches.to_pylist()
    editions_of = _editions(pairs, works, keep)
    hollow: set[str] = set()  # works of which no document stays, so that they oust none
    while True:
        editions = _greedy(ranked, editions_of, keep, hollow)
        # With "none" what goes with its work still is a reason for others to go.
        asked = [row for row in rows if keep == "none" or row["work_id"] not in editions]
        among = list(_among_documents(pairs, [row["doc_id"] for row in asked], keep))
        going = {removal.doc_id for removal in among}
        staying = {row["work_id"] for row in asked if row["doc_id"] not in going}
        emptied = {partner for partner, _ in editions.values()} - staying
        if keep == "none" or not emptied:
            break
        hollow |= emptied
    removals = {removal.doc_id: removal for removal in among} | {
        row["doc_id"]: Removal(row["doc_id"], partner, WORK, similarity)
        for work, (partner, similarity) in editions.items()
        for row in works[work]
    }
    return [removals[doc_id] for doc_id in sorted(removals)]


def _editions(pairs: Sequence[Row], works: Mapping[str, list[Row]], keep: Keep) -> Neighbours:
    """Each work's partners that have most of it; with "none" all.

    The size of what two sets share follows from their similarity and sizes, which here are the
    numbers of characters. Editions of about one length share most from a similarity of a third on.
    """
    characters = {work: sum(row["characters"] for row in rows) for work, rows in works.items()}
    editions = [
        (pair["work_id"], pair["partner_work"], pair["similarity"])
        for pair in pairs
        if pair["kind"] == WORK
    ]
    alike = _neighbours(pair for pair in editions if pair[0] in works and pair[1] in works)
    if keep == "none":
        return alike
    return {
        work: {
            other: similarity
            for other, similarity in partners.items()
            if similarity * (characters[work] + characters[other]) / (1 + similarity)
            > characters[work] * _MOST
        }
        for work, partners in alike.items()
    }


def _among_documents(pairs: Sequence[Row], ranked: list[str], keep: Keep) -> Iterator[Removal]:
    """The documents that go of those asked about, which are in the policy's order."""
    rows = [pair for pair in pairs if pair["kind"] != WORK]
    exact = connected((r["doc_id"], r["partner"]) for r in rows if r["kind"] == EXACT)
    heads: dict[str, str] = {}  # of each text, the document that stays if its text does
    for doc_id in ranked:
        heads.setdefault(exact.get(doc_id, doc_id), doc_id)
    near: list[tuple[str, str, float]] = [
        (row["doc_id"], row["partner"], row["similarity"]) for row in rows if row["kind"] == NEAR
    ]
    there = [(exact.get(one, one), exact.get(other, other), share) for one, other, share in near]
    alike = _neighbours(pair for pair in there if pair[0] in heads and pair[1] in heads)
    gone = _greedy(list(heads), alike, keep)
    twins = Counter(exact[doc_id] for doc_id in ranked if doc_id in exact)
    second = {exact[doc_id]: doc_id for doc_id in reversed(ranked) if doc_id in exact
              and heads[exact[doc_id]] != doc_id}  # fmt: skip
    for doc_id in ranked:
        text = exact.get(doc_id, doc_id)
        if text in gone:
            partner, similarity = gone[text]
            yield Removal(doc_id, heads[partner], NEAR, similarity)
        elif heads[text] != doc_id:
            yield Removal(doc_id, heads[text], EXACT, 1.0)
        elif keep == "none" and twins[text] > 1:
            yield Removal(doc_id, second[text], EXACT, 1.0)


def _greedy(
    ranked: Sequence[str], alike: Neighbours, keep: Keep, idle: Set[str] = frozenset()
) -> dict[str, tuple[str, float]]:
    """Those that go, each with the most similar of its neighbours that stay.

    With "none" whoever has a neighbour goes. Those that are `idle` oust nobody.
    """
    rank = {name: place for place, name in enumerate(ranked)}
    gone: dict[str, tuple[str, float]] = {}
    for name in ranked:
        staying = [
            (-similarity, rank[other], other)
            for other, similarity in alike.get(name, {}).items()
            if keep == "none"
            or (rank[other] < rank[name] and other not in gone and other not in idle)
        ]
        if staying:
            negative, _, partner = min(staying)
            gone[name] = (partner, -negative)
    return gone


def _neighbours(pairs: Iterable[tuple[str, str, float]]) -> Neighbours:
    """Each name's partners with the similarity, the greatest where there are several."""
    result: Neighbours = defaultdict(dict)
    for one, other, similarity in pairs:
        for name, partner in ((one, other), (other, one)):
            result[name][partner] = max(similarity, result[name].get(partner, 0.0))
    return result


def _ranked(documents: pa.Table, keep: Keep) -> list[Row]:
    """The documents in the policy's order."""
    columns = ["doc_id", "work_id", "characters", *(["revised"] if keep == "newest" else [])]
    if missing := [name for name in columns if name not in documents.column_names]:
        raise DedupError(f"keep {keep!r}: the documents' table lacks {', '.join(missing)}")
    rows: list[Row] = documents.select(columns).to_pylist()
    return sorted(rows, key=lambda row: _preference([row], keep))


def _ranked_works(works: Mapping[str, list[Row]], keep: Keep) -> list[str]:
    """The works in the policy's order, each judged by all its documents."""
    return sorted(works, key=lambda work: _preference(works[work], keep))


def _preference(rows: Sequence[Row], keep: Keep) -> float:
    """Less is better; 0 for "first" and "none", which leave the order as it is."""
    if keep == "longest":
        return -float(sum(row["characters"] for row in rows))
    if keep == "newest":
        times = [row["revised"].timestamp() for row in rows if row["revised"]]
        return -max(times, default=float("-inf"))
    return 0.0
