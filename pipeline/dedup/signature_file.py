"""Signatures on disk, a row of 504 bytes each, written and read by number.

They are five hundred bytes a text, the most that a search holds of it. A file that is mapped whole
would count as memory as it is touched, so only what a batch writes is mapped, and rows are read.
"""

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.dedup.minhash import PERMUTATIONS, Signatures

WIDTH = PERMUTATIONS * 4


class SignatureFile:
    """A file of so many rows, of which none is written yet."""

    def __init__(self, path: Path, rows: int):
        self._path = path
        self._written = np.zeros(rows, bool)
        with path.open("wb") as file:
            file.truncate(max(rows, 1) * WIDTH)

    def write(self, places: NDArray[np.int64], signatures: Signatures) -> None:
        """Write some rows; a row that is written again is that of the same text."""
        shape = (max(len(self._written), 1), PERMUTATIONS)
        matrix = np.memmap(self._path, "<u4", "r+", shape=shape)
        matrix[places] = signatures
        self._written[places] = True

    def read(self, places: NDArray[np.int64]) -> Signatures:
        """Some rows, (places, PERMUTATIONS)."""
        rows = bytearray(len(places) * WIDTH)
        room = memoryview(rows)
        with self._path.open("rb") as file:
            for number, place in enumerate(places.tolist()):
                part = room[number * WIDTH : (number + 1) * WIDTH]
                os.preadv(file.fileno(), [part], place * WIDTH)
        return np.frombuffer(rows, "<u4").reshape(-1, PERMUTATIONS)

    def missing(self) -> NDArray[np.int64]:
        """The rows that are not written."""
        return np.flatnonzero(~self._written)


def as_matrix(signatures: pa.Array) -> Signatures:
    """Signatures of one Arrow array as rows of numbers."""
    values = np.frombuffer(signatures.buffers()[1], "<u4")
    first = signatures.offset * PERMUTATIONS
    return values[first : first + len(signatures) * PERMUTATIONS].reshape(-1, PERMUTATIONS)


def as_array(signatures: Signatures) -> pa.Array:
    """Rows of numbers as an Arrow array."""
    rows = np.ascontiguousarray(signatures, "<u4")
    buffers = [None, pa.py_buffer(rows)]
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(WIDTH), len(rows), buffers)
