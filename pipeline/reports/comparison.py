"""Held-out text before and after training, group by group.

The common figure is bits per UTF-8 byte, since perplexity per token does not compare models with
different tokenizers. Which of two is better is said by the interval of their difference over the
same works (`pipeline.intervals`): where that holds 0, the difference is within chance, and where
there is none, of a single work, nobody knows, however far apart they look. A figure that is missing
or not finite is an error, never a gap that a reader could take for a result.
"""

import math
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from pipeline.intervals import Interval

#: From the whole to its parts; other groupings follow in alphabetical order.
GROUPINGS = ("all", "franchise", "source", "genre", "licence")


@dataclass(frozen=True)
class Comparison:
    """One group of held-out text under the model before and after training."""

    group_by: str
    group: str
    works: int
    documents: int
    bytes: int
    words: int
    before: Interval  # bits per byte
    after: Interval
    difference: Interval  # after less before, in pairs of works

    @property
    def verdict(self) -> str:
        """better, worse or same by the interval of the difference; unknown where it has none."""
        if self.difference.low is None:
            return "unknown"
        if self.difference.below(0):
            return "better"
        return "worse" if self.difference.above(0) else "same"

    @property
    def no_interval(self) -> str:
        """Why it is unknown how much of the difference is chance."""
        return "one work alone" if self.works == 1 else "works that all show the same"

    def per_word(self, bits: Interval) -> Interval:
        """Bits per byte of this text as perplexity per word, its bounds likewise."""
        bytes_a_word = self.bytes / self.words

        def told(value: float | None) -> float | None:
            try:
                return None if value is None else 2 ** (value * bytes_a_word)
            except OverflowError:
                return math.inf

        value = told(bits.value)
        assert value is not None
        return Interval(value, told(bits.low), told(bits.high))


def held_out_split(scores: pa.Table) -> str:
    """The split that is judged: test where it was scored, else validation. Raises ValueError."""
    splits = set(scores["split"].to_pylist())
    for split in ("test", "validation"):
        if split in splits:
            return split
    raise ValueError(f"scores hold no held-out split, only: {', '.join(sorted(splits)) or 'none'}")


def difference_from(than: str, split: str, differences: pa.Table) -> Interval | None:
    """Of all text of a split the trained model's bits less those of a stage; None: not measured."""
    of = {"than": than, "split": split, "group_by": "all"}
    for row in differences.to_pylist():
        if of.items() <= row.items():
            return _interval(row, "value")
    return None


def compare(scores: pa.Table, differences: pa.Table | None = None) -> list[Comparison]:
    """The groups of the held-out split, the whole first, then each grouping by size.

    Without `differences` (DIFFERENCES) a difference has no interval. Raises ValueError where a
    group was scored at one stage only or a figure is not finite.
    """
    split = held_out_split(scores)
    stages: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}
    for row in scores.to_pylist():
        if row["split"] == split and row["stage"] in ("initial", "trained"):
            stages.setdefault((row["group_by"], row["group"]), {})[row["stage"]] = row
    if not any(group_by == "all" for group_by, _ in stages):
        raise ValueError(f"scores have no row for all of the {split} split; let it be scored again")
    by_group = {
        (row["group_by"], row["group"]): _interval(row, "value")
        for row in ([] if differences is None else differences.to_pylist())
        if row["split"] == split and row["than"] == "initial"
    }
    found = [_comparison(key, rows, by_group.get(key)) for key, rows in stages.items()]
    return sorted(found, key=_order)


def _comparison(
    key: tuple[str, str], stages: dict[str, dict[str, Any]], difference: Interval | None
) -> Comparison:
    group_by, group = key
    for stage in ("initial", "trained"):
        if stage not in stages:
            raise ValueError(
                f"scores have {group_by} {group!r} without its {stage} stage; let both be scored"
            )
        figure = stages[stage]["bits_per_byte"]
        if not math.isfinite(figure):
            raise ValueError(f"bits per byte of {group_by} {group!r} ({stage}) is {figure}")
    trained = stages["trained"]
    before, after = (_interval(stages[stage], "bits_per_byte") for stage in ("initial", "trained"))
    return Comparison(
        group_by=group_by,
        group=group,
        works=trained["works"],
        documents=trained["documents"],
        bytes=trained["bytes"],
        words=trained["words"],
        before=before,
        after=after,
        difference=difference or Interval(after.value - before.value),
    )


def _interval(row: dict[str, Any], figure: str) -> Interval:
    return Interval(row[figure], row["low"], row["high"])


def _order(row: Comparison) -> tuple[int, str, int, str]:
    known = row.group_by in GROUPINGS
    rank = GROUPINGS.index(row.group_by) if known else len(GROUPINGS)
    return rank, row.group_by, -row.bytes, row.group
