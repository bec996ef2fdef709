"""Which of a text's words are copied: those in passages of the training text of so many words.

Case and punctuation don't count (`pipeline.memorisation.words`), and a passage stands within one
training document. A text of fewer words can hold none, so it says nothing of copying and is left
out. A story that ran out of tokens may end in the midst of a word, and one may begin in the midst
of its prompt's last: such a part of a word is nobody's, and is not looked at.
"""

from collections.abc import Hashable

import numpy as np

from pipeline.memorisation.novelty import LONGEST_NGRAM, Counts, novel_ngrams
from pipeline.memorisation.words import words_of

#: Numerators and denominators of a figure, an entry of each a unit of text.
Parts = tuple[Counts, Counts]

#: Characters on each side of where a story begins that tell whether a word goes over it.
_EDGE = 64

_TEXTS, _LONG_ENOUGH, _WORDS, _COPIED, _LONGEST, _NOVEL = range(6)
_NGRAMS = _NOVEL + LONGEST_NGRAM


def copied_words(runs: Counts, passage: int) -> int:
    """How many words lie within runs of at least `passage` words; `runs` as of `novel_ngrams`."""
    places = np.arange(len(runs))
    ends = np.maximum.accumulate(np.where(runs >= passage, places + runs, 0))
    return int((ends > places).sum())


def whole_words(prompt: str, text: str, *, cut: bool) -> str:
    """The text with blanks for a part of a word at its beginning, and at its end where it was cut.

    Its other characters stand where they stood.
    """
    words = words_of(text)
    start, end = 0, len(text)
    if len(words) and cut and words.ends[-1] == len(text):
        end = words.starts[-1]
    last, first = prompt[-_EDGE:], text[:_EDGE]
    if len(words_of(last + first)) < len(words_of(last)) + len(words_of(first)):
        start = min(words.ends[0], end)
    return " " * start + text[start:end] + " " * (len(text) - end)


class TextCounts:
    """What is counted of some texts, summed by unit: the prompt they go on from, or their work.

    A unit is what intervals draw anew (`pipeline.intervals`), for texts of one are alike.
    """

    def __init__(self, passage: int):
        self._passage = passage
        self._units: dict[Hashable, Counts] = {}
        self.longest_words = 0  # of all the texts

    def add(self, unit: Hashable, runs: Counts) -> None:
        """Count a text; `runs` as of `novel_ngrams`."""
        longest = int(runs.max(initial=0))
        novel, ngrams = novel_ngrams(runs)
        whole = len(runs) >= self._passage
        copied = [whole, len(runs) * whole, copied_words(runs, self._passage)]
        counted = [1, *copied, longest, *novel, *ngrams]
        self._units[unit] = self._units.get(unit, 0) + np.array(counted, np.int64)
        self.longest_words = max(self.longest_words, longest)

    @property
    def texts(self) -> int:
        """How many were counted."""
        return int(self._column(_TEXTS).sum())

    @property
    def long_enough(self) -> int:
        """How many have the words of a copied passage, and are asked for them."""
        return int(self._column(_LONG_ENOUGH).sum())

    @property
    def words(self) -> int:
        """Of the texts that are long enough, together."""
        return int(self._column(_WORDS).sum())

    def copied(self) -> Parts:
        """Words within copied passages, of all words of the texts that are long enough."""
        return self._column(_COPIED), self._column(_WORDS)

    def longest(self) -> Parts:
        """Words of each text's longest passage, of the texts."""
        return self._column(_LONGEST), self._column(_TEXTS)

    def novel(self, n: int) -> Parts:
        """Novel n-grams of words, of all n-grams."""
        return self._column(_NOVEL + n - 1), self._column(_NGRAMS + n - 1)

    def _column(self, index: int) -> Counts:
        return np.array([counted[index] for counted in self._units.values()], np.int64)
