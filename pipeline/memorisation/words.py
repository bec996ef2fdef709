"""A text as folded words: what counts when a passage is looked for in another text.

Case, quotes, punctuation and line ends do not count, so that a copy that differs in them is found
all the same. A word is a run of letters, digits and their marks, with apostrophes and hyphens that
nobody sees within it; Unicode's own rule (UAX 29) needs a dictionary for scripts that write no
blanks between words, and there a character with its marks is a word.
"""

import re
import unicodedata
from dataclasses import dataclass

#: Scripts without blanks between words: Thai, Lao, Myanmar, Khmer; kana, with its marks of length
#: and repetition; Han, with its extensions. Korean has blanks.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303c"
    "\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uaa60-\uaa7f\uf900-\ufaff"
    "\uff66-\uff9f\U0001aff0-\U0001b16f\U00020000-\U0003ffff"
)
#: Written alike: the typewriter's, the typographic, the letter, and the wide one.
_APOSTROPHES = "'’ʼ＇"
#: Soft hyphen, joiner and non-joiner, word joiner: within a word nobody sees them.
_UNSEEN = "\u00ad\u200c\u200d\u2060"

_FOLDED = str.maketrans(dict.fromkeys(_APOSTROPHES, "'") | dict.fromkeys(_UNSEEN, ""))


def _marks() -> str:
    """All combining marks, as ranges of a character class: `re` has no \\p{M}."""
    codes = (0x300, *range(0x301, 0x1F000), *range(0xE0100, 0xE01F0))
    ranges: list[list[int]] = []
    for code in codes:
        if unicodedata.category(chr(code))[0] == "M":
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)


_MARKS = _marks()
_LETTER = rf"[^\W_ʼ{_UNSPACED}]"
_LETTERS = rf"{_LETTER}+(?:[{_MARKS}]+{_LETTER}*)*"
_WORD = re.compile(rf"{_LETTERS}(?:[{_APOSTROPHES}{_UNSEEN}]+{_LETTERS})*|[{_UNSPACED}][{_MARKS}]*")


@dataclass(frozen=True)
class Words:
    """The words of a text, each folded, and the characters of it where each begins and ends."""

    folded: list[str]
    starts: list[int]
    ends: list[int]

    def __len__(self) -> int:
        return len(self.folded)


def words_of(text: str) -> Words:
    """The words of a text, in order."""
    spans = [found.span() for found in _WORD.finditer(text)]
    folded = _fold(" ".join(text[start:end] for start, end in spans))
    return Words(
        folded.split(" ") if spans else [],
        [start for start, _ in spans],
        [end for _, end in spans],
    )


def joined_words(text: str) -> str:
    """The same words parted by single blanks; quicker for long texts."""
    return _fold(" ".join(_WORD.findall(text)))


def _fold(words: str) -> str:
    """Words parted by blanks, each by itself: neither casing nor composing looks over a blank."""
    if words.isascii():
        return words.lower()
    return unicodedata.normalize("NFC", words.casefold().translate(_FOLDED))
