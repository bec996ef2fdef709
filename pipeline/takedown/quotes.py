"""Finds a text in another by runs of words: where a model repeats it, or a page shows it.

Eight words in a row that also stand in the text count as taken from it: shorter runs are phrases
that anybody writes (of held-out human text, RAVEN finds most 6-grams and hardly any 10-gram in the
training text; McCoy et al. 2023, section 4). Runs are kept as 64-bit hashes, which do not give the
text back, so that a takedown that was killed can go on when the text itself is gone already.
"""

import re
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from html import unescape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.atomic import write_atomically

#: Words of a run.
WORDS = 8
#: Stands in place of what was taken out.
PLACE = "[taken down]"

_WORD = re.compile(r"\w+")
_MARKUP = re.compile(r"<(script|style)\b.*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)


class Quotes:
    """The runs of words of some texts. Memory: some 100 bytes a word."""

    def __init__(self, texts: Iterable[str] = ()):
        self._runs: set[int] = set()
        for text in texts:
            self.add(text)

    def __len__(self) -> int:
        return len(self._runs)

    def add(self, text: str) -> None:
        """Take a text's runs too; a shorter text has none."""
        self._runs.update(run for run, _, _ in _runs(text))

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where in `text`, in characters, runs of these stand; those that touch are one."""
        found: list[tuple[int, int]] = []
        for run, start, end in _runs(text):
            if run in self._runs:
                if found and start <= found[-1][1]:
                    found[-1] = (found[-1][0], end)
                else:
                    found.append((start, end))
        return found

    def stand_in_page(self, html: str) -> bool:
        """Whether an HTML page shows one of them."""
        return bool(self.spans(unescape(_MARKUP.sub(" ", html))))

    def save(self, path: Path) -> None:
        """Keep them, in one step. Raises OSError."""
        write_atomically(path, np.array(sorted(self._runs), np.uint64).tobytes())

    def load(self, path: Path) -> None:
        """Take those kept at `path` too, if there are any. Raises OSError."""
        if path.is_file():
            kept: NDArray[np.uint64] = np.frombuffer(path.read_bytes(), np.uint64)
            self._runs.update(kept.tolist())


def without(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """The text with PLACE for each span."""
    parts, at = [], 0
    for start, end in spans:
        parts += [text[at:start], PLACE]
        at = end
    return "".join([*parts, text[at:]])


def _runs(text: str) -> Iterator[tuple[int, int, int]]:
    """Hash, first and last character of each run of the text."""
    words = [(found[0].casefold(), *found.span()) for found in _WORD.finditer(text)]
    for first in range(len(words) - WORDS + 1):
        run = words[first : first + WORDS]
        digest = blake2b(" ".join(word for word, _, _ in run).encode(), digest_size=8).digest()
        yield int.from_bytes(digest), run[0][1], run[-1][2]
