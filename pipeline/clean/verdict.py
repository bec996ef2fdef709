"""What rules are told of a text and what they answer.

A repair answers with the text, changed or not. A filter answers with nothing, or with the reason
why the document is dropped and the figure that decided, as datatrove's filters do.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from pipeline.clean.form import Form, form_of

#: Languages written without spaces between words: counts of words say nothing there.
_UNSPACED = frozenset({"bo", "ja", "km", "lo", "my", "th", "zh"})


@dataclass(frozen=True)
class Drop:
    """A document is left out; `figure` is what decided."""

    reason: str
    figure: float | None = None


@dataclass(frozen=True)
class Story:
    """A repaired text with what several filters ask of it, found out once."""

    text: str
    language: str | None = None  # ISO 639-1, as its franchise says; None: not known

    @cached_property
    def form(self) -> Form:
        """Prose, verse or play, by its layout."""
        return form_of(self.text)

    @cached_property
    def words(self) -> list[str]:
        """Runs of characters without white space."""
        return self.text.split()

    @cached_property
    def lines(self) -> list[str]:
        """Those that are not blank, without the white space around them."""
        return [line for line in map(str.strip, self.text.split("\n")) if line]

    @property
    def spaced(self) -> bool:
        """Whether its language parts words by spaces."""
        return self.language not in _UNSPACED


Repair = Callable[[str], str]
Filter = Callable[[Story], Drop | None]
