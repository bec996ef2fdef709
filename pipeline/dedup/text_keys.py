"""Texts by their sha256, as rows of 32 bytes in an array rather than as strings of 64 characters.

A name is asked for once a document in every step of the search: in order in one array it takes 32
bytes and is found by bisection, where Arrow's sets of strings take four times that and are built
anew for each batch that is looked up.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.dedup.errors import DedupError

Keys = NDArray[np.bytes_]  # (texts,) of 32 bytes
Ids = NDArray[np.uint64]
Rows = NDArray[np.int64]

_BYTES = 32
_DIGITS = np.frombuffer(b"0123456789abcdef", np.uint8)
_VALUES = np.full(256, 0xFF, np.uint8)
_VALUES[_DIGITS] = np.arange(16)


def keys_of(sha256: pa.Array, path: Path | None = None) -> Keys:
    """The keys of sha256 sums in hexadecimal digits, in their order. Raises DedupError, which names
    `path`, where something else stands."""
    sums = sha256.cast(pa.large_string())
    if not len(sums):
        return np.empty(0, f"S{_BYTES}")
    if sums.null_count or pc.any(pc.not_equal(pc.binary_length(sums), 2 * _BYTES)).as_py():
        raise _no_sha256(path)
    first = int(np.frombuffer(sums.buffers()[1], np.int64)[sums.offset])
    digits = np.frombuffer(sums.buffers()[2], np.uint8)[first : first + 2 * _BYTES * len(sums)]
    values = _VALUES[digits]
    if values.max() > 0xF:
        raise _no_sha256(path)
    return (values[0::2] << 4 | values[1::2]).view(f"S{_BYTES}")


def sha256_of(keys: Keys) -> pa.Array:
    """The sums that the keys stand for, in hexadecimal digits."""
    values = np.ascontiguousarray(keys).view(np.uint8)
    digits = np.stack([_DIGITS[values >> 4], _DIGITS[values & 0xF]], axis=1)
    offsets = np.arange(len(keys) + 1, dtype=np.int32) * np.int32(2 * _BYTES)
    buffers = [pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(digits))]
    return pa.StringArray.from_buffers(len(keys), *buffers)


def ids_of(keys: Keys) -> Ids:
    """The first 64 bits of each: enough to tell texts apart, in a quarter of the room."""
    words = np.ascontiguousarray(keys).view(">u8").reshape(-1, _BYTES // 8)
    return words[:, 0].astype(np.uint64)


def places_of(names: NDArray[Any], wanted: NDArray[Any]) -> Rows:
    """Where each wanted name stands among the names, which are in order; -1 where it does not."""
    if not len(names):
        return np.full(len(wanted), -1)
    place = np.minimum(np.searchsorted(names, wanted), len(names) - 1)
    return np.where(names[place] == wanted, place, -1)


def _no_sha256(path: Path | None) -> DedupError:
    return DedupError(f"{path}: a text_sha256 is no sha256; extract the documents again")
