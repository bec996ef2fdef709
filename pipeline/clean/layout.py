"""Drops what is laid out as a list, a teaser or code rather than told.

Bullets, lines that end in an ellipsis, and symbols after Gopher (Rae et al. 2021,
arXiv:2112.11446, table A1). C4 (Raffel et al. 2020, arXiv:1910.10683, section 2.2) removes each
line that does not end in a full stop, which would remove most lines of verse and half of those of
plays, and drops every page with a curly bracket; of prose nearly all lines must lack an end here,
and brackets must be as dense as in code. Verse and plays are judged by their symbols only.
"""

import re

from pipeline.clean.verdict import Drop, Story

#: Gopher's, table A1.
BULLETED, TRAILING_OFF, SYMBOLS_A_WORD = 0.90, 0.30, 0.10
#: A plot whose single paragraph trails off is no teaser: it needs a few lines to be one.
FEWEST_LINES = 4
#: Characters of prose in lines without a full stop, question or quotation mark at their end. Lists
#: of links have all of them; a plot of one paragraph may lack its last stop, so lists are long.
UNENDED = 0.95
#: Brackets of code a character. The most in the material tried is 0.006, of a page on mathematics.
BRACKETS = 0.02

_BULLET = re.compile(r"(?:[•‣·*▪◦]|[-–](?!-))\s")
_END = re.compile(r"[.!?…:;][^\w\s]*$")


def laid_out_as_story(story: Story) -> Drop | None:
    """Drop with the share of lines, characters or symbols that decided."""
    text, lines = story.text, story.lines
    symbols = text.count("#") + text.count("…") + text.count("...")
    if story.spaced and symbols > SYMBOLS_A_WORD * len(story.words):
        return Drop("symbols for words", round(symbols / max(1, len(story.words)), 3))
    brackets = sum(map(text.count, "{}<>\\|"))
    if brackets > BRACKETS * len(text):
        return Drop("brackets of code", round(brackets / len(text), 3))
    if story.form != "prose" or len(lines) < FEWEST_LINES:
        return None
    bulleted = sum(map(bool, map(_BULLET.match, lines))) / len(lines)
    if bulleted > BULLETED:
        return Drop("a list of points", round(bulleted, 3))
    trailing = sum(line.endswith(("...", "…")) for line in lines) / len(lines)
    if trailing > TRAILING_OFF:
        return Drop("lines that trail off", round(trailing, 3))
    unended = sum(len(line) for line in lines if not _END.search(line[-12:]))
    if story.spaced and unended > UNENDED * sum(map(len, lines)):
        return Drop("a list, not sentences", round(unended / sum(map(len, lines)), 3))
    return None
