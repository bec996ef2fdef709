"""The drift alarm as Dagster shows it: the check `no_drift`, its remedy, and how to accept a fall.

The comparison is made inside the build, before the new documents become the good ones. Where it
rings, the build ends and the last good documents stand: the step reports those, with their data
version, and a check that failed and blocks, so that no corpus is made of the refused ones.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field

from dagster_project.presentation import Link, table
from pipeline.artifact import Artifact
from pipeline.drift import LEAST, Drift, DriftError, judge
from pipeline.drift_pages import BOUND, UnreadablePagesError, pages_in_both
from pipeline.drift_record import carried_on, read_carried, record_name, write_carried
from pipeline.reports.text import counted, number, one_line

#: The check's name.
NO_DRIFT = "no_drift"
#: Pages that the check names and characters of a title; the page of changes names more.
_NAMED, _TITLE = 12, 80
#: The figure that names the drift record of a build.
_RECORD = "drift_record"
_BOUND = f"a fall of more than {BOUND:.0%}, in which at least {LEAST} pages fell by as much"


class DocumentsConfig(dg.Config):
    """What a run of documents may be told."""

    accept_drift: bool = Field(
        default=False,
        description="Take the new documents though the same pages give less than before: for a "
        "fall that is meant, after you have looked at the pages that the check no_drift names.",
    )


def held_against(
    last: Artifact | None, folder: Path, *, accept: bool, refused: Callable[[Path, Drift], None]
) -> dict[str, Any]:
    """The new documents' comparison with the last good ones, for their figures.

    Where the same pages give less by more than the bound, `refused` is told, given the last
    folder, before this raises DriftError; unless a person accepts.
    """
    if last is None:
        return {"since": None, "drift": [], "drift_accepted": []}
    today = datetime.now(UTC).date()
    unread, drift = [], Drift()
    name = last.figures.get(_RECORD)
    record = last.root / name if name else None
    try:
        carried = read_carried(record, today)
    except ValueError as error:
        unread.append(str(error))
        carried = read_carried(None, today)
    try:
        pages = pages_in_both(last.folder, folder, carried)
    except UnreadablePagesError as error:
        unread.append(str(error))
    else:
        drift = judge(pages)
        if drift.beyond and not accept:
            refused(last.folder, drift)
            raise DriftError(drift)
        rung = {part.source for part in drift.compared if part.beyond}
        carried = carried_on(pages, today, accepted=rung)
    made = last.root / record_name(folder.name) if carried.num_rows else None
    if made is not None:
        write_carried(made, carried, record)
    return {
        "since": {"version": last.version, "taken_down": last.figures.get("taken_down")},
        "drift": drift.figures(),
        "drift_accepted": drift.beyond,
        "drift_unread": unread,
        _RECORD: made.name if made else None,
    }


REMEDY = (
    "The last good documents stand, and so does every corpus. Open the pages named. If their "
    "stories are there, the site has changed its markup: mend what the franchise's YAML says of "
    "its sections, or update Loremill, and materialize again; the pages are kept, none is crawled "
    "anew. If the stories are really gone, accept that, in the UI by Materialize, Open launchpad "
    "and accept_drift: true, or by"
)


def accepting(key: dg.AssetKey) -> str:
    """The command that takes the new documents all the same."""
    config = {"ops": {key.to_python_identifier(): {"config": {"accept_drift": True}}}}
    return (
        f"dg launch --assets 'key:\"{key.to_user_string()}\"' --config-json '{json.dumps(config)}'"
    )


def no_drift(key: dg.AssetKey, figures: Mapping[str, Any]) -> dg.AssetCheckResult:
    """The check of documents that stand, by their own figures."""
    compared, accepted = figures.get("drift", []), figures.get("drift_accepted", [])
    unread = figures.get("drift_unread", [])
    if accepted:
        told = "accepted by a person: " + "; ".join(accepted)
    elif compared:
        told = f"the same pages give what they gave; the bound is {_BOUND}"
    else:
        told = "nothing to compare with"
    told = ": ".join([told, "; ".join(unread)]) if unread else told
    return dg.AssetCheckResult(
        check_name=NO_DRIFT,
        asset_key=key,
        passed=True,
        description=told,
        metadata={"compared": _compared(compared)} if compared else {},
    )


def drifted(key: dg.AssetKey, drift: Drift, page: str) -> dg.AssetCheckResult:
    """The check of documents that were refused; `page` is the address of the page of changes."""
    named = ", ".join(one_line(fallen.title or fallen.url, _TITLE) for fallen in drift.pages[:3])
    told = [
        *(one_line(sentence, 4 * _TITLE) for sentence in drift.beyond),
        f"{counted(drift.fallen, 'page')}: {named}{', …' if drift.fallen > 3 else ''}",
    ]
    return dg.AssetCheckResult(
        check_name=NO_DRIFT,
        asset_key=key,
        passed=False,
        description=f"{'; '.join(told)}. {REMEDY} {accepting(key)}",
        metadata={
            "pages": _pages(drift),
            "compared": _compared(drift.figures()),
            "bound": _BOUND,
            "accept": accepting(key),
            "what_changed": dg.MetadataValue.url(page),
        },
    )


def _pages(drift: Drift) -> dg.MetadataValue[Any]:
    return table(
        ["page", "source", "sections", "characters"],
        [
            [
                Link(one_line(page.title or page.url, _TITLE), page.url),
                page.source,
                f"{number(page.documents_before)} → {number(page.documents)}",
                f"{number(page.characters_before)} → {number(page.characters)}",
            ]
            for page in drift.pages[:_NAMED]
        ],
    )


def _compared(figures: Sequence[Mapping[str, Any]]) -> dg.MetadataValue[Any]:
    """Then and now, a row a source and one more for what changed of it."""
    names = [measure["name"] for measure in figures[0]["measures"]]
    return table(
        ["source", "pages", *names],
        [
            [
                part["source"],
                f"{number(part['pages'])} {'changed since' if part['changed'] else 'in both'}"
                f"{', within a year' if part.get('year') else ''}",
                *(f"{m['before']:,.4g} → {m['after']:,.4g}" for m in part["measures"]),
            ]
            for part in figures
        ],
    )
