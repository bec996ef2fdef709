"""Cleaning: one small rule a file, each repairing a text or dropping its document.

Repairs come first and are repeated until none changes anything, since one may uncover work for
another: a text that is clean stays as it is when cleaned again. Filters then judge the repaired
text, the cheapest first. What recurs over a whole source is the business of
`pipeline.clean.recurring`.
"""

from dataclasses import dataclass

from pipeline.clean.blanks import trim_blanks
from pipeline.clean.citations import remove_citations
from pipeline.clean.controls import remove_controls
from pipeline.clean.encoding import repair_encoding
from pipeline.clean.language import in_its_language
from pipeline.clean.layout import laid_out_as_story
from pipeline.clean.length import long_enough
from pipeline.clean.markup import remove_markup
from pipeline.clean.placeholder import tells_something
from pipeline.clean.repetition import not_repetitive
from pipeline.clean.unicode import normalise_unicode
from pipeline.clean.verdict import Drop, Filter, Repair, Story
from pipeline.clean.wording import made_of_words

__all__ = ["FILTERS", "REPAIRS", "Change", "Cleaned", "Drop", "clean", "judge"]

#: By the names under which reports show what they changed.
REPAIRS: dict[str, Repair] = {
    "encoding": repair_encoding,
    "control characters": remove_controls,
    "Unicode NFC": normalise_unicode,
    "citation marks": remove_citations,
    "markup": remove_markup,
    "blank space": trim_blanks,
}
FILTERS: tuple[Filter, ...] = (
    long_enough,
    tells_something,
    laid_out_as_story,
    in_its_language,
    made_of_words,
    not_repetitive,
)
#: Markup nested deeper, each level a round, is no text.
_ROUNDS = 12


@dataclass(frozen=True)
class Change:
    """What one repair did to a text."""

    rule: str
    before: str
    after: str


@dataclass(frozen=True)
class Cleaned:
    """A text that no repair changes any more and no filter drops."""

    text: str
    changes: tuple[Change, ...] = ()


def clean(text: str, language: str | None = None) -> Cleaned | Drop:
    """The text after all rules, or the verdict of the first that drops it.

    `language` is what the text should be in, ISO 639-1; None: whatever it is.
    """
    changes: list[Change] = []
    for _ in range(_ROUNDS):
        begun = text
        for rule, repair in REPAIRS.items():
            repaired = repair(text)
            if repaired != text:
                changes.append(Change(rule, text, repaired))
                text = repaired
        if text == begun:
            return judge(text, language) or Cleaned(text, tuple(changes))
    return Drop("markup without end", _ROUNDS)


def judge(text: str, language: str | None = None) -> Drop | None:
    """The verdict of the first filter that drops a repaired text; None where it is kept."""
    story = Story(text, language)
    for rule in FILTERS:
        if verdict := rule(story):
            return verdict
    return None
