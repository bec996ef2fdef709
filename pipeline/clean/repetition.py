"""Drops prose that says the same over and over: pasted twice, generated, or a list of links.

The measures are Gopher's (Rae et al. 2021, arXiv:2112.11446, table A1): the share of characters in
lines that came before, in the commonest n-gram, and in n-grams that came before. Its thresholds
were set for web pages and drop Grimm's "Clever Hans", told in refrains (38 % in repeated
10-grams, Gopher allows 10), five tales whose rhymes return as lines of their own, and a fifth
of Shakespeare's scenes, whose speakers' names are lines. So lines are weighed by characters only,
repeated n-grams are allowed nearly half the text, and verse, whose refrains may be most of it, is
not judged; of plays only the n-grams that came before are.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.clean.verdict import Drop, Story

#: Gopher's, table A1: characters in lines that came before.
REPEATED_LINES = 0.20
#: Characters in the commonest n-gram, by n. Table A1 too, but for n = 4: its 0.16 drops a plot
#: of sixty words (0.165). Of 1,000 plots of films and 417 chapters of ten books none is over.
COMMONEST = {2: 0.20, 3: 0.18, 4: 0.18}
#: Characters in 10-grams that came before. Gopher's is 0.10; a text pasted twice has 0.5, and
#: "Clever Hans" 0.38. Its n-grams of 5 to 9 words find nothing more.
REPEATED_WORDS, GRAM = 0.45, 10
#: As many as a text of Gopher has at least; in a few sentences a name weighs too much.
FEWEST_WORDS = 50

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2^64 by the golden ratio: Knuth's, for hashing

Integers = NDArray[np.int64]
Hashes = NDArray[np.uint64]


def not_repetitive(story: Story) -> Drop | None:
    """Drop with the share of characters that decided."""
    if story.form == "verse" or len(story.words) < FEWEST_WORDS or not story.spaced:
        return None
    if story.form == "prose" and (share := _in_repeated_lines(story.lines)) > REPEATED_LINES:
        return Drop("lines repeat", round(share, 3))
    words = story.words
    hashes = np.fromiter(map(hash, words), np.int64, len(words)).view(np.uint64)
    ends = np.cumsum([0, *map(len, words)], dtype=np.int64)
    if story.form == "prose":
        times = len(words)  # at most so often does a run of n words come: no oftener than a shorter
        for n, most in COMMONEST.items():
            if times * _longest(ends, n) <= most * ends[-1]:
                continue  # it cannot be over the bound: spares most texts a sort
            share, times = _in_commonest(_grams(hashes, n), ends, n)
            if share > most:
                return Drop(f"the same {n} words again and again", round(share, 3))
    if (share := _in_repeated(hashes, ends, GRAM)) > REPEATED_WORDS:
        return Drop("passages repeat", round(share, 3))
    return None


def _in_repeated_lines(lines: list[str]) -> float:
    seen: set[str] = set()
    repeated = 0
    for line in lines:
        if line in seen:
            repeated += len(line)
        seen.add(line)
    return repeated / sum(map(len, lines))


def _grams(hashes: Hashes, n: int) -> Hashes:
    """A hash of each run of n words, [words - n + 1]."""
    grams = hashes[: max(0, len(hashes) - n + 1)].copy()
    for start in range(1, n):
        grams *= _MULTIPLIER
        grams += hashes[start : start + len(grams)]
    return grams


def _in_commonest(grams: Hashes, ends: Integers, n: int) -> tuple[float, int]:
    """The share of characters, spaces not counted, in the n-gram that has the most of them, where
    that may be over the bound; and how often the commonest n-gram comes."""
    times = _most(grams)
    if times * _longest(ends, n) <= COMMONEST[n] * ends[-1]:
        return 0.0, times  # spares a slower sort
    _, first, counts = np.unique(grams, return_index=True, return_counts=True)
    characters = (ends[first + n] - ends[first]) * np.where(counts > 1, counts, 0)
    return float(characters.max(initial=0) / ends[-1]), times


def _most(grams: Hashes) -> int:
    """How often the commonest gram stands there; 0 where none comes twice."""
    in_order = np.sort(grams)
    begins = np.flatnonzero(np.concatenate([[True], in_order[1:] != in_order[:-1]]))
    most = int(np.diff(np.append(begins, len(grams))).max(initial=0))
    return most if most > 1 else 0


def _longest(ends: Integers, n: int) -> int:
    """Characters of the longest run of n words."""
    return int((ends[n:] - ends[:-n]).max(initial=0))


def _in_repeated(hashes: Hashes, ends: Integers, n: int) -> float:
    """The share of characters, spaces not counted, in n-grams that stood before in the text."""
    grams = _grams(hashes, n)
    in_order = np.sort(grams)
    repeats = np.count_nonzero(in_order[1:] == in_order[:-1])
    if repeats * _longest(ends, n) <= REPEATED_WORDS * ends[-1]:
        return 0.0
    again = np.ones(len(grams), bool)
    again[np.unique(grams, return_index=True)[1]] = False
    # A word is in such a gram if the gram that begins at it or up to n - 1 words before it is one.
    before = np.cumsum(np.concatenate([[0], again, np.zeros(n, np.int64)]))[: len(hashes) + 1]
    covered = before[1:] > np.concatenate([np.zeros(n - 1, np.int64), before])[: len(hashes)]
    return float(np.diff(ends)[covered].sum() / ends[-1])
