"""Notes to the reader that no class gives away: spoiler warnings, hatnotes, maintenance boxes.

Bulbapedia writes hatnotes as `<dl><dd><i>`, its spoiler warning is a `div` without a class, and
many wikis write "This section is incomplete" as a plain paragraph. They are known by their
wording, which must open a short block, so that no story is lost for mentioning a spoiler.
"""

import re

from bs4 import Tag

_BLOCKS = frozenset(("p", "div", "dl", "dd", "li"))
#: Longer blocks are prose, whatever they begin with.
_LONGEST = 400

_SPOILER = re.compile(
    r"\W*(spoiler(s)? (warning|alert|ahead)|warning\W+(spoilers|this (article|section|page))"
    r"|the following (contains|section contains) (major )?spoilers"
    r"|this (article|section|page) (may )?contains? (major )?(spoilers|plot))",
    re.IGNORECASE,
)
_MAINTENANCE = re.compile(
    r"\W*this (article|section|page|plot|plot summary|episode|synopsis)('s plot summary)?"
    r" (is (incomplete|a stub|missing|too (long|short)|written|currently|under construction)"
    r"|needs|requires|does not (yet )?(meet|cite)|has (been nominated|multiple issues)"
    r"|may (be|need|require)|is an? (stub|incomplete))"
    r"|\W*(please help|you can help|help us)\b.{0,80}\b(by|improve|expand|add)",
    re.IGNORECASE,
)
_HATNOTE = re.compile(
    r"\W*((main|full) (article|page|list)s?:|see also[: ]|further information:|for (the|a|an|other|"
    r"more|information|all|details)\b.*\b(see|refer to)\b|this (article|page|section) is about\b"
    r"|.{1,80}\bredirects here\b|not to be confused with\b|it has been suggested that\b)",
    re.IGNORECASE,
)


def is_notice(element: Tag) -> bool:
    """Whether a block is a note about the page, not part of its text."""
    if element.name not in _BLOCKS:
        return False
    text = ""
    for part in element.stripped_strings:
        text += f" {part}"
        if len(text) > _LONGEST:  # read no further: blocks nest
            return False
    text = " ".join(text.split())
    if _SPOILER.match(text) or _MAINTENANCE.match(text):
        return True
    # "For the king" may open a story's sentence; a hatnote also leads elsewhere by a link.
    return bool(_HATNOTE.match(text)) and element.find("a") is not None and element.name != "p"
