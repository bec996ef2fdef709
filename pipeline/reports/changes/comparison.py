"""What the page of changes is made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.diff.changes import Changes
from pipeline.drift import Drift


@dataclass(frozen=True)
class Taken:
    """What a takedown took since the build before was made; the record may be gone."""

    documents: int
    at: str | None  # ISO 8601, UTC
    reason: str | None


@dataclass(frozen=True)
class Comparison:
    """All that the page tells; what does not apply is left empty."""

    title: str
    documents: int  # that there are now
    changes: Changes | None  # None: there is nothing to compare with, and `nothing` says why
    nothing: str = "This is the first build."
    drift: Drift | None = None
    refused: str = ""  # the remedy, where the alarm stopped the new documents
    accept: str = ""  # the command that takes them all the same
    splits: Sequence[Mapping[str, Any]] = ()  # figures then and now
    taken_down: Sequence["Taken"] = ()  # out of the build before, so in neither
    settings: Sequence[tuple[str, str, str]] = ()  # what, before, now
