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

    Where few works leave a split empty, the works whose hashes come nearest to its range fill it:
    still deterministic, but here a newcomer can take the place.
    """
    ordered = sorted(set(works), key=lambda work: (_position(work), work))
    if len(ordered) < len(SPLITS):
        raise ValueError(f"{len(ordered)} works cannot fill {len(SPLITS)} splits")
    splits = {work: split_of(work, validation, test) for work in ordered}
    # In order of hash the splits are runs: validation, then test, then train.
    if VALIDATION not in splits.values():
        splits[ordered[0]] = VALIDATION
    if TEST not in splits.values():
        after = sum(split == VALIDATION for split in splits.values())
        splits[ordered[min(after, len(ordered) - 1)]] = TEST
    if TRAIN not in splits.values():
        splits[ordered[-1]] = TRAIN
    return splits


def _position(work_id: str) -> float:
    """Where in [0, 1) the work's hash falls."""
    digest = sha256(f"{_SALT}\0{work_id}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64
