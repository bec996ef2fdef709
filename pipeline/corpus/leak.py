"""Held-out passages that stand in the text trained on: fifty words in a row.

Who has read a passage is not measured by it but reminded of it, and fifty words in a row nobody
writes twice by chance (Lee et al., "Deduplicating training data makes language models better",
2022, cut repeated runs of fifty tokens). Words are those of pipeline/dedup/shingles.py, so that
spelling and punctuation hide nothing. To compare all runs of fifty words would be too much; by
winnowing (Schleimer, Wilkerson, Aiken 2003) a text keeps the least of each 26 consecutive hashes of
25 words, some 7 in 100, and whoever shares a run of fifty shares the least hash in it. Where one is
shared, the runs of fifty themselves are compared. (Hashes of five words would be fewer, but any two
books share five words in a row.)
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.dedup.shingles import SLICE, WORDS, Hashes, shingle_blocks, shingles_of

#: Words in a row that are a passage.
PASSAGE = 50

_GRAM = 25  # words to a hash of which the least are kept
_FACTOR = np.uint64(0x9E3779B97F4A7C15)

Named = tuple[str, str]  # a document's name and text
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Leak:
    """A document that shares a passage with held-out text."""

    name: str
    partner: str  # the first of the held-out documents that have its first shared passage
    words: int  # of its longest stretch in which each run of fifty is held out


@dataclass(frozen=True)
class _Part:
    """The passages of some documents, one after the other; the arrays have an entry for each."""

    names: list[str]
    document: Numbers  # which of `names`
    place: Numbers  # the word it begins with, in its document
    passage: Hashes
    least: Hashes  # of the hashes of 25 words in it


def find_leaks(held_out: Callable[[], Iterable[Named]], train: Iterable[Named]) -> list[Leak]:
    """The documents of `train` that share a passage with one held out, in their order.

    `held_out` is asked for its documents twice, the second time only where there is something to
    compare. Memory: half a byte for each word held out, 40 for each word of the stretches that may
    be shared, and 100 for each word of 4 MB of text, or of one longer text.
    """
    kept = [np.unique(part.least) for part in _parts(held_out())]
    marks = np.unique(np.concatenate(kept)) if kept else np.empty(0, np.uint64)
    names: list[str] = []
    found: list[tuple[Numbers, Numbers, Hashes]] = []
    for part in _parts(train):
        suspect = np.flatnonzero(_among(marks, part.least))
        for rows in _runs(part.document[suspect], suspect):
            found.append((np.full(len(rows), len(names)), part.place[rows], part.passage[rows]))
            names.append(part.names[part.document[rows[0]]])
    if not found:
        return []
    document, place, passage = (np.concatenate(column) for column in zip(*found, strict=True))
    shared = np.unique(passage)
    partners, owner = _owners(held_out(), shared)
    owner = owner[np.searchsorted(shared, passage)]
    rows = np.flatnonzero(owner >= 0)
    return [
        Leak(names[document[of[0]]], partners[owner[of[0]]], _longest(place[of]) + PASSAGE - 1)
        for of in _runs(document[rows], rows)
    ]


def _owners(held_out: Iterable[Named], passages: Hashes) -> tuple[dict[int, str], Numbers]:
    """For each of the passages the number of the first document that has it, or -1; and names."""
    names: dict[int, str] = {}
    owner = np.full(len(passages), -1)
    before = 0
    for part in _parts(held_out):
        rows = np.flatnonzero(_among(passages, part.passage))
        places = np.searchsorted(passages, part.passage[rows])
        # Backwards, so that of several documents the first remains.
        fresh = owner[places] < 0
        owner[places[fresh][::-1]] = before + part.document[rows[fresh]][::-1]
        for number in np.unique(part.document[rows[fresh]]).tolist():
            names[before + number] = part.names[number]
        before += len(part.names)
    return names, owner


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


def _longest(places: Numbers) -> int:
    """The length of the longest run of consecutive places."""
    return max(len(run) for run in np.split(places, np.flatnonzero(np.diff(places) > 1) + 1))
