"""The parts of the page of changes: the sentence, the alarm, the reasons, the examples."""

from collections.abc import Mapping
from typing import Any

from pipeline.diff.changes import DRAWN, SEED, Kind, Reason
from pipeline.drift import NAMED
from pipeline.reports.changes.comparison import Comparison
from pipeline.reports.sections.section import Section
from pipeline.reports.text import change, counted, number, one_line

#: Reasons shown of a kind, pages named by the alarm; characters of a title and of a reason.
SHOWN, TITLE, REASON = 40, 120, 160
#: What a change other than of the text was from and to, by its column.
_OTHERS = (
    *("licence", "title", "section", "genre", "language", "url", "attribution_url"),
    "split",
)
_TITLES: dict[Kind, str] = {"came": "What came", "went": "What went", "changed": "What changed"}


def headline(comparison: Comparison) -> Section:
    """One sentence and a few figures."""
    changes = comparison.changes
    content: dict[str, Any] = {
        "verdict": _verdict(comparison),
        "refused": bool(comparison.refused),
        "remedy": comparison.refused,
        "accept": comparison.accept,
        "row": [],
    }
    if changes is not None:
        taken = sum(one.documents for one in comparison.taken_down)
        note = f"{number(changes.before)} before" + ", without those taken down" * bool(taken)
        content["row"] = [
            ("document", "documents", number(changes.now), note),
            *([("taken-down", "taken down", number(taken), "")] if taken else []),
            *((kind, kind, number(changes.count(kind)), "") for kind in _TITLES),
            ("", "unchanged", number(changes.unchanged), ""),
        ]
    return Section("changes", comparison.title, "changes/headline.html", content)


def _verdict(comparison: Comparison) -> str:
    taken = sum(one.documents for one in comparison.taken_down)
    were = "was" if taken == 1 else "were"
    told = f"{counted(taken, 'document')} {were} taken down. " if taken else ""
    return told + _compared(comparison, "Nothing else changed" if taken else "Nothing changed")


def _compared(comparison: Comparison, nothing: str) -> str:
    changes = comparison.changes
    if comparison.refused:
        assert comparison.drift is not None
        told = [one_line(sentence, 2 * REASON) for sentence in comparison.drift.beyond]
        return f"Refused: {told[0]}. The last good documents stand."
    if changes is None:
        return f"{counted(comparison.documents, 'document')}. {comparison.nothing}"
    came, went, changed = (changes.count(kind) for kind in _TITLES)
    if not (came or went or changed):
        return f"{nothing}: {counted(changes.now, 'document')}, as they were."
    return (
        f"{counted(came, 'document')} came, {number(went)} went and {number(changed)} changed; "
        f"{number(changes.unchanged)} stayed as they were."
    )


def sections(comparison: Comparison) -> list[Section]:
    """All that have something to say."""
    parts = []
    drift = comparison.drift
    if drift is not None and drift.compared and comparison.refused:
        parts.append(_drift(comparison, "Why it was refused"))
    if comparison.taken_down:
        rows = [
            (one.documents, one.at or "unknown", one_line(one.reason or "unknown", REASON))
            for one in comparison.taken_down
        ]
        content = {"takedowns": rows}
        parts.append(
            Section("taken-down", "What was taken down", "changes/taken_down.html", content)
        )
    if comparison.splits:
        splits = {"splits": comparison.splits}
        parts.append(Section("splits", "Before and now", "changes/splits.html", splits))
    if comparison.settings:
        told = [[one_line(part, REASON) for part in row] for row in comparison.settings]
        settings = {"settings": told}
        parts.append(Section("settings", "Made otherwise", "changes/settings.html", settings))
    if comparison.changes is not None and comparison.changes.reasons:
        reasons = comparison.changes.reasons
        parts.append(_reasons(reasons))
        parts += [
            _examples(kind, chosen)
            for kind in _TITLES
            if (chosen := [reason for reason in reasons if reason.kind == kind])
        ]
    if drift is not None and drift.compared and not comparison.refused:
        parts.append(_drift(comparison, "The same pages, then and now"))
    return parts


def _drift(comparison: Comparison, title: str) -> Section:
    drift = comparison.drift
    assert drift is not None
    content = {
        "parts": [
            {
                "source": one_line(part.source, TITLE),
                "pages": part.pages,
                "which": ("changed since" if part.changed else "all")
                + (", within a year" if part.year else ""),
                "measures": [
                    {
                        "name": measure.name,
                        "before": number(_plainly(measure.before), 1),
                        "now": number(_plainly(measure.after), 1),
                        "change": change(measure.before, measure.after) if measure.before else "",
                        "beyond": measure.beyond,
                    }
                    for measure in part.measures
                ],
            }
            for part in drift.compared
        ],
        "fallen": drift.fallen,
        "left_out": max(0, drift.fallen - NAMED),
        "pages": [
            {
                "title": one_line(page.title or page.url, TITLE),
                "url": page.url,
                "source": one_line(page.source, TITLE),
                "documents": (page.documents_before, page.documents),
                "characters": (page.characters_before, page.characters),
            }
            for page in drift.pages
        ],
    }
    return Section("drift", title, "changes/drift.html", content)


def _plainly(value: float) -> float | int:
    return int(value) if value % 1 == 0 else value


def _reasons(reasons: list[Reason]) -> Section:
    rows = [
        {
            "kind": reason.kind,
            "name": one_line(reason.name, REASON),
            "count": reason.count,
        }
        for reason in sorted(reasons, key=lambda reason: -reason.count)
    ]
    content = {"reasons": rows[:SHOWN], "left_out": max(0, len(rows) - SHOWN)}
    return Section("reasons", "Reasons", "changes/reasons.html", content)


def _examples(kind: Kind, reasons: list[Reason]) -> Section:
    content = {
        "drawn": DRAWN,
        "seed": SEED,
        "reasons": [
            {
                "name": one_line(reason.name, REASON),
                "count": reason.count,
                "rows": [_told(row) for row in reason.rows],
            }
            for reason in reasons[:SHOWN]
        ],
        "left_out": max(0, len(reasons) - SHOWN),
    }
    return Section(kind, _TITLES[kind], "changes/examples.html", content)


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    """A document as it is named on the page, with what the reason has to say of it."""
    return {
        "title": one_line(row["title"] or row["doc_id"], TITLE),
        "url": row["url"],
        "facts": [one_line(fact, TITLE) for fact in _facts(row)],
        "excerpt": row.get("excerpt"),
    }


def _facts(row: Mapping[str, Any]) -> list[str]:
    facts = [row["section"]] if row["section"] else []
    if row.get("revision_now") != row.get("revision") and row.get("revision_now"):
        facts.append(f"revision {row.get('revision') or 'unknown'} → {row['revision_now']}")
    for unit in ("characters", "bytes"):
        before, now = row.get(unit), row.get(f"{unit}_now")
        if before is not None and now is not None and now != before:
            facts.append(f"{number(before)} → {number(now)} {unit}")
        elif before is not None:
            facts.append(counted(before, unit.removesuffix("s")))
    for name in _OTHERS:
        if f"{name}_now" in row and row[f"{name}_now"] != row[name]:
            said = [row[column] or "none" for column in (name, f"{name}_now")]
            facts.append(f"{name.replace('_', ' ')} {said[0]} → {said[1]}")
        elif name == "split" and row.get("split"):
            facts.append(row["split"])
    if row.get("partner"):
        facts.append(f"like {row['partner']}")
    if (figure := row.get("figure")) is not None:
        facts.append(f"figure {number(_plainly(figure), 3)}")
    return [*facts, row["licence"]]
