"""White space that says nothing: at the ends of lines, and blank lines beyond one.

A blank line parts paragraphs, so one stays; spaces at the beginning of a line stay too, for they
are how verse is set.
"""

import re

_BLANK_LINES = re.compile(r"\n{3,}")


def trim_blanks(text: str) -> str:
    """The text with no white space at the ends of lines and no blank lines but single ones."""
    text = "\n".join(line.rstrip() for line in text.split("\n"))
    return _BLANK_LINES.sub("\n\n", text).strip("\n")
