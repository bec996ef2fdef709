"""Where a text's last whole sentence ends: a story that ran out of tokens is cut there.

A sentence ends with . ! ? or …, any quotes and brackets that close with it, and a blank or the end
of the text. The dot of an abbreviation, an initial or a number in the midst of a line ends none.
"""

import re

_CLOSING = "\"'”’»›)\\]*_"
_END = re.compile(rf"(?:[.!?…]+[{_CLOSING}]*(?=\s|\Z))|(?:[。！？]+[」』”’]*)")
#: Before a dot that ends no sentence: a title or the like, or an initial (an I is a pronoun).
_ABBREVIATED = re.compile(
    r"(?:^|[\s(\"“‘'])(?:Mr|Mrs|Ms|Dr|Prof|St|Mt|Capt|Col|Gen|Lt|Sgt|Rev|Hon|Jr|Sr|No|vs|[A-HJ-Z])\.\Z"
)


def whole_sentences(text: str) -> str:
    """`text` up to the end of its last whole sentence; all of it where no sentence ends in it."""
    for found in reversed(list(_END.finditer(text))):
        if not _ABBREVIATED.search(text, 0, found.start() + 1):
            return text[: found.end()]
    return text
