"""What the page shows of the texts: openings, and what was left out beside what it resembles.

Both are drawn at random by hash; the corpus is read once, and a handful of beginnings is held.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.corpus import CorpusDocument
from pipeline.reports.documents.draw import Group, draw_dropped, keep_lowest, rank

#: Openings drawn, and characters that are read of a text; fewer are shown.
OPENINGS, READ = 6, 8000
#: Words of a passage, how many of them stand before the first difference, and how many in a row
#: both texts must have there, for words alone meet by chance.
_WORDS, _BEFORE, _IN_A_ROW = 60, 15, 5

#: Words in a row, and whether the other text has them too.
Passage = list[tuple[str, bool]]


@dataclass(frozen=True)
class Opening:
    """The beginning of a document of a split."""

    split: str
    document: CorpusDocument


class Examples:
    """Sees each document of a corpus once and keeps those that are drawn.

    `dropped` is the corpus's dropped.parquet, which leaves the texts to `documents`: by franchise,
    the documents.parquet that the corpus was made from.
    """

    def __init__(self, dropped: Path, documents: Mapping[str, Path]):
        self.reasons: list[Group] = draw_dropped(dropped)
        drawn = {row["doc_id"] for reason in self.reasons for row in reason.rows if row["partner"]}
        self._texts = {
            name: text for path in documents.values() for name, text in _texts(path, drawn)
        }
        self._openings: list[tuple[str, Opening]] = []
        self._wanted: dict[str, set[str | None]] = {}  # partner -> sections of what resembles it
        self._partners: dict[tuple[str, str | None], CorpusDocument] = {}
        for row in (row for reason in self.reasons for row in reason.rows):
            if row["partner"]:
                self._wanted.setdefault(row["partner"], set()).add(row["section"])

    def see(self, split: str, document: CorpusDocument) -> None:
        """Take a document, in the corpus's order."""
        opening = Opening(split, replace(document, text=document.text[:READ]))
        keep_lowest(self._openings, rank("opening", document.doc_id), opening, OPENINGS)
        for name in (document.doc_id, document.work_id):
            if name in self._wanted:
                self._partners.setdefault((name, ""), opening.document)
                if document.section in self._wanted[name]:
                    self._partners.setdefault((name, document.section), opening.document)

    @property
    def openings(self) -> list[Opening]:
        """Those drawn."""
        return [opening for _, opening in self._openings]

    def text(self, row: Mapping[str, Any]) -> str:
        """The beginning of a dropped document; empty where it is not at hand."""
        return self._texts.get(row["doc_id"], "")

    def partner(self, row: Mapping[str, Any]) -> CorpusDocument | None:
        """What a dropped document is too like, of a work the like-named part; None if not here."""
        name = row["partner"] or ""
        return self._partners.get((name, row["section"])) or self._partners.get((name, ""))


def _texts(path: Path, wanted: set[str]) -> Iterator[tuple[str, str]]:
    """The beginnings of these documents; only row groups that have one are read."""
    names = pa.array(sorted(wanted), pa.string())
    with pq.ParquetFile(path) as file:
        for number in range(file.num_row_groups):
            found = pc.is_in(file.read_row_group(number, ["doc_id"])["doc_id"], value_set=names)
            if pc.any(found).as_py():
                rows = file.read_row_group(number, ["doc_id", "text"]).filter(found)
                texts = pc.utf8_slice_codeunits(rows["text"], 0, READ)
                yield from zip(rows["doc_id"].to_pylist(), texts.to_pylist(), strict=True)


def align(one: str, other: str, *, borrowed: bool = False) -> tuple[Passage, Passage]:
    """A passage of each of two texts, from a little before the first place where they differ.

    Where one has only `borrowed` from the other, from before the longest run of words that both
    have. Words are compared without case and punctuation. Where the beginnings are alike, or have
    no words in a row in common, both passages are the beginnings.
    """
    words = [one[:READ].split(), other[:READ].split()]
    folded = [[_fold(word) for word in side] for side in words]
    starts = _before_shared(*folded) if borrowed else _before_first_difference(*folded)
    shown = [side[at : at + _WORDS] for side, at in zip(words, starts, strict=True)]
    keys = [side[at : at + _WORDS] for side, at in zip(folded, starts, strict=True)]
    common = [set[int](), set[int]()]
    for block in _matcher(*keys).get_matching_blocks():
        common[0].update(range(block.a, block.a + block.size))
        common[1].update(range(block.b, block.b + block.size))
    first, second = (
        _runs(side, same, at) for side, same, at in zip(shown, common, starts, strict=True)
    )
    return first, second


def _before_first_difference(one: list[str], other: list[str]) -> tuple[int, int]:
    """Where the passages begin, in words."""
    for block in _matcher(one, other).get_matching_blocks():
        ends = block.a + block.size, block.b + block.size
        if block.size >= _IN_A_ROW and ends != (len(one), len(other)):
            back = min(block.size, _BEFORE)
            return ends[0] - back, ends[1] - back
    return 0, 0


def _before_shared(one: list[str], other: list[str]) -> tuple[int, int]:
    run = _matcher(one, other).find_longest_match()
    before = min(_IN_A_ROW, run.a, run.b) if run.size >= _IN_A_ROW else 0
    return (run.a - before, run.b - before) if run.size >= _IN_A_ROW else (0, 0)


def _runs(words: list[str], common: set[int], start: int) -> Passage:
    runs: Passage = [("…", True)] if start else []
    for number, word in enumerate(words):
        same = number in common
        if runs and runs[-1][1] == same:
            runs[-1] = (f"{runs[-1][0]} {word}", same)
        else:
            runs.append((word, same))
    return runs


def _matcher(one: list[str], other: list[str]) -> SequenceMatcher[str]:
    return SequenceMatcher(None, one, other, autojunk=False)


def _fold(word: str) -> str:
    return "".join(c for c in word.casefold() if c.isalnum()) or word
