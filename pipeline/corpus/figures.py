"""Counts over a corpus: documents, works, bytes, characters and words, by whatever groups them."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.licences import licence

_GROUPS = ("franchise", "source", "licence", "genre", "language")


@dataclass
class _Tally:
    documents: int = 0
    bytes: int = 0  # of UTF-8 text, separators left out
    characters: int = 0
    words: int = 0
    works: set[str] = field(default_factory=set)

    def add(self, row: Mapping[str, Any], size: int) -> None:
        self.documents += 1
        self.bytes += size
        self.characters += row["characters"]
        self.words += row["words"]
        self.works.add(row["work_id"])

    def as_dict(self) -> dict[str, int]:
        return {
            "documents": self.documents,
            "works": len(self.works),
            "bytes": self.bytes,
            "characters": self.characters,
            "words": self.words,
        }


class Figures:
    """Takes each document of a corpus once."""

    def __init__(self, duplicates: int, split_by: bool):
        self._duplicates = duplicates
        self._split_by = "work" if split_by else "document"
        self._all = _Tally()
        self._groups: dict[str, dict[str, _Tally]] = {
            name: defaultdict(_Tally) for name in ("split", *_GROUPS)
        }

    def add(self, split: str, row: Mapping[str, Any], size: int) -> None:
        """Count a document of `size` bytes."""
        self._all.add(row, size)
        self._groups["split"][split].add(row, size)
        for name in _GROUPS:
            self._groups[name][_group(name, row)].add(row, size)

    def as_dict(self) -> dict[str, Any]:
        """The totals, then the same by split, franchise, source, licence, genre and language."""
        return {
            **self._all.as_dict(),
            "duplicates": self._duplicates,
            "split_by": self._split_by,
            "non_commercial": any(licence(name).non_commercial for name in self._groups["licence"]),
            **{
                f"by_{name}": {key: tally.as_dict() for key, tally in sorted(groups.items())}
                for name, groups in self._groups.items()
            },
        }


def _group(name: str, row: Mapping[str, Any]) -> str:
    """The group a document belongs to; a source's name is its own only within its franchise."""
    if name == "source":
        return f"{row['franchise']}/{row['source']}"
    return row[name] or "none"
