"""What was found of a model's copying, as far as its verdict goes by it.

It is kept beside the tables, so that another bound or another wording is judged from what is there,
and no checkpoint is tried again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter

from pipeline.intervals import Interval

FILE = "evidence.json"


@dataclass(frozen=True)
class Copied:
    """The share of words that are copied, and the same less that of held-out human text."""

    share: Interval
    more: Interval | None  # None: there is nothing to compare with


@dataclass(frozen=True)
class Evidence:
    """What the verdict and its advice go by; shares are 0 to 1."""

    step: int  # the last: the model that would be published
    by_step: Mapping[int, Copied]  # of the steps whose stories hold words
    human: Interval | None  # of held-out human text; None: there are no words
    passage: int  # words in a row that count as copied
    by_setting: Mapping[str, tuple[float, Interval]] = field(default_factory=dict)  # temperature
    passages: int = 0  # that are copied, at the last step
    recurring: int = 0  # of these, such as stand at several places of the training text
    most_places: int = 0
    duplicates: tuple[int, float] | None = None  # that the corpus left out, and its threshold
    epochs: float | None = None  # times that the training text was read; None: not known


def write_evidence(folder: Path, evidence: Evidence) -> None:
    """Into the folder of the tables."""
    (folder / FILE).write_bytes(TypeAdapter(Evidence).dump_json(evidence, indent=1))


def read_evidence(folder: Path) -> Evidence:
    """What `write_evidence` wrote. Raises OSError and ValueError."""
    return TypeAdapter(Evidence).validate_json((folder / FILE).read_bytes())
