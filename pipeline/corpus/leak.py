"""Held-out passages that stand in the text trained on: fifty words in a row.

Who has read a passage is not measured by it but reminded of it, and fifty words in a row nobody
writes twice by chance (Lee et al., "Deduplicating training data makes language models better",
2022, cut repeated runs of fifty tokens). Words are those of pipeline/dedup/shingles.py, parted by
blanks, so that spelling and punctuation hide nothing, but for a dash without blanks: it makes one
word of two, and where only one of two texts has it the run ends there. To compare all runs of fifty
words would be too much; by winnowing (Schleimer, Wilkerson, Aiken 2003) a text keeps the least of
each 26 consecutive hashes of 25 words, some 7 in 100, and whoever shares a run of fifty shares the
least hash in it. Where one is shared, the runs of fifty themselves are compared. (Hashes of five
words would be fewer, but any two books share five words in a row.)
"""

from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.dedup.shingles import SLICE, WORDS, Hashes, shingle_blocks, shingles_of

#: Words in a row that are a passage.
PASSAGE = 50
#: A held-out document goes itself where its passages stand in more documents of train. What a few
#: of train quote, they lose; a prologue that many share would empty train for one of them.
FEW = 3

_GRAM = 25  # words to a hash of which the least are kept
_FACTOR = np.uint64(0x9E3779B97F4A7C15)

Named = tuple[str, str]  # a document's name and text
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Leak:
    """A document that shares a passage with one of the other side."""

    name: str
    partner: str  # the first of the held-out documents that have its first shared passage
    # (of a held-out document: the first of train that has a passage of it)
    words: int  # of its longest stretch in which each run of fifty is held out


@dataclass(frozen=True)
class _Part:
    """The passages of some documents, one after the other; the arrays have an entry for each."""

    names: list[str]
    document: Numbers  # which of `names`
    place: Numbers  # the word it begins with, in its document
    passage: Hashes
    least: Hashes  # of the hashes of 25 words in it


def find_leaks(
    held_out: Callable[[], Iterable[Named]],
    train: Iterable[Named],
    few: int | None = None,
    kept: Set[str] = frozenset(),
) -> tuple[list[Leak], list[Leak]]:
    """The documents of `train` that share a passage with one held out, and, instead of theirs, the
    held-out ones whose passages stand in more than `few` of train; each in their order.

    Those `kept` are not of the latter. `held_out` is asked for its documents twice, the second time
    only where there is something to compare. Memory: half a byte for each word held out, 150 for
    each word of the stretches that may be shared, and 100 for each word of 4 MB of text, or of one
    longer text.
    """
    marks = [np.unique(part.least) for part in _parts(held_out())]
    known = np.unique(np.concatenate(marks)) if marks else np.empty(0, np.uint64)
    names: list[str] = []
    found: list[tuple[Numbers, Numbers, Hashes]] = []
    for part in _parts(train):
        suspect = np.flatnonzero(_among(known, part.least))
        for rows in _runs(part.document[suspect], suspect):
            found.append((np.full(len(rows), len(names)), part.place[rows], part.passage[rows]))
            names.append(part.names[part.document[rows[0]]])
    if not found:
        return [], []
    document, place, hashes = (np.concatenate(column) for column in zip(*found, strict=True))
    shared, passage = np.unique(hashes, return_inverse=True)
    partners, holds = _holders(held_out(), shared)
    # Each passage with each document of train that has it, by passage.
    reads = _Pairs.distinct(passage, document)
    crowded = np.zeros(len(partners), bool)
    if few is not None:
        crowded = _crowded(holds, reads, len(partners), few)
        crowded &= np.array([name not in kept for name in partners], bool)
    owner = np.full(len(shared), -1)
    light = np.flatnonzero(~crowded[holds.one])[::-1]  # backwards, so that the first remains
    owner[holds.other[light]] = holds.one[light]
    rows = np.flatnonzero(owner[passage] >= 0)
    leaks = [
        Leak(names[document[of[0]]], partners[owner[passage[of[0]]]], _words(place[of]))
        for of in _runs(document[rows], rows)
    ]
    # Whose readers all go for the sake of others can stay.
    going = np.zeros(len(names), bool)
    going[document[rows]] = True
    reader = np.full(len(shared), -1)
    staying = np.flatnonzero(~going[reads.other])[::-1]
    reader[reads.one[staying]] = reads.other[staying]
    begins = np.searchsorted(document, np.arange(len(names) + 1))
    instead = []
    of_crowded = np.flatnonzero(crowded[holds.one] & (reader[holds.other] >= 0))
    for of in _runs(holds.one[of_crowded], of_crowded):
        passages = holds.other[of]
        first = int(reader[passages].min())
        own = slice(begins[first], begins[first + 1])
        words = _words(place[own][np.isin(passage[own], passages)])
        instead.append(Leak(partners[holds.one[of[0]]], names[first], words))
    return leaks, instead


