"""A random draw of what was dropped for each reason, and of what each rule changed.

Files of documents may be larger than memory: they are read a batch at a time, and the texts of
those drawn only. The draw is a bottom-k sample by hash, so it needs one reading, keeps a handful
of rows a reason, and is the same whatever their order.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

#: Documents drawn of each reason or line, and the seed of the draw.
DRAWN, SEED = 4, 0
#: Characters of a text that are read; fewer are shown.
_CHARACTERS = 2000
_BATCH = 256


@dataclass
class Group:
    """What one rule did: to how many, and a few of them."""

    name: str
    stage: str
    count: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Changed:
    """Passages by rule, and the lines of boilerplate with the documents they stood in."""

    passages: dict[str, list[dict[str, Any]]]
    lines: list[Group]  # name is the line, stage its source


def draw_dropped(path: Path) -> list[Group]:
    """The reasons in dropped.parquet, the commonest first."""
    counts: Counter[tuple[str, str]] = Counter()
    drawn: dict[tuple[str, str], list[tuple[str, int]]] = {}
    names = ["stage", "reason", "url", "doc_id"]
    for number, row in enumerate(_rows(path, names)):
        key = (row["stage"], row["reason"])
        counts[key] += 1
        keep_lowest(drawn.setdefault(key, []), rank(*key, row["url"], row["doc_id"]), number)
    texts = _texts(path, {number for entries in drawn.values() for _, number in entries})
    return [
        Group(reason, stage, count, [texts[number] for _, number in drawn[stage, reason]])
        for (stage, reason), count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    ]


def draw_changed(path: Path) -> Changed:
    """What changed.parquet holds, the commonest lines first."""
    passages: dict[str, list[dict[str, Any]]] = {}
    lines: dict[tuple[str, str], Group] = {}
    ranks: dict[tuple[str, str], list[tuple[str, dict[str, Any]]]] = {}
    for row in _rows(path, None):
        if row["rule"] != "boilerplate":
            passages.setdefault(row["rule"], []).append(row)
            continue
        key = (row["source"], row["before"])
        lines.setdefault(key, Group(row["before"], row["source"])).count += 1
        keep_lowest(ranks.setdefault(key, []), rank(*key, row["doc_id"]), row)
    for key, group in lines.items():
        group.rows = [row for _, row in ranks[key]]
    ordered = sorted(lines.values(), key=lambda group: (-group.count, group.stage, group.name))
    return Changed(dict(sorted(passages.items())), ordered)


def keep_lowest(drawn: list[tuple[str, Any]], rank: str, what: Any, most: int = DRAWN) -> None:
    """Keep the entries of the lowest ranks, in order."""
    if len(drawn) < most or rank < drawn[-1][0]:
        drawn.append((rank, what))
        drawn.sort(key=lambda entry: entry[0])
        del drawn[most:]


def rank(*names: str | None) -> str:
    """Where something of this name comes in a draw: anywhere, and always there."""
    return sha256("\0".join([str(SEED), *(name or "" for name in names)]).encode()).hexdigest()


def _rows(path: Path, names: list[str] | None) -> Iterator[dict[str, Any]]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(_BATCH, columns=names):
            yield from batch.to_pylist()


def _texts(path: Path, wanted: set[int]) -> dict[int, dict[str, Any]]:
    """The wanted rows by number, the beginning of each text only."""
    found: dict[int, dict[str, Any]] = {}
    number = 0
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(_BATCH):
            for index in sorted(wanted & set(range(number, number + batch.num_rows))):
                row = batch.slice(index - number, 1)
                text = pc.utf8_slice_codeunits(row["text"], 0, _CHARACTERS)
                values = row.drop_columns(["text"]).to_pylist()[0]
                found[index] = values | {"text": text[0].as_py()}
            number += batch.num_rows
    return found
