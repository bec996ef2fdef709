"""Citation marks and edit links that wikis set into their prose: [1], [note 2], [edit].

What else stands in square brackets is the text's own, such as stage directions and an editor's
mended letters ("heaue[n]s").
"""

import re

_CITATIONS = re.compile(
    r"[^\S\n]?\[(?:\d{1,3}|(?:notes?|nb|n|fn) ?\d{1,3}|edit(?: \| edit source)?|edit source"
    r"|citation needed|clarification needed|verification needed|dubious(?: [–-] discuss)?"
    r"|who\?|when\?|where\?|by whom\?|which\?|why\?)\]",
    re.IGNORECASE,
)
#: Notes are lettered [a], [b]; only after a stop, since editors mend a word's letter so, too.
_LETTERED_NOTE = re.compile(r"(?<=[.,;:!?\"”’)])\[[a-z]\]")


def remove_citations(text: str) -> str:
    """The text without citation marks and the space before them."""
    return _LETTERED_NOTE.sub("", _CITATIONS.sub("", text)) if "[" in text else text
