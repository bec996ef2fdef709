"""The page of a franchise's documents: what was left out or changed, and whether that was right.

A threshold is judged by what it drops, so each reason stands beside a random draw of the texts that
it cost, and each repair beside passages before and after. The file opens anywhere, loads nothing
and runs no script, and what a page said stays text.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.atomic import write_atomically
from pipeline.reports.documents.definitions import DEFINITIONS


def write_documents_report(
    folder: Path, title: str, figures: Mapping[str, Any], target: Path
) -> None:
    """Write the page to `target`.

    `folder` holds documents.parquet, dropped.parquet and changed.parquet, `figures` are those that
    `pipeline.extract.extract` returned with them.
    """
    from pipeline.reports.documents.draw import draw_changed, draw_dropped
    from pipeline.reports.documents.sections import headline, sections
    from pipeline.reports.page import render

    dropped = draw_dropped(folder / "dropped.parquet")
    changed = draw_changed(folder / "changed.parquet")
    target.parent.mkdir(parents=True, exist_ok=True)
    head = headline(title, figures)
    page = render(
        f"{title}: what was left out", head, sections(dropped, changed, figures), DEFINITIONS
    )
    write_atomically(target, page.encode())
