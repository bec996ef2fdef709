"""Repairs mojibake, UTF-8 once read as Latin-1 or cp1252, and entities that HTML left behind.

ftfy turns "donâ€™t" into "don’t", and only that is asked of it: its other repairs uncurl quotes
and widen characters, while here straight and curly quotes stay as they were written. Paragraphs are
repaired one by one, because a text pasted together from two pages may be broken in one half only.
"""

import re
from html import unescape

import ftfy

#: `&eacute;`, as etexts and exports have it; the semicolon sets it apart from "R&D".
_ENTITY = re.compile(r"&(?:[A-Za-z]{2,8}\d{0,2}|#\d{2,6}|#x[0-9A-Fa-f]{2,5});")
#: Mojibake has other characters than ASCII's and the quotes and dashes of print.
_SUSPECT = re.compile(r"[^\x00-\x7f‘’“”–—…]")


def repair_encoding(text: str) -> str:
    """The text with mojibake and entities undone; what is not broken is returned as it is."""
    if "&" in text:
        text = _ENTITY.sub(_character, text)
    if not _SUSPECT.search(text):
        return text
    return "\n\n".join(
        ftfy.fix_encoding(part) if _SUSPECT.search(part) else part for part in text.split("\n\n")
    )


def _character(entity: re.Match[str]) -> str:
    """What an entity stands for; `&lt;` and `&gt;` stay, for they keep text from being a tag."""
    character = unescape(entity[0])
    return entity[0] if character in "<>" else character
