"""Drops what is too short to be a story.

Gopher asks 50 words of a web page (Rae et al. 2021, arXiv:2112.11446, table A1). A summary in a
list of films is often one full sentence, so half of that is asked here; what is shorter is "To be
announced" or a heading. Gopher's upper bound, 100,000 words, would drop books and is left out.
"""

from pipeline.clean.verdict import Drop, Story

MINIMUM_WORDS = 25
#: Where words are not parted by spaces: a Chinese or Japanese word has about two characters.
MINIMUM_CHARACTERS = 2 * MINIMUM_WORDS


def long_enough(story: Story) -> Drop | None:
    """Drop with the number of words, or of characters where words are not parted by spaces."""
    if story.spaced:
        count, minimum = len(story.words), MINIMUM_WORDS
    else:
        count, minimum = len(story.text), MINIMUM_CHARACTERS
    return Drop("too short", count) if count < minimum else None
