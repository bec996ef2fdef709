"""How it was made: everything needed to make it again, as the training wrote it down."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.reports.material import Material
from pipeline.reports.sections.section import Section
from pipeline.reports.text import number, one_line, size

#: At most so many lines a table and characters of the verbatim record.
LINES, RECORD = 120, 20_000
#: A value longer than this is folded away with the record.
VALUE = 200


def section(material: Material) -> Section:
    """The configuration, the machine and the versions, and the record as it stands."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for key, value in material.training.items():
        nested = isinstance(value, Mapping)
        group = key if nested else "training"
        groups.setdefault(group, []).extend(_lines(value) if nested else [_line(key, value)])
    corpus = {k: v for k, v in material.corpus_figures.items() if not isinstance(v, Mapping)}
    groups["corpus"] = list(_lines(corpus))
    record = json.dumps(material.training, indent=2, ensure_ascii=False, sort_keys=True)
    content = {
        "groups": [(_spoken(name), lines[:LINES]) for name, lines in groups.items() if lines],
        "record": record[:RECORD],
        "record_left_out": max(0, len(record) - RECORD),
    }
    return Section("making", "How it was made", "making.html", content)


def _lines(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """(key, value) of every leaf; keys of nested ones are joined by a space."""
    for key, inner in value.items():
        if isinstance(inner, list) and any(isinstance(item, Mapping) for item in inner):
            inner = {str(index): item for index, item in enumerate(inner, 1)}
        if isinstance(inner, Mapping):
            yield from _lines(inner, f"{prefix}{key} ")
        else:
            yield _line(f"{prefix}{key}", inner)


def _line(key: str, value: Any) -> tuple[str, str]:
    return _spoken(key), _said(key, value)


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
        return f"{value:g}" if abs(value) < 100 else number(value)
    if isinstance(value, str):
        return one_line(value, VALUE)
    if isinstance(value, list) and not any(isinstance(item, dict | list) for item in value):
        return one_line(", ".join(str(item) for item in value), VALUE)
    return one_line(json.dumps(value, ensure_ascii=False, sort_keys=True), VALUE)


def _spoken(key: str) -> str:
    return one_line(key.replace("_", " "), 80)
