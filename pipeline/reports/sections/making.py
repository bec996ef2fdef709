"""How it was made: everything needed to make it again, as the training wrote it down."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.reports.material import Material
from pipeline.reports.sections.section import Section
from pipeline.reports.text import number, one_line, size

#: At most so many lines a table and characters of the verbatim record.
LINES, RECORD = 60, 20_000
#: At most so many tables; the record has the rest.
GROUPS = 40
#: A value longer than this is folded away with the record.
VALUE = 200


def section(material: Material) -> Section:
    """The configuration, the machine and the versions, and the record as it stands."""
    groups = dict(_groups("run", material.training))
    totals = {k: v for k, v in material.corpus_figures.items() if not isinstance(v, Mapping)}
    groups |= dict(_groups("corpus", totals))
    record = json.dumps(material.training, indent=2, ensure_ascii=False, sort_keys=True)
    content = {
        "groups": [(name, lines[:LINES]) for name, lines in list(groups.items())[:GROUPS]],
        "record": record[:RECORD],
        "record_left_out": max(0, len(record) - RECORD),
    }
    return Section("making", "How it was made", "making.html", content)


def _groups(name: str, value: Mapping[str, Any]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """A group of (key, value) lines, then one for each mapping in it."""
    nested: list[tuple[str, Mapping[str, Any]]] = []
    lines: list[tuple[str, str]] = []
    for key, inner in value.items():
        if isinstance(inner, Mapping):
            nested.append((key, inner))
        elif isinstance(inner, list) and inner and all(isinstance(i, Mapping) for i in inner):
            nested += [(f"{key} {nth}", item) for nth, item in enumerate(inner, 1)]
        else:
            lines.append((_spoken(key), _said(key, inner)))
    if lines:
        yield _spoken(name), lines
    for key, inner in nested:
        yield from _groups(key if name == "run" else f"{name}: {key}", inner)


def _said(key: str, value: Any) -> str:
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float) and key.endswith("bytes"):
        return size(value)
    if isinstance(value, int) and "seed" not in key:
        return number(value)
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 100 else number(value)
    if isinstance(value, list):
        return one_line(", ".join(_item(item) for item in value) or "none", VALUE)
    return one_line(str(value), VALUE)


def _item(value: Any) -> str:
    return f"“{value}”" if isinstance(value, str) else str(value)


def _spoken(key: str) -> str:
    return one_line(key.replace("_", " "), 80)
