"""What the model tells: every sample, or a random draw whose seed is stated; none picked by hand.

Samples of one prompt, genre and setting stand side by side, one column a checkpoint, so that a
reader sees the model learn.
"""

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.reports.material import Material
from pipeline.reports.sections.section import Section
from pipeline.reports.story import Story, tell
from pipeline.reports.text import counted, number, one_line

#: At most so many rows of stories (each one sample a checkpoint); of more, a draw.
ROWS = 24
#: At most so many checkpoints side by side, evenly apart, the first and the last among them.
CHECKPOINTS = 4
#: Of the draw. A constant, so that the same samples give the same page.
SEED = 20


#: Of a row of stories: prompt, setting, genre, and which of several of one kind.
_At = tuple[int, str, str, int]


@dataclass(frozen=True)
class Row:
    """The stories of one prompt and setting, a checkpoint each."""

    setting: str
    described: str
    stories: Sequence[Story]


def section(material: Material) -> Section:
    """The stories, grouped by prompt. Raises ValueError where passages are of other samples."""
    samples = material.samples.to_pylist()
    steps = sorted({sample["step"] for sample in samples})
    kept_steps = spread(steps, CHECKPOINTS)
    rows = _rows(samples)
    drawn = draw(sorted(rows), ROWS)
    shown = {
        row["sample"] for key in drawn for step, row in rows[key].items() if step in kept_steps
    }
    passages: dict[int, list[Mapping[str, Any]]] = {}
    for passage in rows_of(material.passages, shown):
        passages.setdefault(passage["sample"], []).append(passage)
    quality = {row["sample"]: row for row in rows_of(material.quality, shown)}

    def told(sample: Mapping[str, Any]) -> Story:
        number = sample["sample"]
        return tell(sample, passages.get(number, ()), quality.get(number))

    prompts: dict[tuple[int, str], list[Row]] = {}
    for key in drawn:
        row = rows[key]
        first = row[min(row)]
        stories = [told(row[step]) for step in kept_steps if step in row]
        told_row = Row(first["setting"], describe(first), stories)
        prompts.setdefault((first["prompt_index"], first["prompt"]), []).append(told_row)
    content = {
        "prompts": [(one_line(prompt, 300), found) for (_, prompt), found in prompts.items()],
        "selection": _selection(len(samples), len(rows), len(drawn), steps, kept_steps),
        "passage": material.memorisation_figures.get("passage"),
    }
    figures = {"samples": len(samples), "checkpoints": len(steps), "prompts": _prompts(samples)}
    return Section("stories", "Stories it tells", "stories.html", content, figures)


def rows_of(table: pa.Table, samples: Collection[int]) -> list[dict[str, Any]]:
    """The rows of these samples: of a large set the report shows a few."""
    wanted = pa.array(sorted(samples), pa.int64())
    return list(table.filter(pc.is_in(table["sample"], value_set=wanted)).to_pylist())


def describe(sample: Mapping[str, Any]) -> str:
    """The sampling settings in words: temperature 0.8 · top-k 50 · …"""
    parts = [
        f"temperature {sample['temperature']:g}",
        f"top-k {sample['top_k']}" if sample["top_k"] else "top-k off",
        f"top-p {sample['top_p']:g}",
        f"repetition penalty {sample['repetition_penalty']:g}",
        f"at most {counted(sample['max_length'], 'token')}",
    ]
    return " · ".join(parts)


def draw(keys: Sequence[Any], count: int, seed: int = SEED) -> list[Any]:
    """`count` of the keys at random, in their order; all where there are no more."""
    if len(keys) <= count:
        return list(keys)
    chosen = random.Random(seed).sample(range(len(keys)), count)  # noqa: S311 - not a secret
    return [keys[index] for index in sorted(chosen)]


def spread(steps: Sequence[int], count: int) -> list[int]:
    """At most `count` of the steps, evenly apart, the first and the last among them."""
    if len(steps) <= count:
        return list(steps)
    return [steps[round(i * (len(steps) - 1) / (count - 1))] for i in range(count)]


def _rows(
    samples: Sequence[Mapping[str, Any]],
) -> dict[_At, dict[int, Mapping[str, Any]]]:
    """Where a row stands -> step -> the n-th sample of that prompt, setting, genre and step."""
    rows: dict[_At, dict[int, Mapping[str, Any]]] = {}
    seen: dict[tuple[int, str, str, int], int] = {}

    def of(sample: Mapping[str, Any]) -> tuple[int, str, str, int]:
        genre = sample["genre"] or ""
        return sample["prompt_index"], sample["setting"], genre, sample["step"]

    for sample in sorted(samples, key=lambda sample: (*of(sample), sample["seed"])):
        at = of(sample)
        nth = seen[at] = seen.get(at, -1) + 1
        rows.setdefault((*at[:3], nth), {})[sample["step"]] = sample
    return rows


def _selection(
    samples: int, rows: int, drawn: int, steps: Sequence[int], kept: Sequence[int]
) -> str:
    if samples == 0:
        return "No stories were sampled."
    if drawn == rows and len(kept) == len(steps):
        return f"All {counted(samples, 'sample')} are here; none was picked or left out."
    said = "None was picked by hand: "
    if drawn < rows:
        said += f"{number(drawn)} of {number(rows)} rows were drawn at random with seed {SEED}"
    else:
        said += "every row is here"
    if len(kept) < len(steps):
        said += f", and {len(kept)} of {len(steps)} checkpoints, evenly apart"
    return said + ". All samples stand in samples.parquet."


def _prompts(samples: Sequence[Mapping[str, Any]]) -> int:
    return len({sample["prompt_index"] for sample in samples})
