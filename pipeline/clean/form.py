"""Whether a text is prose, verse or a play, judged by its layout alone.

Extraction joins the hard-wrapped lines of prose and leaves all others, so a block of several lines
is verse, or speeches, or a list. Rules made for the prose of web pages (Gopher's, C4's) would drop
refrains, short lines and names that recur before each speech; they ask here first.
"""

import re
from collections import Counter
from typing import Literal

Form = Literal["prose", "verse", "play"]

#: A speaker: `HAMLET.`, `Ham. Speak.`, `First Witch:`, at most four words before the mark; or a
#: name in capitals on a line of its own. `Mr. Bennet` and the like begin paragraphs of prose.
_CUE = re.compile(
    r"^[^\S\n]{0,40}(?!(?:Mr?|Mrs|Ms|Mme|Mlle|Messrs|Dr|St|Sr|Sir|No|Rev|Prof|Capt|Col|Gen|Lt)\b)"
    r"(?:([A-Z][\w’'-]{0,30}(?:[^\S\n][A-Za-z][\w’'-]{0,30}){0,3})[.:](?=[^\S\n]|$)"
    r"|([A-Z][A-Z’'-]{1,30}(?:[^\S\n][A-Z’'-]{1,30}){0,3})$)",
    re.MULTILINE,
)
#: Speakers come again: at least so many cues of names with more than one, one in so many lines.
_CUES, _LINES_A_CUE = 4, 8
#: Of verse at least this share of characters stands in blocks of several lines, whose lines are at
#: most so long on average: a fourteener, the longest line in common use, has some 60 characters.
_VERSE_SHARE, _LONGEST_LINE = 0.5, 80


def form_of(text: str) -> Form:
    """The form of a text whose paragraphs are parted by blank lines, each of them on one line."""
    lines = text.count("\n") + 1 - text.count("\n\n")
    names = Counter(marked or capitals for marked, capitals in _CUE.findall(text))
    cues = sum(count for count in names.values() if count > 1)
    if cues >= max(_CUES, lines / _LINES_A_CUE):
        return "play"
    in_blocks = 0
    for block in text.split("\n\n"):
        if "\n" in block:
            lengths = [len(line) for line in block.split("\n")]
            if sum(lengths) <= _LONGEST_LINE * len(lengths):
                in_blocks += sum(lengths)
    return "verse" if in_blocks > _VERSE_SHARE * len(text) else "prose"
