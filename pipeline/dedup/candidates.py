"""Pairs worth comparing: texts whose signatures agree in one of 42 bands of three.

Locality-sensitive hashing by bands (Leskovec, Rajaraman, Ullman, "Mining of massive datasets",
3.4): a pair of similarity s meets with probability 1 - (1 - s^3)^42, which is 0.996 at 0.5, 0.93 at
0.4 and 0.04 at 0.1. A pair too many costs a comparison of two signatures, a pair too few is a
duplicate in the corpus, so the bands are short. In a bucket each text is compared with the two
next to it only, in the order of the following band: of n versions of one text n pairs are enough
to find them all, and n squared would be the end of a corpus with a boilerplate page. The price: of
hundreds of versions that are alike by little more than the bound, some pairs are never compared and
stay both (of 300 versions at about 0.5, 50 pairs of 0.50 to 0.55).
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from daft import DataType, col
from numpy.typing import NDArray

from pipeline import engine
from pipeline.dedup.minhash import EMPTY, PERMUTATIONS, Signatures
from pipeline.dedup.signature_file import as_matrix
from pipeline.dedup.text_keys import Ids, ids_of, keys_of

Bands = NDArray[np.int64]
Found = NDArray[np.void]  # of _FOUND

ROWS = 3
BANDS = PERMUTATIONS // ROWS
#: Bytes that a pass over some of the bands may take in Daft, and what it takes for each entry.
MEMORY = 512 << 20
_ENTRY_BYTES = 200
#: How many of the next texts in a bucket one is compared with.
_NEIGHBOURS = 2
_ENTRY = DataType.struct(
    {"bucket": DataType.uint64(), "next": DataType.uint64(), "id": DataType.uint64()}
)
_FOUND = np.dtype([("first", np.uint64), ("second", np.uint64)])
_PAIR = DataType.struct({"first": DataType.uint64(), "second": DataType.uint64()})


def find_candidates(files: Sequence[Path], memory: int = MEMORY) -> tuple[Ids, Ids]:
    """Pairs of texts (first < second) that meet in a bucket, in order, each once.

    Texts are named by `ids_of` their keys; `files` have the schema SIGNATURES, and a text may stand
    in several. As many bands are looked through at a time as `memory`, in bytes, has room for, or
    a share of one; that changes nothing in what is found. Beside it: 32 bytes a pair found.
    """
    texts = sum(pq.read_metadata(file).num_rows for file in files)
    entries = max(1, memory // _ENTRY_BYTES)
    passes = max(1, -(-BANDS * texts // entries))
    shares = -(-passes // BANDS)  # of one band's buckets, where one alone is too much
    found = np.empty(0, _FOUND)
    for bands in np.array_split(np.arange(BANDS), min(passes, BANDS)):
        for share in range(shares):
            meeting = _meeting(files, bands, (share, shares))
            found = np.unique(np.concatenate([found, meeting]))
    return found["first"], found["second"]


def _meeting(files: Sequence[Path], bands: Bands, share: tuple[int, int]) -> Found:
    """The pairs that meet in a bucket of these bands, in any order; `share` is (which, of many) of
    the buckets."""
    # No number stands in the query: Daft imports torch, seconds of it, to see what a literal is.
    signatures = engine.read(files, ["text_sha256", "signature"])
    entry = col("entry")
    entries = _entries(bands, share)(col("text_sha256"), col("signature"))
    buckets = (
        signatures.select(entries.alias("entry"))
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
    )
    parts = [np.empty(0, _FOUND)]
    for batch in engine.stream(pairs):
        part = np.empty(len(batch), _FOUND)
        part["first"], part["second"] = batch["first"].to_numpy(), batch["second"].to_numpy()
        parts.append(part)
    return np.concatenate(parts)


def _entries(bands: Bands, share: tuple[int, int]) -> Callable[..., Any]:
    """A function of Daft's columns: a row for each of the bands of each text."""

    @engine.array_function(DataType.list(_ENTRY))
    def entries(texts: pa.Array, signatures: pa.Array) -> pa.Array:
        return _entries_of(texts, signatures, bands, share)

    return entries


def _entries_of(
    texts: pa.Array, signatures: pa.Array, bands: Bands, share: tuple[int, int]
) -> pa.Array:
    """Of each text a list: of each band its bucket, and the bucket of the next band."""
    names = ids_of(keys_of(texts))
    rows = as_matrix(signatures)
    buckets = _buckets(rows, bands)
    following = _buckets(rows, (bands + 1) % BANDS)
    which, many = share
    wanted = (buckets >> np.uint64(32)) % np.uint64(many) == which
    wanted &= (rows.min(axis=1) != EMPTY)[:, None]
    counts = wanted.sum(axis=1)
    entries = pa.StructArray.from_arrays(
        [
            pa.array(buckets[wanted]),
            pa.array(following[wanted]),
            pa.array(np.repeat(names, counts)),
        ],
        names=["bucket", "next", "id"],
    )
    offsets = np.concatenate([[0], np.cumsum(counts)])
    return pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64()), entries)


def _buckets(rows: Signatures, bands: Bands) -> NDArray[np.uint64]:
    """The bucket of each row in each of the bands, (rows, bands)."""
    buckets = np.zeros((len(rows), len(bands)), np.uint64)
    for place in range(ROWS):
        buckets *= np.uint64(0x9E3779B97F4A7C15)
        buckets ^= buckets >> np.uint64(29)
        buckets += rows[:, bands * ROWS + place]
    buckets *= np.uint64(0xBF58476D1CE4E5B9)
    buckets += bands.astype(np.uint64) * np.uint64(0x94D049BB133111EB)
    return buckets


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
