"""Stories of all models side by side: the same prompt and setting, a column a model.

The n-th story of a kind, by its seed, stands beside the n-th of the others. What no other model was
asked for stands by itself, drawn at random with a stated seed like all else: none is picked.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow.compute as pc

from pipeline.ratings.stories import Kind, by_kind
from pipeline.reports.material import Material
from pipeline.reports.models.standing import Standing
from pipeline.reports.sections.section import Section
from pipeline.reports.sections.stories import SEED, describe, draw
from pipeline.reports.story import Story, tell
from pipeline.reports.text import counted, one_line

#: Rows that several models share, and stories of a model that shares none.
ROWS, ALONE = 12, 3


@dataclass(frozen=True)
class Group:
    """A prompt, and rows of stories under it: how they were drawn, and (model, story)."""

    prompt: str
    rows: Sequence[tuple[str, Sequence[tuple[str, Story]]]]


def section(standings: Sequence[Standing]) -> Section | None:
    """The stories; None where no model has any. Raises ValueError as `tell`."""
    materials = [one.material for one in standings]
    found = {material.name: by_kind(_last(material)) for material in materials}
    shared = _rows(found, at_least=2)
    alone = [name for name in found if not any(name in row for row in shared.values())]
    drawn = draw(list(shared), ROWS)
    groups = _groups(materials, {key: shared[key] for key in drawn})
    for name in alone:
        own = _rows({name: found[name]}, at_least=1)
        groups += _groups(materials, {key: own[key] for key in draw(list(own), ALONE)})
    if not groups:
        return None
    content = {"groups": groups, "said": _said(len(shared), len(drawn), alone)}
    return Section("stories", "Their stories side by side", "models/stories.html", content)


def _last(material: Material) -> list[dict[str, Any]]:
    steps = material.samples["step"]
    if not material.samples.num_rows:
        return []
    return list(material.samples.filter(pc.equal(steps, pc.max(steps))).to_pylist())


def _rows(
    found: Mapping[str, Mapping[Kind, Sequence[Mapping[str, Any]]]], at_least: int
) -> dict[tuple[Kind, int], dict[str, Mapping[str, Any]]]:
    """(What was asked for, the n-th of it) -> model -> story, where so many models have one."""
    rows: dict[tuple[Kind, int], dict[str, Mapping[str, Any]]] = defaultdict(dict)
    for name, kinds in found.items():
        for kind, stories in kinds.items():
            for nth, story in enumerate(stories):
                rows[kind, nth][name] = story
    return {key: row for key, row in rows.items() if len(row) >= at_least}


def _groups(
    materials: Sequence[Material], rows: Mapping[tuple[Kind, int], Mapping[str, Mapping[str, Any]]]
) -> list[Group]:
    of = {material.name: material for material in materials}
    groups: dict[str, list[tuple[str, list[tuple[str, Story]]]]] = {}
    for row in rows.values():
        first = next(iter(row.values()))
        told = [(name, _told(of[name], story)) for name, story in row.items()]
        found = groups.setdefault(one_line(first["prompt"], 300), [])
        found.append((_described(list(row.values())), told))
    return [Group(prompt, found) for prompt, found in groups.items()]


def _described(stories: Sequence[Mapping[str, Any]]) -> str:
    """How they were drawn: alike, but for the length, since tokens of two models are not."""
    lengths = sorted({story["max_length"] for story in stories})
    alike, _, length = describe(stories[0]).rpartition(" · ")
    if len(lengths) > 1:
        length = f"at most {lengths[0]:,} to {lengths[-1]:,} tokens"
    return f"{alike} · {length}"


def _told(material: Material, story: Mapping[str, Any]) -> Story:
    def of_it(name: str) -> list[dict[str, Any]]:
        table = getattr(material, name)
        return list(table.filter(pc.equal(table["sample"], story["sample"])).to_pylist())

    return tell(story, of_it("passages"), next(iter(of_it("quality")), None))


def _said(rows: int, drawn: int, alone: Sequence[str]) -> str:
    said = ""
    if rows:
        said = f"All {counted(rows, 'row')} of stories that models were asked for alike are here."
        if drawn < rows:
            said = (
                f"{drawn} of {counted(rows, 'row')} of stories that models were asked for alike, "
                f"drawn at random with seed {SEED}."
            )
    if alone:
        names = ", ".join(alone)
        said += (
            f" Of {names}, which shares no prompt and setting with another, at most {ALONE} "
            f"stories drawn with seed {SEED}."
        )
    return said.strip()
