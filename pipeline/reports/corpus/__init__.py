"""The page of a corpus: how much of what it holds, under which licences, and what was left out.

One HTML file that opens anywhere, loads nothing and runs no script; what a page said stays text.
Beside it the figures stand as JSON, for whoever wants them without the page: no text is in them.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.atomic import write_atomically
from pipeline.reports.corpus.definitions import DEFINITIONS


def write_corpus_report(
    folder: Path,
    title: str,
    figures: Mapping[str, Any],
    documents: Mapping[str, Path],
    target: Path,
) -> dict[str, Any]:
    """Write the page to `target`, an .html, and return its key figures (JSON values).

    `folder` holds what `build_corpus` wrote, `figures` are what it returned, `documents` leads from
    a franchise's name to the documents.parquet that it read. The corpus's texts are read once.
    Raises ManifestError where manifest and texts do not fit together.
    """
    from pipeline.reports.corpus.examples import Examples  # matplotlib takes its time
    from pipeline.reports.corpus.sections import Made, headline, sections
    from pipeline.reports.page import render
    from pipeline.statistics import read_statistics

    examples = Examples(folder / "dropped.parquet", documents)
    statistics = read_statistics(folder, examples.see)
    made = Made(title, figures, statistics, examples, folder)
    head = headline(made)
    target.parent.mkdir(parents=True, exist_ok=True)
    page = render(f"{title}: the corpus in figures", head, sections(made), DEFINITIONS)
    write_atomically(target, page.encode())
    return {**head.figures, "statistics": statistics.as_dict()}


def lengths_png(statistics: Mapping[str, Any]) -> bytes:
    """The histogram of lengths as a PNG of 640 x 320 pixels; `statistics` as the figures hold."""
    from pipeline.reports.corpus import plots
    from pipeline.statistics import Histogram, Lengths

    return plots.lengths_png(Histogram(**statistics["histogram"]), Lengths(**statistics["lengths"]))


def read_figures(path: Path) -> dict[str, Any] | None:
    """The figures beside a page, as `write_figures` left them; None where there are none."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return None  # none yet, or damaged: either way the page is made anew
    return found if isinstance(found, dict) else None


def write_figures(path: Path, figures: Mapping[str, Any]) -> None:
    """Write the figures beside a page; last, so that they vouch for it."""
    write_atomically(path, json.dumps(figures, ensure_ascii=False, indent=2).encode())
