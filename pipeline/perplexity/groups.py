"""Scores by group: all text, and each franchise, source, genre and licence.

A group's figure is its summed bits over its summed bytes, with an interval over its works.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import intervals

_SUMMED = ("documents", "bytes", "words", "tokens", "nats")


@dataclass(frozen=True)
class Group:
    """Some of the text, one row a work."""

    group_by: str  # all, franchise, source, genre, licence
    name: str  # a source as franchise/source
    works: pa.Table  # work_id, and `<column>_sum` of each column that was asked for

    def sums(self, column: str) -> npt.NDArray[np.float64]:
        """Of each work; NaN where null. Shape (works,)."""
        found = self.works[f"{column}_sum"].cast(pa.float64()).to_numpy()
        return np.asarray(found, np.float64)

    def bits(self, column: str = "nats") -> npt.NDArray[np.float64]:
        """Nats of each work as bits. Shape (works,)."""
        return self.sums(column) / math.log(2)


def groups_of(works: pa.Table, summed: tuple[str, ...] = _SUMMED) -> Iterator[Group]:
    """The groups of rows like those of WORKS, in the order in which they first come.

    Documents without a genre count in the other groupings. A group without a byte is none.
    """
    names = {
        "all": pa.array(["all"] * len(works), pa.string()),
        "franchise": works["franchise"],
        "source": pc.binary_join_element_wise(works["franchise"], works["source"], "/"),
        "genre": works["genre"],
        "licence": works["licence"],
    }
    for group_by, of in names.items():
        named = works.append_column("group", of).filter(pc.is_valid(of))
        by_work = named.group_by(["group", "work_id"], use_threads=False).aggregate(
            [(column, "sum") for column in summed]
        )
        for name in pc.unique(by_work["group"]).to_pylist():
            group = Group(group_by, name, by_work.filter(pc.equal(by_work["group"], name)))
            if group.sums("bytes").any():
                yield group


def scores(works: pa.Table, *, seed: int) -> list[dict[str, Any]]:
    """Rows of SCORES of one scorer and split, whose `works` (WORKS) these are."""
    model, stage, split = (works[name][0].as_py() for name in ("model", "stage", "split"))
    rows = []
    for group in groups_of(works):
        figure = intervals.ratio(group.bits(), group.sums("bytes"), seed=seed)
        tokens = group.sums("tokens").sum()
        row = {name: int(group.sums(name).sum()) for name in ("documents", "bytes", "words")}
        nats = float(group.sums("nats").sum())
        rows.append(
            {"model": model, "stage": stage, "split": split}
            | {"group_by": group.group_by, "group": group.name, "works": len(group.works)}
            | row
            | {"tokens": None if math.isnan(tokens) else int(tokens), "nats": nats}
            | {"bits_per_byte": figure.value, "low": figure.low, "high": figure.high}
            | {
                "perplexity_per_token": None
                if math.isnan(tokens)
                else perplexity(nats, int(tokens)),
                "perplexity_per_word": perplexity(nats, row["words"]),
            }
        )
    return rows


def perplexity(nats: float, units: int) -> float:
    """exp(nats a unit); infinite where that is beyond a float, or where there is no unit."""
    try:
        return math.exp(nats / units)
    except (OverflowError, ZeroDivisionError):
        return math.inf
