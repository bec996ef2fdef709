"""Texts as sets of hashed shingles: five words in a row, spelling folded.

Shingles and their Jaccard similarity are Broder's ("On the resemblance and containment of
documents", 1997); five words is what Lee et al. ("Deduplicating training data makes language
models better", 2022) and FineWeb's makers take. Everything runs on whole batches of texts in Arrow
and NumPy; Python sees a word when it is new to the process.
"""

from collections.abc import Iterator
from hashlib import blake2b

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.dedup.spelling import fold

Hashes = NDArray[np.uint64]

#: Words to a shingle.
WORDS = 5
#: Characters of one text that are split into words at a time: what bounds the memory of a long one.
SLICE = 4 << 20
#: Words whose hashes are remembered; some 150 bytes each.
_REMEMBERED = 500_000
#: What a hash is multiplied with as a word goes one place on: 2^64 divided by the golden ratio.
_FACTOR = np.uint64(0x9E3779B97F4A7C15)

_hashes: dict[str, int] = {}


def shingle_blocks(text: str) -> Iterator[Hashes]:
    """Hashes of the shingles of a text, slice by slice, some of them repeatedly.

    A text shorter than a shingle is one; a text without words has none.
    """
    carried = np.empty(0, np.uint64)
    whole = True
    for part in _slices(text):
        words = np.concatenate([carried, _words(pa.array([part], pa.large_string()))[0]])
        if len(words) >= WORDS:
            yield _rolled(words)
            whole = False
        carried = words[-(WORDS - 1) :]
    if whole and len(carried):
        yield _short(carried)


def shingle_set(text: str) -> Hashes:
    """The distinct shingles of a text, in order; 16 bytes a word of it while they are sorted."""
    blocks = [np.unique(block) for block in shingle_blocks(text)]
    return np.unique(np.concatenate(blocks)) if blocks else np.empty(0, np.uint64)


def shingles_of(texts: pa.Array) -> tuple[Hashes, NDArray[np.int64]]:
    """The shingles of many texts, one after the other, and where each text's begin; one more
    entry marks the end. Meant for texts below SLICE."""
    words, counts = _words(texts)
    ends = np.cumsum(counts)
    starts = ends - counts
    rolled = _rolled(words) if len(words) >= WORDS else words[:0]
    # A window that begins in the last words of a text reaches into the next: those are left out.
    place = np.arange(len(rolled))
    text = np.repeat(np.arange(len(counts)), counts)[: len(rolled)]
    inside = place + WORDS <= ends[text]
    kept = np.maximum(counts - WORDS + 1, 0)
    shingles = rolled[inside]
    short = np.flatnonzero((counts > 0) & (counts < WORDS))
    if len(short):
        offsets = np.cumsum(kept)[short]
        own = [_short(words[starts[row] : ends[row]])[0] for row in short]
        shingles = np.insert(shingles, offsets, own)
        kept[short] = 1
    return shingles, np.concatenate([[0], np.cumsum(kept)])


def jaccard(first: Hashes, second: Hashes) -> float:
    """Share of the shingles of both that are in both, 0 to 1; of two distinct, sorted arrays."""
    if not len(first) or not len(second):
        return 0.0
    if len(first) > len(second):
        first, second = second, first
    place = np.searchsorted(second, first)
    place[place == len(second)] = 0
    shared = int(np.count_nonzero(second[place] == first))
    return shared / (len(first) + len(second) - shared)


def _words(texts: pa.Array) -> tuple[Hashes, NDArray[np.int64]]:
    """The hashes of all words, and how many each text has."""
    split = pc.utf8_split_whitespace(texts)
    encoded = split.flatten().dictionary_encode()
    known = np.fromiter(map(_hash, encoded.dictionary.to_pylist()), np.uint64)
    if not len(known):
        return np.empty(0, np.uint64), np.zeros(len(texts), np.int64)
    words = known[encoded.indices.to_numpy()]
    counts = pc.fill_null(pc.list_value_length(split), 0).to_numpy().astype(np.int64)
    is_word = words != 0  # a dash is none
    ends = np.concatenate([[0], np.cumsum(is_word)])[np.cumsum(counts)]
    return words[is_word], np.diff(ends, prepend=0)


def _hash(word: str) -> int:
    """64 bits of a word's folded form, 0 where nothing is left of it."""
    found = _hashes.get(word)
    if found is None:
        if len(_hashes) >= _REMEMBERED:
            _hashes.clear()
        folded = fold(word)
        digest = blake2b(folded.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        found = int.from_bytes(digest) if folded else 0
        _hashes[word] = found
    return found


def _rolled(words: Hashes) -> Hashes:
    """A hash of each run of WORDS words: a polynomial of theirs, mixed as in MurmurHash3."""
    count = len(words) - WORDS + 1
    rolled = words[:count].copy()
    for place in range(1, WORDS):
        rolled *= _FACTOR
        rolled += words[place : place + count]
    return _mixed(rolled)


def _short(words: Hashes) -> Hashes:
    """The one shingle of a text of fewer words."""
    padded = np.zeros(WORDS, np.uint64)
    padded[: len(words)] = words
    return _rolled(padded)


def _mixed(hashes: Hashes) -> Hashes:
    hashes ^= hashes >> np.uint64(33)
    hashes *= np.uint64(0xFF51AFD7ED558CCD)
    hashes ^= hashes >> np.uint64(33)
    return hashes


def _slices(text: str) -> Iterator[str]:
    """The text in parts of about SLICE characters, cut between words."""
    start = 0
    while start < len(text):
        end = start + SLICE
        while end < len(text) and not text[end].isspace() and end < start + 2 * SLICE:
            end += 1
        yield text[start:end]
        start = end
