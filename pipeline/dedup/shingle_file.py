"""The shingle sets of texts on disk, read as they are asked for.

Candidates are judged by the real Jaccard similarity of their sets, not by what their signatures
estimate: at 126 permutations an estimate is off by 0.045 (one standard deviation, at 0.5), which is
no ground to throw a text away on, nor a figure to tell a person. The sets take some 1.4 bytes for
each of the texts', so they stay out of memory.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.dedup.shingles import SLICE, Hashes, shingle_set, shingles_of
from pipeline.dedup.text_keys import Keys, keys_of, places_of

_ROWS = 4096


class ShingleFile:
    """The sets of some texts, by their position among all, read from documents' files."""

    def __init__(self, documents: Iterable[Path], texts: Keys, rows: NDArray[np.int64], path: Path):
        self._path = path
        self._rows = rows  # in order
        wanted = texts[rows]
        self._starts = np.zeros(len(rows), np.int64)
        self._ends = np.full(len(rows), -1, np.int64)
        end = 0
        with path.open("wb") as file:
            for batch, places in _texts(documents, wanted, self._ends):
                for place, shingles in zip(places, _sets(batch), strict=True):
                    file.write(shingles.tobytes())
                    self._starts[place], end = end, end + len(shingles)
                    self._ends[place] = end

    def __getitem__(self, row: int) -> Hashes:
        place = int(np.searchsorted(self._rows, row))
        start = int(self._starts[place])
        return np.fromfile(self._path, np.uint64, int(self._ends[place]) - start, offset=8 * start)

    def union(self, rows: Iterable[int]) -> Hashes:
        """The shingles of several texts together, distinct and in order."""
        return np.unique(np.concatenate([self[row] for row in rows]))


def _texts(
    documents: Iterable[Path], wanted: Keys, done: NDArray[np.int64]
) -> Iterator[tuple[pa.Array, NDArray[np.int64]]]:
    """The wanted texts, a row group at a time, each once: `done` is -1 for those to come."""
    for path in documents:
        with pq.ParquetFile(path) as file:
            for group in range(file.num_row_groups):
                names = file.read_row_group(group, columns=["text_sha256"])["text_sha256"]
                places = places_of(wanted, keys_of(names.combine_chunks(), path))
                rows = np.flatnonzero(places >= 0)
                places, first = np.unique(places[rows], return_index=True)
                rows = rows[first]
                fresh = done[places] < 0
                rows, places = rows[fresh], places[fresh]
                if not len(rows):
                    continue
                texts = file.read_row_group(group, columns=["text"])["text"]
                for start in range(0, len(rows), _ROWS):
                    part = slice(start, start + _ROWS)
                    yield texts.take(pa.array(rows[part])).combine_chunks(), places[part]


def _sets(texts: pa.Array) -> Iterator[Hashes]:
    """The shingle set of each text; as many texts at a time as make a slice together."""
    sizes = pc.binary_length(texts).to_numpy()
    start = 0
    while start < len(texts):
        if sizes[start] > SLICE:
            yield shingle_set(texts[start].as_py())
            start += 1
            continue
        total = np.cumsum(sizes[start:])
        end = start + max(1, int(np.searchsorted(total, SLICE, side="right")))
        shingles, offsets = shingles_of(texts[start:end])
        for row in range(end - start):
            yield np.unique(shingles[offsets[row] : offsets[row + 1]])
        start = end
