"""What is measured of a text by itself: length, distinct n-grams, repetition, whether it loops."""

from dataclasses import dataclass

from pipeline.memorisation.words import words_of
from pipeline.quality.distinct import distinct
from pipeline.quality.looping import is_looping
from pipeline.quality.repetition import repetition


@dataclass(frozen=True)
class TextFigures:
    """Of a text without what it goes on from. Shares are 0 to 1, None where it is too short."""

    characters: int
    words: int  # runs of non-space characters
    distinct_1: float | None
    distinct_2: float | None
    distinct_3: float | None
    repetition: float | None
    empty: bool  # without a word: nothing at all, blanks, or a lone full stop
    looping: bool


def figures_of(text: str) -> tuple[TextFigures, list[str]]:
    """The figures, and the folded words that they are of."""
    words = words_of(text).folded
    figures = TextFigures(
        characters=len(text),
        words=len(text.split()),
        distinct_1=distinct(words, 1),
        distinct_2=distinct(words, 2),
        distinct_3=distinct(words, 3),
        repetition=repetition(words),
        empty=not words,
        looping=is_looping(text, words),
    )
    return figures, words
