"""The report of a story model: one HTML file that opens anywhere and asks nothing of a network.

`write_report` reads the outputs of training, sampling, measuring and of the corpus, lets each
section of `pipeline.reports.sections` say its part, and writes `report.html`; the model card is
from the same figures. The same inputs give the same bytes. Nothing here knows torch: a report is
made from tables.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.atomic import write_atomically
from pipeline.ratings.tally import Tally
from pipeline.reports.definitions import DEFINITIONS
from pipeline.reports.material import Inputs, read_material

REPORT = "report.html"
CARD = "README.md"


def write_report(
    name: str,
    inputs: Inputs,
    folder: Path,
    notice: str | None = None,
    tallies: Sequence[Tally] = (),
) -> dict[str, Any]:
    """Write `folder/report.html` and `README.md`, the model card; return key figures (JSON values).

    `notice` is what a reader must know before all else; it stands at the top. `tallies` are of the
    pairs in which people rated its stories.
    Raises FileNotFoundError or ValueError naming the input that is missing or wrong.
    """
    from pipeline.reports.model_card import model_card
    from pipeline.reports.page import render  # matplotlib takes its time
    from pipeline.reports.sections import SECTIONS, headline

    material = read_material(name, inputs, notice, tallies)
    head = headline.section(material)
    sections = [made for make in SECTIONS if (made := make(material)) is not None]
    figures: dict[str, Any] = {"model": name}
    for part in (head, *sections):
        figures |= part.figures
    page = render(f"{name}: a story model and what it learned", head, sections, DEFINITIONS)
    card = model_card(material, figures)
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / REPORT, page.encode())
    write_atomically(folder / CARD, card.encode())
    return figures
