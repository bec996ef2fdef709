"""What a rule answers: the text, possibly changed, or that the document is dropped and why."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Drop:
    """A document is left out; `figure` is what decided."""

    reason: str
    figure: float | None = None


Rule = Callable[[str], str | Drop]
