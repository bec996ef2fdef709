"""Drops what is too short to be a story.

Gopher asks 50 words of a web page (Rae et al. 2021, arXiv:2112.11446, table A1). A summary in a
list of films is often one full sentence, so half of that is asked here; what is shorter is "To be
announced" or a heading.
"""

from pipeline.clean.verdict import Drop

MINIMUM_WORDS = 25


def long_enough(text: str) -> str | Drop:
    """The text, or Drop with its number of words."""
    words = len(text.split())
    return text if words >= MINIMUM_WORDS else Drop("too short", words)
