"""Repetition within a text: seq-rep-n, the share of its n-grams that stood before in it.

Welleck et al. 2020 ("Neural text generation with unlikelihood training", section 4.1) take n = 4
and tokens; here it is words, so that models whose tokens differ compare. Like distinct-n, which is
what is left of it to 1, it grows with length.
"""

from collections.abc import Sequence

from pipeline.quality.distinct import distinct

#: Words of an n-gram.
N = 4


def repetition(words: Sequence[str]) -> float | None:
    """seq-rep-4 of `words`, 0 to 1; None of fewer than four."""
    different = distinct(words, N)
    return None if different is None else 1 - different
