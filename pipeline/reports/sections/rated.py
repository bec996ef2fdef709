"""What people said who rated stories blind: a section of a model's page, and of all models'."""

from collections.abc import Sequence

from pipeline.ratings import speech
from pipeline.ratings.tally import Tally
from pipeline.reports.material import Material
from pipeline.reports.sections.section import Section


def section(material: Material) -> Section | None:
    """Of the model's own stories; None where nobody has rated them."""
    return told(material.tallies)


def told(tallies: Sequence[Tally]) -> Section | None:
    """A sentence and the raters of each two writers; None where nobody has rated."""
    if not tallies:
        return None
    contests = [
        {
            "sentence": speech.sentence(tally),
            "notes": list(speech.notes(tally)),
            "first": str(tally.first),
            "second": str(tally.second),
            "raters": speech.rows(tally),
        }
        for tally in tallies
    ]
    figures = {"rated": [tally.as_dict() for tally in tallies]}
    return Section("rated", "Rated blind", "rated.html", {"contests": contests}, figures)
