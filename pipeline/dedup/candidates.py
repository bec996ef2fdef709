"""Pairs worth comparing: texts whose signatures agree in one of 42 bands of three.

Locality-sensitive hashing by bands (Leskovec, Rajaraman, Ullman, "Mining of massive datasets",
3.4): a pair of similarity s meets with probability 1 - (1 - s^3)^42, which is 0.996 at 0.5, 0.93 at
0.4 and 0.04 at 0.1. A pair too many costs a comparison of two signatures, a pair too few is a
duplicate in the corpus, so the bands are short. In a bucket each text is compared with the two
next to it only, in the order of the following band: of n versions of one text n pairs are enough
to find them all, and n squared would be the end of a corpus with a boilerplate page.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from daft import DataType, col
from numpy.typing import NDArray

from pipeline import engine
from pipeline.dedup.minhash import EMPTY, PERMUTATIONS

Ids = NDArray[np.uint64]

ROWS = 3
BANDS = PERMUTATIONS // ROWS
#: How many of the next texts in a bucket one is compared with.
_NEIGHBOURS = 2
_ENTRY = DataType.struct(
    {"bucket": DataType.uint64(), "next": DataType.uint64(), "id": DataType.uint64()}
)
_PAIR = DataType.struct({"first": DataType.uint64(), "second": DataType.uint64()})


def find_candidates(files: Sequence[Path]) -> tuple[Ids, Ids]:
    """Pairs of texts (first < second) that meet in a bucket, in order, each once.

    Texts are named by `ids_of` their sha256; `files` have the schema SIGNATURES, and a text may
    stand in several. Memory: some 30 bytes a text and band in the query, 16 a pair found.
    """
    # No number stands in the query: Daft imports torch, seconds of it, to see what a literal is.
    signatures = engine.read(files, ["text_sha256", "signature"])
    entry = col("entry")
    buckets = (
        signatures.select(_entries(col("text_sha256"), col("signature")).alias("entry"))
        .explode("entry")
        .where(entry.not_null())  # of a text without words
        .select(*(entry[name].alias(name) for name in ("bucket", "next", "id")))
        .groupby("bucket")
        .agg(col("next").list_agg(), col("id").list_agg())
    )
    pairs = (
        buckets.select(_pairs(col("next"), col("id")).alias("pair"))
        .explode("pair")
        .where(col("pair").not_null())
        .select(col("pair")["first"].alias("first"), col("pair")["second"].alias("second"))
        .distinct()
        .to_arrow()
    )
    first, second = (pairs[name].to_numpy() for name in ("first", "second"))
    order = np.lexsort((second, first))
    return first[order], second[order]


@engine.array_function(DataType.list(_ENTRY))
def _entries(texts: pa.Array, signatures: pa.Array) -> pa.Array:
    """A row for each band of each text: its bucket, and the bucket of the next band."""
    names = ids_of(texts)
    rows = as_matrix(signatures)
    spoken = rows.min(axis=1) != EMPTY
    bands = np.zeros((len(rows), BANDS), np.uint64)
    for place in range(ROWS):
        bands *= np.uint64(0x9E3779B97F4A7C15)
        bands ^= bands >> np.uint64(29)
        bands += rows[:, place::ROWS]
    bands *= np.uint64(0xBF58476D1CE4E5B9)
    bands += np.arange(BANDS, dtype=np.uint64) * np.uint64(0x94D049BB133111EB)
    following = np.roll(bands, -1, axis=1)
    entries = pa.StructArray.from_arrays(
        [
            pa.array(bands[spoken].ravel()),
            pa.array(following[spoken].ravel()),
            pa.array(np.repeat(names[spoken], BANDS)),
        ],
        names=["bucket", "next", "id"],
    )
    offsets = np.concatenate([[0], np.cumsum(spoken * BANDS)])
    return pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64()), entries)


@engine.array_function(DataType.list(_PAIR))
def _pairs(following: pa.Array, ids: pa.Array) -> pa.Array:
    """The pairs of each bucket."""
    names, order = ids.flatten().to_numpy(), following.flatten().to_numpy()
    counts = np.diff(ids.offsets.to_numpy())
    bucket = np.repeat(np.arange(len(counts)), counts)
    sort = np.lexsort((names, order, bucket))
    names, bucket = names[sort], bucket[sort]
    fresh = np.ones(len(names), bool)  # an id may have come from two files
    fresh[1:] = (names[1:] != names[:-1]) | (bucket[1:] != bucket[:-1])
    names, bucket = names[fresh], bucket[fresh]
    found = []
    for distance in range(1, _NEIGHBOURS + 1):
        near, far = names[:-distance], names[distance:]
        together = bucket[:-distance] == bucket[distance:]
        found.append((near[together], far[together], bucket[:-distance][together]))
    one, other, where = (np.concatenate(part) for part in zip(*found, strict=True))
    sort = np.argsort(where, kind="stable")
    one, other = one[sort], other[sort]
    pairs = pa.StructArray.from_arrays(
        [pa.array(np.minimum(one, other)), pa.array(np.maximum(one, other))],
        names=["first", "second"],
    )
    offsets = np.concatenate([[0], np.cumsum(np.bincount(where, minlength=len(counts)))])
    return pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64()), pairs)


def ids_of(texts: pa.Array) -> Ids:
    """The first 64 bits of each sha256: enough to tell texts apart, in an eighth of the room."""
    return np.fromiter((int(name[:16], 16) for name in texts.to_pylist()), np.uint64, len(texts))


def as_matrix(signatures: pa.Array) -> NDArray[np.uint32]:
    """Signatures of one Arrow array as rows of numbers."""
    width = PERMUTATIONS * 4
    values = np.frombuffer(signatures.buffers()[1], "<u4")
    first = signatures.offset * width // 4
    return values[first : first + len(signatures) * PERMUTATIONS].reshape(-1, PERMUTATIONS)
