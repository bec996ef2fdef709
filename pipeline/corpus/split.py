"""Which work is held out: by a hash of its name, so that no other work can change its side.

A work is a book or a wiki page; all its documents share a split, because chapters of a book that
was trained on would flatter the perplexity. The hash falls evenly in [0, 1): the first share of
that range is validation, the next is test, the rest is train.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256

TRAIN, VALIDATION, TEST = "train", "validation", "test"
SPLITS = (TRAIN, VALIDATION, TEST)

#: Changing it deals every corpus anew.
_SALT = "loremill-split-1"


def split_of(work_id: str, validation: float, test: float) -> str:
    """The split of a work by its own hash; `validation` and `test` are shares of the works."""
    position = _position(work_id)
    if position < validation:
        return VALIDATION
    return TEST if position < validation + test else TRAIN


def assign_splits(works: Iterable[str], validation: float, test: float) -> Mapping[str, str]:
    """The split of each of at least three works, none of the three splits being empty.

    Where few works leave a split empty, the work whose hash comes nearest to its range fills it:
    still deterministic, but here a newcomer can take the place.
    """
    ordered = sorted(set(works), key=lambda work: (_position(work), work))
    if len(ordered) < len(SPLITS):
        raise ValueError(f"{len(ordered)} works cannot fill {len(SPLITS)} splits")
    # In order of hash the splits are runs: validation, then test, then train.
    natural = [split_of(work, validation, test) for work in ordered]
    held_out = min(max(natural.count(VALIDATION), 1), len(ordered) - 2)
    tested = min(max(natural.count(TEST), 1), len(ordered) - 1 - held_out)
    return {
        work: VALIDATION if rank < held_out else TEST if rank < held_out + tested else TRAIN
        for rank, work in enumerate(ordered)
    }


def _position(work_id: str) -> float:
    """Where in [0, 1) the work's hash falls."""
    digest = sha256(f"{_SALT}\0{work_id}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64
