"""Is the one better than the other? Differences in bits per byte over the works that both scored.

Pairs take out what makes one work harder than another (`pipeline.intervals`). What two scorers need
for a byte of the same text compares, whatever their tokens are.
"""

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline import intervals
from pipeline.perplexity.groups import groups_of
from pipeline.perplexity.works import KEYS
from pipeline.schema import DIFFERENCES, WORKS

#: Rows of two scorers are of the same text where these agree: a work can have other documents in
#: another corpus.
_SAME = ("split", *KEYS, "documents", "bytes", "words")


def compare_models(works: Mapping[str, pa.Table], *, seed: int = 0) -> pa.Table:
    """DIFFERENCES of the trained models, by name, from the WORKS of each.

    Each pair once, `model` the earlier of `works`; held-out text alone, and of it what both scored.
    A pair that shares no text has no row.
    """
    trained = {name: _of(table, "trained", "test") for name, table in works.items()}
    rows = [
        row
        for one, other in combinations(trained, 2)
        for row in differences(trained[one], trained[other], model=one, than=other, seed=seed)
    ]
    return pa.Table.from_pylist(rows, schema=DIFFERENCES)


def differences(
    one: pa.Table, other: pa.Table, *, model: str, than: str, seed: int
) -> list[dict[str, Any]]:
    """Rows of DIFFERENCES by group: bits per byte of `one` less those of `other`.

    Each is WORKS of a single scorer; rows that only one of them has are left out.
    """
    theirs = {_key(row): row["nats"] for row in other.to_pylist()}
    both = [{**row, "than": theirs[key]} for row in one.to_pylist() if (key := _key(row)) in theirs]
    paired = pa.Table.from_pylist(both, schema=WORKS.append(pa.field("than", pa.float64())))
    rows = []
    for group in groups_of(paired, ("bytes", "nats", "than")):
        found = intervals.paired_difference(
            group.bits(), group.bits("than"), group.sums("bytes"), seed=seed
        )
        rows.append(
            {"model": model, "than": than, "split": both[0]["split"]}
            | {"group_by": group.group_by, "group": group.name, "works": len(group.works)}
            | {"value": found.value, "low": found.low, "high": found.high}
        )
    return rows


def _of(works: pa.Table, stage: str, split: str) -> pa.Table:
    """The rows of one scorer and split."""
    chosen = pc.and_(pc.equal(works["stage"], stage), pc.equal(works["split"], split))
    return works.filter(chosen)


def _key(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in _SAME)
