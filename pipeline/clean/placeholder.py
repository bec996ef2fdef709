"""Drops what stands in for a text: lorem ipsum, and notices that a script must be switched on.

After C4 (Raffel et al. 2020, arXiv:1910.10683, section 2.2), which drops pages with "lorem ipsum"
and lines with the word Javascript. A story may speak of either, so there must be more of it: the
filler's own next words, or a text that is a notice's length and little else.
"""

import re

from pipeline.clean.verdict import Drop, Story

_LOREM = re.compile(r"lorem\s{1,9}ipsum\s{1,9}dolor\s{1,9}sit\s{1,9}amet", re.IGNORECASE)
_SCRIPT = re.compile(
    r"(?:enable|turn on|requires?|without|disabled?)\s[^.\n]{0,40}\bjavascript"
    r"|javascript\s[^.\n]{0,40}\b(?:enabled?|disabled?|required)",
    re.IGNORECASE,
)
#: A notice is no longer; a story of a page or two that speaks of scripts is.
_LONGEST_NOTICE = 100


def tells_something(story: Story) -> Drop | None:
    """Drop with the number of places found."""
    # A plain search first: the expression takes ten times as long.
    if "lorem" in story.text.lower() and (fillers := len(_LOREM.findall(story.text))):
        return Drop("filler text", fillers)
    if len(story.words) <= _LONGEST_NOTICE and (notices := len(_SCRIPT.findall(story.text))):
        return Drop("a notice of scripts", notices)
    return None
