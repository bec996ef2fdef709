"""One spelling for each character: Unicode NFC.

NFC, not NFKC, since NFKC rewrites fractions, ellipses and superscripts (Unicode Standard Annex
#15). A letter bears at most 30 marks, the bound of that annex's Stream-Safe Text Format: no
language needs more, and sorting the marks of one letter takes the square of their number.
"""

import re
import sys
import unicodedata
from functools import cache

_MOST_MARKS = 30
#: Blocks with marks, taken coarsely: no text of Latin letters and typographic signs is in them.
_MAY_BE_MARKS = re.compile("[\u0300-\u036f\u0483-\u1dff\u20d0-\u20ff\u2ce0-\U0010ffff]")


def normalise_unicode(text: str) -> str:
    """The text in NFC, without the marks beyond the thirtieth on one letter."""
    if text.isascii():
        return text
    if _MAY_BE_MARKS.search(text):
        text = _too_many_marks().sub(r"\1", text)
    return unicodedata.normalize("NFC", text)


@cache
def _too_many_marks() -> re.Pattern[str]:
    """The marks that one letter may bear, and those beyond."""
    marks = [
        re.escape(character)
        for character in map(chr, range(0x300, sys.maxunicode + 1))
        if unicodedata.combining(character)
    ]
    mark = f"[{''.join(marks)}]"
    return re.compile(f"({mark}{{{_MOST_MARKS}}}){mark}+")
