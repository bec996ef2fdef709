"""Which documents go for what others say: those that match, and those that share passages.

What holds a held-out passage goes from train. But where many of train share a passage with one held
out, a prologue for instance, the one goes instead of the many, or train would be empty. Those come
back then that had gone for its sake, so all is decided again without it.
"""

from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.corpus.leak import FEW, Leak, Named, find_leaks
from pipeline.corpus.plan import LEAK, Dropped, matched, thinned, without
from pipeline.corpus.split import TEST, TRAIN, VALIDATION
from pipeline.dedup.policy import Keep

Texts = Callable[[pa.Table], Iterable[Named]]

#: How often it is decided anew, each time with a search through all texts. After that train loses
#: whatever is left to lose.
_ROUNDS = 8


def thin(matches: pa.Table, left: pa.Table, keep: Keep, texts: Texts) -> list[Dropped]:
    """Who goes of documents that have a `split`; `texts` reads those of some of them.

    Raises DedupError.
    """
    crowded: list[Dropped] = []  # held-out documents whose passages too many of train have
    kept: frozenset[str] = frozenset()  # those of them that are the last of their split
    for few in [*[FEW] * _ROUNDS, None]:
        there = without(left, crowded)
        same, instead, last = _decided(matches, there, keep, texts, few, kept)
        if not instead and not last:
            break
        crowded += instead
        kept |= last
    # A partner that went itself did so for one that stays.
    for_whom = {dropped.doc_id: dropped.partner for dropped in same}
    return same + [
        replace(dropped, partner=for_whom.get(dropped.partner or "", dropped.partner))
        for dropped in crowded
    ]


def _decided(
    matches: pa.Table,
    left: pa.Table,
    keep: Keep,
    texts: Texts,
    few: int | None,
    kept: Set[str],
) -> tuple[list[Dropped], list[Dropped], frozenset[str]]:
    """Who goes for another, which held-out ones should go instead of some of them, and which of
    those are the last of their split and must not."""
    instead: list[Dropped] = []
    last: set[str] = set()

    def leaking(before: list[Dropped]) -> list[Dropped]:
        staying = without(left, before)
        train = pc.equal(staying["split"], TRAIN)
        held_out = staying.filter(pc.invert(train))
        leaks, crowded = find_leaks(
            lambda: texts(held_out), texts(staying.filter(train)), few, kept
        )
        going = list(map(_dropped, crowded))
        last.update(_last(held_out, going))
        instead.extend(dropped for dropped in going if dropped.doc_id not in last)
        return list(map(_dropped, leaks))

    same = thinned(matches, matched(matches, left), keep, leaking)
    return same, instead, frozenset(last)


def _last(held_out: pa.Table, going: Sequence[Dropped]) -> list[str]:
    """The first of each split of which all would go."""
    staying = set(pc.unique(without(held_out, going)["split"]).to_pylist())
    result = []
    for split in {VALIDATION, TEST} - staying:
        result += held_out.filter(pc.equal(held_out["split"], split))["doc_id"][:1].to_pylist()
    return result


def _dropped(leak: Leak) -> Dropped:
    return Dropped(leak.name, LEAK, float(leak.words), leak.partner)
