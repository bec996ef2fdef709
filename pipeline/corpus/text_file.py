"""The texts of a corpus's documents in one file aside, each to be had by itself.

Documents stand in their files as pages came in, and in a corpus by work; a Parquet file cannot be
read in another order than its own. So the texts are copied once, as plain bytes, and memory holds
where each begins and ends.
"""

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.corpus.catalogue import LARGEST, empty_documents, too_long, whole

_ROWS = 64  # at LARGEST each the most that is in memory; mostly a chapter


class TextFile:
    """The texts of some documents of a catalogue, by franchise and row; a context manager.

    Raises CorpusError where a file cannot be read, or holds an empty text or one beyond LARGEST.
    """

    def __init__(self, documents: Mapping[str, Path], wanted: pa.Table, path: Path):
        self._places: dict[str, np.ndarray[tuple[int, int], np.dtype[np.int64]]] = {}
        self._path = path
        with path.open("wb") as file:
            for franchise in sorted(documents):
                rows = wanted.filter(pc.equal(wanted["franchise"], franchise))["row"].to_numpy()
                with whole(documents[franchise], franchise):
                    source = pq.ParquetFile(documents[franchise])
                with source:
                    place = np.full((source.metadata.num_rows, 2), -1)
                    there = np.zeros(len(place), bool)
                    there[rows] = True
                    start = 0
                    batches = source.iter_batches(_ROWS, columns=["doc_id", "text"])
                    while True:
                        with whole(documents[franchise], franchise):
                            batch = next(batches, None)
                        if batch is None:
                            break
                        of_batch = there[start : start + len(batch)]
                        kept = batch.filter(pa.array(of_batch))
                        start += len(batch)
                        if not len(kept):
                            continue
                        lengths = pc.binary_length(kept["text"]).to_numpy()
                        _check(franchise, documents[franchise], kept, lengths)
                        ends = file.tell() + np.cumsum(lengths)
                        where = start - len(batch) + np.flatnonzero(of_batch)
                        place[where] = np.stack([ends - lengths, ends], axis=1)
                        for text in kept["text"]:
                            file.write(text.as_buffer())
                self._places[franchise] = place

    def __enter__(self) -> "TextFile":
        self._descriptor = os.open(self._path, os.O_RDONLY)
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def read(self, franchise: str, row: int) -> str:
        """The text of the document in this row of its franchise's file."""
        start, end = self._places[franchise][row].tolist()
        return os.pread(self._descriptor, end - start, start).decode()


def _check(franchise: str, path: Path, batch: pa.RecordBatch, lengths: np.ndarray) -> None:
    for wrong in np.flatnonzero((lengths == 0) | (lengths > LARGEST)).tolist():
        doc_id, size = batch["doc_id"][wrong].as_py(), int(lengths[wrong])
        if size:
            raise too_long(franchise, path, doc_id, size)
        raise empty_documents(franchise, path, int((lengths == 0).sum()), doc_id)
