"""The page of all models of a corpus: one table, which differences are real, stories side by side.

One HTML file that opens anywhere, loads nothing and runs no script; made from the outputs of each
model's measuring alone, so that a model is added by materializing it. Beside it the key figures
stand as JSON, for whoever wants them without the page: no text is in them.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.atomic import write_atomically
from pipeline.ratings.tally import Tally
from pipeline.reports.models.definitions import DEFINITIONS
from pipeline.reports.models.plots import models_png
from pipeline.reports.models.sections import Made, Missing, dots, headline, lines, sections
from pipeline.reports.models.standing import Entrant, differences, read_standings
from pipeline.reports.page import render

__all__ = ["Entrant", "Missing", "write_models_report"]


def write_models_report(
    title: str,
    corpus: str,
    corpus_version: str,
    entrants: Sequence[Entrant],
    missing: Sequence[Missing],
    tallies: Sequence[Tally],
    target: Path,
) -> tuple[dict[str, Any], bytes | None]:
    """Write the page to `target`, an .html; return its key figures (JSON) and its plot as a PNG.

    `corpus_version` is the data version of the corpus as it is; `missing` are models of it that are
    not measured yet; no plot where no model was measured on its text. Raises FileNotFoundError or
    ValueError naming the file that is missing or wrong, and what writes it.
    """
    standings = read_standings(entrants, corpus_version)
    made = Made(title, corpus, standings, differences(standings), missing, tallies)
    head = headline(made)
    parts = sections(made)
    page = render(f"{title}: its models beside each other", head, parts, DEFINITIONS)
    target.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(target, page.encode())
    return dict(head.figures), models_png(dots(made), lines(made)) if made.current else None
