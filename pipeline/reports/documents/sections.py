"""The parts of the page of documents: what was left out, boilerplate, what was repaired."""

from collections.abc import Mapping
from typing import Any

from pipeline.reports.documents.draw import DRAWN, SEED, Changed, Group
from pipeline.reports.sections.section import Section
from pipeline.reports.text import counted, number, one_line, percent

#: Reasons and lines shown; characters of a title, of a text and of a passage.
SHOWN, TITLE, TEXT, PASSAGE = 40, 120, 300, 240


def headline(title: str, figures: Mapping[str, Any]) -> Section:
    """How much came of how many pages."""
    documents, dropped = figures["documents"], figures["dropped"]
    changed = figures["changed_by_rule"]
    share = dropped / (documents + dropped) if documents + dropped else 0.0
    content = {
        "verdict": f"{counted(documents, 'document')} kept, {counted(dropped, 'piece')} left out"
        f" ({percent(share, 1)}), of {counted(figures['pages'], 'page')}.",
        "row": [
            ("document", "documents", number(documents), ""),
            ("", "words", number(figures["words"]), ""),
            ("", "pages with a story", number(figures["pages_with_story"]), ""),
            ("reason", "left out", number(dropped), ""),
            ("boilerplate", "had boilerplate", number(changed.get("boilerplate", 0)), "documents"),
        ],
    }
    return Section("documents", title, "documents/headline.html", content)


def sections(dropped: list[Group], changed: Changed, figures: Mapping[str, Any]) -> list[Section]:
    """All that have something to say."""
    counts: Mapping[str, int] = figures["changed_by_rule"]
    parts = [_dropped(dropped)]
    if changed.lines:
        parts.append(_boilerplate(changed.lines))
    if changed.passages:
        parts.append(_repairs(changed, counts))
    return parts


def _dropped(groups: list[Group]) -> Section:
    content = {
        "seed": SEED,
        "drawn": DRAWN,
        "reasons": [
            {
                "stage": group.stage,
                "reason": one_line(group.name, TITLE),
                "count": group.count,
                "rows": [_told(row) for row in group.rows],
            }
            for group in groups[:SHOWN]
        ],
        "left_out": max(0, len(groups) - SHOWN),
    }
    return Section("dropped", "What was left out", "documents/dropped.html", content)


def _boilerplate(lines: list[Group]) -> Section:
    content = {
        "lines": [
            {
                "line": one_line(group.name, TEXT),
                "source": one_line(group.stage, TITLE),
                "count": group.count,
                "rows": [_told(row) for row in group.rows],
            }
            for group in lines[:SHOWN]
        ],
        "left_out": max(0, len(lines) - SHOWN),
    }
    return Section("boilerplate", "Boilerplate taken off", "documents/boilerplate.html", content)


def _repairs(changed: Changed, counts: Mapping[str, int]) -> Section:
    content = {
        "rules": [
            {
                "rule": rule,
                "count": counts.get(rule, len(rows)),
                "rows": [
                    _told(row)
                    | {
                        "before": one_line(row["before"], PASSAGE),
                        "after": one_line(row["after"], PASSAGE),
                    }
                    for row in rows
                ],
            }
            for rule, rows in changed.passages.items()
        ]
    }
    return Section("repairs", "What was repaired", "documents/repairs.html", content)


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    """A document as it is named on the page, with the beginning of its text where there is one."""
    figure = row.get("figure")
    section = one_line(row["section"] or "", TITLE)
    return {
        "title": one_line(row["title"] or row["url"], TITLE),
        "section": section,
        "url": row["attribution_url"] or row["url"],
        "licence": one_line(row["licence"], TITLE),
        "figure": "" if figure is None else number(int(figure) if figure % 1 == 0 else figure, 3),
        "text": one_line(row.get("text") or "", TEXT),
    }
