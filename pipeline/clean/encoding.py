"""Repairs mojibake: UTF-8 once read as Latin-1 or cp1252, "donâ€™t" for "don’t".

ftfy does it, and only that is asked of it: its other repairs uncurl quotes and widen characters,
while here straight and curly quotes stay as they were written. Paragraphs are repaired one by one,
because a text pasted together from two pages may be broken in one half only.
"""

import ftfy


def repair_encoding(text: str) -> str:
    """The text with mojibake undone; text that is not broken is returned as it is."""
    if text.isascii():
        return text
    return "\n\n".join(
        part if part.isascii() else ftfy.fix_encoding(part) for part in text.split("\n\n")
    )
