"""Lines that a source sets before or after many of its stories: "This summary was taken from …".

No text shows by itself which of its lines are boilerplate; a source does, read twice. The first
reading counts the lines at the edges of each document in a count-min sketch (Cormode and
Muthukrishnan 2005), whose size and answer depend on neither the number of lines nor their order:
512 kB a source. The second takes those that recur off the edges. CCNet (Wenzek et al. 2020,
arXiv:1911.00359, section 3.1) removes every paragraph that occurs twice in its corpus; here a
line must recur in many documents and stand at an edge, for formulas and refrains belong to tales.
Verse and plays are left alone: their scenes end alike, and their songs.
"""

from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from pipeline.clean.form import form_of

#: A line recurs if it stands at the edge of so many documents of its source, and of such a share.
FEWEST_DOCUMENTS, SHARE = 10, 0.01
#: Lines looked at from either end, and the words of the shortest: "The End" is part of a tale.
EDGE, FEWEST_WORDS = 3, 4

_ROWS, _WIDTH = 4, 1 << 16
#: Of a longer line the beginning stands for all; both are one paragraph.
_CHARACTERS = 1000


class RecurringLines:
    """Counts the edge lines of documents, then takes off those that recur."""

    def __init__(self) -> None:
        self._sketches: dict[str, NDArray[np.uint32]] = {}
        self._documents: dict[str, int] = {}
        self._seen: set[bytes] = set()

    def count(self, source: str, text: str) -> None:
        """Take a document into account; copies of one text count as one."""
        digest = blake2b(f"{source}\0{text}".encode(), digest_size=8).digest()
        if digest in self._seen or form_of(text) != "prose":
            return
        self._seen.add(digest)
        self._documents[source] = self._documents.get(source, 0) + 1
        sketch = self._sketches.get(source)
        if sketch is None:
            sketch = self._sketches[source] = np.zeros((_ROWS, _WIDTH), np.uint32)
        lines = _told(text.split("\n"))
        for line in {*lines[:EDGE], *lines[-EDGE:]}:
            if len(line.split(maxsplit=FEWEST_WORDS - 1)) >= FEWEST_WORDS:
                sketch[range(_ROWS), _places(line)] += 1

    def strip(self, source: str, text: str) -> tuple[str, list[str]]:
        """The text without the recurring lines at its edges, and those lines in their order."""
        if self._documents.get(source, 0) < FEWEST_DOCUMENTS or form_of(text) != "prose":
            return text, []
        lines = text.split("\n")
        at = [number for number, line in enumerate(lines) if line.strip()]
        first, last = 0, len(at)
        while first < min(EDGE, last) and self._recurs(source, lines[at[first]]):
            first += 1
        while last > max(first, len(at) - EDGE) and self._recurs(source, lines[at[last - 1]]):
            last -= 1
        if last - first == len(at):
            return text, []
        removed = [lines[number].strip() for number in (*at[:first], *at[last:])]
        return "\n".join(lines[at[first] : at[last - 1] + 1] if last > first else []), removed

    def _recurs(self, source: str, line: str) -> bool:
        line = line.strip()
        if len(line.split(maxsplit=FEWEST_WORDS - 1)) < FEWEST_WORDS:
            return False
        count = self._sketches[source][range(_ROWS), _places(line)].min()
        return bool(count >= max(FEWEST_DOCUMENTS, SHARE * self._documents[source]))


def _told(lines: list[str]) -> list[str]:
    return [line for line in map(str.strip, lines) if line]


def _places(line: str) -> NDArray[np.uint16]:
    """The line's column in each row of a sketch."""
    digest = blake2b(line[:_CHARACTERS].encode(), digest_size=2 * _ROWS).digest()
    return np.frombuffer(digest, np.uint16)
