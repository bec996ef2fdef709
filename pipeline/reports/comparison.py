"""Held-out text before and after training, group by group.

The common figure is bits per UTF-8 byte, since perplexity per token does not compare models with
different tokenizers. A figure that is missing or not finite is an error, never a gap that a
reader could take for a result.
"""

import math
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

#: From the whole to its parts; other groupings follow in alphabetical order.
GROUPINGS = ("all", "franchise", "source", "genre")
#: A difference below this is noise of rounding and padding, not a result.
NEGLIGIBLE = 0.005


@dataclass(frozen=True)
class Comparison:
    """One group of held-out text under the model before and after training."""

    group_by: str
    group: str
    documents: int
    bytes: int
    before: float  # bits per byte
    after: float
    word_perplexity_before: float
    word_perplexity_after: float

    @property
    def verdict(self) -> str:
        """better, worse, or same."""
        if abs(self.after - self.before) < NEGLIGIBLE:
            return "same"
        return "better" if self.after < self.before else "worse"


def held_out_split(scores: pa.Table) -> str:
    """The split that is judged: test where it was scored, else validation. Raises ValueError."""
    splits = set(scores["split"].to_pylist())
    for split in ("test", "validation"):
        if split in splits:
            return split
    raise ValueError(f"scores hold no held-out split, only: {', '.join(sorted(splits)) or 'none'}")


def compare(scores: pa.Table) -> list[Comparison]:
    """The groups of the held-out split, the whole first, then each grouping by size.

    Raises ValueError where a group was scored at one stage only or a figure is not finite.
    """
    split = held_out_split(scores)
    stages: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}
    for row in scores.to_pylist():
        if row["split"] == split:
            stages.setdefault((row["group_by"], row["group"]), {})[row["stage"]] = row
    if not any(group_by == "all" for group_by, _ in stages):
        raise ValueError(f"scores have no row for all of the {split} split; let it be scored again")
    found = [_comparison(key, rows) for key, rows in stages.items()]
    return sorted(found, key=_order)


def overall(scores: pa.Table) -> Comparison:
    """The whole held-out split. Raises as `compare`."""
    return compare(scores)[0]


def _comparison(key: tuple[str, str], stages: dict[str, dict[str, Any]]) -> Comparison:
    group_by, group = key
    for stage in ("initial", "trained"):
        if stage not in stages:
            raise ValueError(
                f"scores have {group_by} {group!r} without its {stage} stage; let both be scored"
            )
        figure = stages[stage]["bits_per_byte"]
        if not math.isfinite(figure):
            raise ValueError(f"bits per byte of {group_by} {group!r} ({stage}) is {figure}")
    initial, trained = stages["initial"], stages["trained"]
    return Comparison(
        group_by=group_by,
        group=group,
        documents=trained["documents"],
        bytes=trained["bytes"],
        before=initial["bits_per_byte"],
        after=trained["bits_per_byte"],
        word_perplexity_before=initial["perplexity_per_word"],
        word_perplexity_after=trained["perplexity_per_word"],
    )


def _order(row: Comparison) -> tuple[int, str, int, str]:
    known = row.group_by in GROUPINGS
    rank = GROUPINGS.index(row.group_by) if known else len(GROUPINGS)
    return rank, row.group_by, -row.bytes, row.group
