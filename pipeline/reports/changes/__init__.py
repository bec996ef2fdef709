"""The page of what came, went and changed since the last build, of documents or of a corpus.

One sentence first, then reasons with their counts, then a few documents of each with the passage
that differs. Where the drift alarm refused the new documents, the page says that before all else.
The file opens anywhere, loads nothing and runs no script, and what a page said stays text.
"""

from pathlib import Path

from pipeline.atomic import write_atomically
from pipeline.reports.changes.comparison import Comparison, Taken
from pipeline.reports.changes.definitions import DEFINITIONS

__all__ = ["Comparison", "Taken", "write_changes_report"]


def write_changes_report(comparison: Comparison, target: Path) -> None:
    """Write the page to `target`, in place of the last."""
    from pipeline.reports.changes.sections import headline, sections
    from pipeline.reports.page import render

    target.parent.mkdir(parents=True, exist_ok=True)
    page = render(
        f"{comparison.title}: what came, went and changed",
        headline(comparison),
        sections(comparison),
        DEFINITIONS,
    )
    write_atomically(target, page.encode())
