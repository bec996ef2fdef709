"""Where a text's sentences end: a story that ran out of tokens is cut after its last whole one.

A sentence ends with . ! ? or …, any quotes and brackets that close with it, and a blank or the end
of the text. The dot of an abbreviation, an initial or a number in the midst of a line ends none.
"""

import re
from collections.abc import Iterator

_CLOSING = "\"'”’»›)\\]*_"
_END = re.compile(rf"(?:[.!?…]+[{_CLOSING}]*(?=\s|\Z))|(?:[。！？]+[」』”’]*)")
#: Before a dot that ends no sentence: a title or the like, or an initial (an I is a pronoun).
_ABBREVIATED = re.compile(
    r"(?:^|[\s(\"“‘'])(?:Mr|Mrs|Ms|Dr|Prof|St|Mt|Capt|Col|Gen|Lt|Sgt|Rev|Hon|Jr|Sr|No|vs|[A-HJ-Z])\.\Z"
)


def sentence_ends(text: str) -> Iterator[int]:
    """The index after each whole sentence of `text`, in order."""
    for found in _END.finditer(text):
        if not _ABBREVIATED.search(text, 0, found.start() + 1):
            yield found.end()


def whole_sentences(text: str) -> str:
    """`text` up to the end of its last whole sentence; all of it where no sentence ends in it."""
    ends = list(sentence_ends(text))
    return text[: ends[-1]] if ends else text