@dataclass(frozen=True)
class _Pairs:
    """Pairs of numbers, each once, in order."""

    one: Numbers
    other: Numbers

    @classmethod
    def distinct(cls, one: Numbers, other: Numbers) -> "_Pairs":
        base = int(other.max(initial=0)) + 1
        return cls(*np.divmod(np.unique(one * base + other), base))


def _holders(held_out: Iterable[Named], passages: Hashes) -> tuple[list[str], _Pairs]:
    """The held-out documents that have one of the passages, and which of them each has."""
    names: list[str] = []
    ones, others = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for part in _parts(held_out):
        rows = np.flatnonzero(_among(passages, part.passage))
        for of in _runs(part.document[rows], rows):
            places = np.unique(np.searchsorted(passages, part.passage[of]))
            ones.append(np.full(len(places), len(names)))
            others.append(places)
            names.append(part.names[part.document[of[0]]])
    return names, _Pairs(np.concatenate(ones), np.concatenate(others))


def _crowded(holds: _Pairs, reads: _Pairs, count: int, few: int) -> NDArray[np.bool_]:
    """Which of `count` held-out documents have passages in more than `few` documents of train."""
    readers = np.bincount(reads.one, minlength=int(holds.other.max(initial=0)) + 1)
    crowded = np.zeros(count, bool)
    crowded[holds.one[readers[holds.other] > few]] = True
    # Of the others each passage has few readers, which are counted together.
    rows = np.flatnonzero(~crowded[holds.one])
    many = readers[holds.other[rows]]
    begins = np.searchsorted(reads.one, holds.other[rows])
    within = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
    read_by = reads.other[np.repeat(begins, many) + within]
    together = _Pairs.distinct(np.repeat(holds.one[rows], many), read_by)
    return crowded | (np.bincount(together.one, minlength=count) > few)


def _parts(documents: Iterable[Named]) -> Iterator[_Part]:
    """The passages of all documents, of as many at a time as make a slice together."""
    names: list[str] = []
    texts: list[str] = []
    size = 0
    for name, text in documents:
        if texts and size + len(text) > SLICE:
            yield _part(names, texts)
            names, texts, size = [], [], 0
        names.append(name)
        texts.append(text)
        size += len(text)
    if texts:
        yield _part(names, texts)


def _part(names: list[str], texts: list[str]) -> _Part:
    if len(texts) == 1:
        blocks = list(shingle_blocks(texts[0]))
        shingles = np.concatenate([*blocks, np.empty(0, np.uint64)])
        offsets = np.array([0, len(shingles)])
    else:
        shingles, offsets = shingles_of(pa.array(texts, pa.large_string()))
    counts = np.maximum(np.diff(offsets) - (PASSAGE - WORDS), 0)
    document = np.repeat(np.arange(len(names)), counts)
    place = np.arange(len(document)) - np.repeat(np.cumsum(counts) - counts, counts)
    rows = offsets[document] + place
    if not len(rows):
        none = np.empty(0, np.uint64)
        return _Part(names, document, place, none, none)
    grams = _joined(shingles, WORDS, _GRAM // WORDS)
    passages = _joined(grams, _GRAM, PASSAGE // _GRAM)
    least = _sliding_least(grams, PASSAGE - _GRAM + 1)
    return _Part(names, document, place, passages[rows], least[rows])


def _joined(hashes: Hashes, step: int, count: int) -> Hashes:
    """A hash of each `count` hashes that lie `step` places apart, mixed as in MurmurHash3."""
    length = len(hashes) - step * (count - 1)
    joined = hashes[:length].copy()
    for place in range(step, step * count, step):
        joined *= _FACTOR
        joined += hashes[place : place + length]
    joined ^= joined >> np.uint64(33)
    joined *= np.uint64(0xFF51AFD7ED558CCD)
    joined ^= joined >> np.uint64(33)
    return joined


def _sliding_least(hashes: Hashes, width: int) -> Hashes:
    """The least of each `width` hashes in a row, by doubling: two overlapping windows are one."""
    least, reach = hashes, 1
    while reach < width:
        step = min(reach, width - reach)
        least = np.minimum(least[:-step], least[step:])
        reach += step
    return least


def _among(known: Hashes, hashes: Hashes) -> NDArray[np.bool_]:
    """Which hashes stand among the known ones, which are in order."""
    if not len(known) or not len(hashes):
        return np.zeros(len(hashes), bool)
    # The least hash stays for some thirteen passages, so each run of one is looked up once.
    begins = np.flatnonzero(np.concatenate([[True], hashes[1:] != hashes[:-1]]))
    values = hashes[begins]
    place = np.minimum(np.searchsorted(known, values), len(known) - 1)
    return np.repeat(known[place] == values, np.diff(begins, append=len(hashes)))


def _runs(keys: Numbers, values: Numbers) -> list[Numbers]:
    """The values parted where the key changes."""
    return np.split(values, np.flatnonzero(np.diff(keys)) + 1) if len(values) else []


def _words(places: Numbers) -> int:
    """The words of the longest run of consecutive passages."""
    runs = np.split(places, np.flatnonzero(np.diff(places) > 1) + 1)
    return max(map(len, runs)) + PASSAGE - 1
