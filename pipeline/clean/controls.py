"""Characters that nobody sees go: controls, zero-width marks, direction marks.

They would cost tokens, hide duplicates, and reorder what is shown beside them. Line ends become
line feeds and no-break spaces spaces. Joiners (U+200C, U+200D) stay where they join: Persian and
Indic scripts are misspelt without them.
"""

import re

_LINE_ENDS = re.compile(r"\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f"  # controls, but for tab and line ends
    "\u00ad\u200b\u2060\ufeff"  # soft hyphen, zero-width space, word joiner, byte order mark
    "\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069"  # direction marks
    "\ufff9-\ufffb\U000e0000-\U000e007f"  # interlinear annotation, tags
    "\ud800-\udfff]"  # surrogates, which have no UTF-8
)
#: A joiner beside a Latin letter, a combining accent, a blank or a dash joins nothing. A run of
#: joiners is looked at from its first only: from each of them, a long run would take forever.
_IDLE_JOINER = re.compile(
    "(?<=[ -\u036f\u2010-\u2027])[\u200c\u200d]+"
    "|(?<![\u200c\u200d])[\u200c\u200d]+(?=[ -\u036f\u2010-\u2027])"
)


#: Any of those, or a joiner: one look, where most texts have none, costs less than four changes.
_SUSPECT = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\xa0\xad\u061c\u200b-\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)


def remove_controls(text: str) -> str:
    """The text with line feeds as its only controls but tabs."""
    if not _SUSPECT.search(text):
        return text
    text = _INVISIBLE.sub("", _LINE_ENDS.sub("\n", text)).replace("\u00a0", " ")
    return text if text.isascii() else _IDLE_JOINER.sub("", text)
