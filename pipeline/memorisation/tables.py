"""The tables of what is repeated, row by row as it is found, and the key figures among them."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.intervals import Interval, clustered_share, ratio
from pipeline.memorisation.copied import Parts, TextCounts
from pipeline.memorisation.novelty import LONGEST_NGRAM
from pipeline.schema import MEMORISATION, NOVELTY


def share_of(parts: Parts, seed: int) -> Interval | None:
    """The share with its interval; None where there is nothing that it could be of."""
    return clustered_share(*parts, seed=seed) if parts[1].sum() else None


class Tables:
    """The rows of NOVELTY and MEMORISATION."""

    def __init__(self, model: str, seed: int):
        self._model = model
        self._seed = seed
        self._novelty: list[dict[str, Any]] = []
        self._memorisation: list[dict[str, Any]] = []
        self.last: dict[str, Interval] = {}  # each measure as it was added last

    def add_texts(self, writer: str, step: int | None, counts: TextCounts) -> None:
        """All that is told of some texts; a figure that they are too short for is left out."""
        for n in range(1, LONGEST_NGRAM + 1):
            parts = counts.novel(n)
            if (value := share_of(parts, self._seed)) is not None:
                row = self._row(writer, step, value)
                self._novelty.append(row | {"n": n, "ngrams": int(parts[1].sum())})
        if (copied := share_of(counts.copied(), self._seed)) is not None:
            self.add(writer, step, "copied", counts.long_enough, copied)
        if counts.texts:
            longest = ratio(*counts.longest(), seed=self._seed)
            self.add(writer, step, "longest", counts.texts, longest)

    def add(self, writer: str, step: int | None, measure: str, texts: int, value: Interval) -> None:
        """One figure of copying, of so many texts."""
        row = self._row(writer, step, value)
        self._memorisation.append(row | {"measure": measure, "texts": texts})
        self.last[measure if writer == "model" else f"{writer}_{measure}"] = value

    def write(self, folder: Path) -> None:
        """novelty.parquet and memorisation.parquet."""
        novelty = pa.Table.from_pylist(self._novelty, schema=NOVELTY)
        pq.write_table(novelty, folder / "novelty.parquet")
        memorisation = pa.Table.from_pylist(self._memorisation, schema=MEMORISATION)
        pq.write_table(memorisation, folder / "memorisation.parquet")

    def _row(self, writer: str, step: int | None, value: Interval) -> dict[str, Any]:
        return {"model": self._model, "writer": writer, "step": step} | asdict(value)
