"""Which documents go out of a corpus because another says the same.

First across the split: a work keeps its side, so of two documents that match on different sides one
goes, of test and validation the one to tune by, of held-out and train the one to train on; then
from train what holds a passage of held-out text. Among those left of one side the policy chooses
(pipeline/dedup/choice.py). Sides are taken in order of what they are for, so that whoever goes
names one that stays.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.corpus.split import TEST, TRAIN, VALIDATION
from pipeline.dedup.choice import Removal, choose
from pipeline.dedup.components import connected
from pipeline.dedup.policy import EXACT, NEAR, WORK, Keep

ACROSS = "near-duplicate across the split"
LICENCE = "licence"
LEAK = "50 words of held-out text"


@dataclass(frozen=True)
class Dropped:
    """A document that does not go in, and why: what `dropped.parquet` says of the decision."""

    doc_id: str
    reason: str  # one of a few
    figure: float | None = None
    partner: str | None = None  # a document or a work


def matched(matches: pa.Table, documents: pa.Table) -> pa.Table:
    """Those of the documents that match any, be it with all of their work; in their order."""
    works = matches.filter(pc.equal(matches["kind"], WORK))
    names = pa.chunked_array([*matches["doc_id"].chunks, *matches["partner"].chunks], pa.string())
    work_ids = pa.chunked_array(
        [*works["work_id"].chunks, *works["partner_work"].chunks], pa.string()
    )
    mask = pc.or_(
        pc.is_in(documents["doc_id"], value_set=names.drop_null()),
        pc.is_in(documents["work_id"], value_set=work_ids),
    )
    return documents.filter(mask)


def chosen(matches: pa.Table, documents: pa.Table, keep: Keep) -> list[Dropped]:
    """What the policy alone lets go, of documents that may all stand together."""
    return [_dropped(removal) for removal in choose(matches, documents, keep)]


def thinned(
    matches: pa.Table,
    documents: pa.Table,
    keep: Keep,
    leaking: Callable[[list[Dropped]], list[Dropped]],
) -> list[Dropped]:
    """What goes of the documents that have a match, which have a column `split` beside.

    `leaking` is told who goes before the policy chooses among train, and says who else does: whom
    it lets go can be no reason for another to. In order of splits and names. Raises DedupError.
    """
    alike = _Alike(matches)
    result: list[Dropped] = []
    for split in (TEST, VALIDATION, TRAIN):
        of_split = documents.filter(pc.equal(documents["split"], split))
        crossing = list(alike.across(of_split))
        result += crossing
        if split == TRAIN:
            result += leaking(result)
        left = without(of_split, result)
        going = chosen(matches, left, keep)
        alike.stays(without(left, going))
        result += going
    return result


class _Alike:
    """The matches by document, and who of them stays."""

    def __init__(self, matches: pa.Table):
        rows = matches.to_pylist()
        self._texts = connected((r["doc_id"], r["partner"]) for r in rows if r["kind"] == EXACT)
        near = [(r["doc_id"], r["partner"], r["similarity"]) for r in rows if r["kind"] == NEAR]
        self._near = _both_ways((self._text(one), self._text(two), s) for one, two, s in near)
        self._works = _both_ways(
            (r["work_id"], r["partner_work"], r["similarity"]) for r in rows if r["kind"] == WORK
        )
        self._staying: dict[str, str] = {}  # a text's document
        self._staying_works: set[str] = set()

    def stays(self, documents: pa.Table) -> None:
        """These documents are in the corpus, beside those of earlier calls."""
        for doc_id, work_id in _names(documents):
            self._staying.setdefault(self._text(doc_id), doc_id)
            self._staying_works.add(work_id)

    def across(self, documents: pa.Table) -> Iterator[Dropped]:
        """Those that match one that stays, with the most similar one."""
        for doc_id, work_id in _names(documents):
            text = self._text(doc_id)
            found = [
                (-similarity, self._staying[other])
                for other, similarity in [(text, 1.0), *self._near.get(text, {}).items()]
                if other in self._staying
            ]
            found += [
                (-similarity, other)
                for other, similarity in self._works.get(work_id, {}).items()
                if other in self._staying_works
            ]
            if found:
                negative, partner = min(found)
                yield Dropped(doc_id, ACROSS, -negative, partner)

    def _text(self, doc_id: str) -> str:
        """The first document of the same text, which stands for it in near matches."""
        return self._texts.get(doc_id, doc_id)


def _both_ways(
    pairs: Iterable[tuple[str, str, float]],
) -> Mapping[str, dict[str, float]]:
    result: dict[str, dict[str, float]] = defaultdict(dict)
    for one, other, similarity in pairs:
        result[one][other] = result[other][one] = similarity
    return result


def _names(documents: pa.Table) -> Iterator[tuple[str, str]]:
    columns = (documents[name].to_pylist() for name in ("doc_id", "work_id"))
    return zip(*columns, strict=True)


def without(documents: pa.Table, gone: Iterable[Dropped]) -> pa.Table:
    """Those of the documents that stay."""
    names = pa.array([dropped.doc_id for dropped in gone], pa.string())
    return documents.filter(pc.invert(pc.is_in(documents["doc_id"], value_set=names)))


def _dropped(removal: Removal) -> Dropped:
    return Dropped(removal.doc_id, removal.reason, removal.similarity, removal.partner)
