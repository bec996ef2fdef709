"""Distinct-n: how many of a text's n-grams of words differ, as a share of all (Li et al. 2016).

It falls with length, since a longer text comes back to words that it must use: so it is compared
with texts of like length only, and human text is cut to that. The n-grams are those of one text,
not of a whole set, so that the size of a set has no part in it.
"""

from collections.abc import Sequence


def distinct(words: Sequence[str], n: int) -> float | None:
    """The share, 0 to 1, of the n-grams of `words` that differ; None where there is none."""
    grams = [tuple(words[start : start + n]) for start in range(len(words) - n + 1)]
    return len(set(grams)) / len(grams) if grams else None
