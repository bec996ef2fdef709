"""One spelling for each character: NFC, line feeds, no controls, no zero-width marks.

Combining marks and controls that nobody sees would cost tokens and hide duplicates. NFC, not NFKC,
since NFKC rewrites fractions, ellipses and superscripts (Unicode Standard Annex #15). Joiners
(U+200C, U+200D) stay where they join: Persian and Indic scripts are misspelt without them.
"""

import re
import unicodedata

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
_BLANK_LINES = re.compile(r"\n{3,}")


def normalise_unicode(text: str) -> str:
    """The text in NFC, lines ended by LF, at most one blank line running, none at the ends."""
    text = _LINE_ENDS.sub("\n", text)
    text = _INVISIBLE.sub("", text).replace("\u00a0", " ")
    text = _IDLE_JOINER.sub("", unicodedata.normalize("NFC", text))
    text = unicodedata.normalize("NFC", text)  # a joiner can have kept an accent from its letter
    text = "\n".join(line.rstrip() for line in text.split("\n"))
    return _BLANK_LINES.sub("\n\n", text).strip("\n")
