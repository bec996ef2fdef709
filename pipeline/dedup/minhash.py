"""MinHash signatures: 126 numbers a text, whose agreement estimates the Jaccard similarity.

For each of 126 permutations of the hashes the least hash of a text's shingles is kept (Broder
1997): two texts agree on one with a probability equal to the similarity of their shingle sets. The
least of two signatures is that of both texts' union, so a book's is made of its chapters'. A
permutation is a multiplication by an odd number modulo 2^32, which is a bijection; min-wise enough
on hashes that are random already (Dietzfelbinger's multiply-shift).
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.dedup.shingles import SLICE, WORDS, Hashes, shingle_blocks, shingles_of

Signatures = NDArray[np.uint32]

PERMUTATIONS = 126
#: What signatures are made with: those of another version are not comparable, and made anew.
VERSION = f"minhash-{PERMUTATIONS}x32 folded words {WORDS} v2"
#: All ones: the signature of a text without words, which resembles nothing.
EMPTY = np.uint32(0xFFFFFFFF)

#: Hashes that stay in the processor's cache while all permutations pass over them.
_BLOCK = 1 << 15
_FACTORS: Signatures = np.random.default_rng(1).integers(
    0, 1 << 32, PERMUTATIONS, np.uint32
) | np.uint32(1)


def signatures_of(texts: pa.Array) -> tuple[Signatures, NDArray[np.int64]]:
    """Signatures (texts, PERMUTATIONS) and numbers of shingles, repeated ones counted.

    Memory: some 40 bytes a word of texts below SLICE bytes together, for longer ones of a slice.
    """
    result = np.full((len(texts), PERMUTATIONS), EMPTY, np.uint32)
    counts = np.zeros(len(texts), np.int64)
    sizes = pc.fill_null(pc.binary_length(texts), 0).to_numpy()
    start = 0
    while start < len(texts):
        if sizes[start] > SLICE:
            for block in shingle_blocks(texts[start].as_py()):
                np.minimum(result[start], _least(block), out=result[start])
                counts[start] += len(block)
            start += 1
            continue
        # As many texts as make a slice together; at least one.
        total = np.cumsum(sizes[start:])
        end = start + max(1, int(np.searchsorted(total, SLICE, side="right")))
        shingles, offsets = shingles_of(texts[start:end])
        counts[start:end] = np.diff(offsets)
        _least_of_each(shingles, offsets, result[start:end])
        start = end
    return result, counts


def agreement(first: Signatures, second: Signatures) -> NDArray[np.float64]:
    """The estimated similarity of rows of two signature arrays, 0 to 1."""
    agreed: NDArray[np.float64] = np.mean(first == second, axis=-1)
    return agreed


def _least(shingles: Hashes) -> Signatures:
    """The signature of one text's shingles, in blocks that fit the cache."""
    offsets = np.array([0, len(shingles)])
    result = np.full((1, PERMUTATIONS), EMPTY, np.uint32)
    _least_of_each(shingles, offsets, result)
    row: Signatures = result[0]
    return row


def _least_of_each(shingles: Hashes, offsets: NDArray[np.int64], result: Signatures) -> None:
    """Lower each row of `result` to the least hashes of its shingles."""
    upper = (shingles >> np.uint64(32)).astype(np.uint32)
    buffer = np.empty(_BLOCK, np.uint32)
    for start in range(0, len(upper), _BLOCK):
        end = min(start + _BLOCK, len(upper))
        first = int(np.searchsorted(offsets, start, side="right")) - 1
        last = int(np.searchsorted(offsets, end, side="left"))
        rows = first + np.flatnonzero(np.diff(offsets[first : last + 1]))
        begins = np.maximum(offsets[rows], start) - start
        block, product = upper[start:end], buffer[: end - start]
        least = np.empty((PERMUTATIONS, len(rows)), np.uint32)
        for index, factor in enumerate(_FACTORS):
            np.multiply(block, factor, out=product)
            np.minimum.reduceat(product, begins, out=least[index])
        result[rows] = np.minimum(result[rows], least.T)
