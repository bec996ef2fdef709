"""Drops what is not made of a language's words: tables of figures, dumps of data, lists of names.

The measures are Gopher's (Rae et al. 2021, arXiv:2112.11446, table A1), tried on 1,000 plots, ten
books and Shakespeare: none has a mean word length beyond 6.4 or more than 7 % of words without a
letter. Its test for common words drops eight one-sentence summaries of films, so of a text shorter
than the 50 words that Gopher's own texts have at least, one such word is asked, not two.
"""

import re

from pipeline.clean.verdict import Drop, Story

#: Gopher's, table A1.
MEAN_LENGTH = (3, 10)
WITHOUT_LETTER = 0.20
COMMON_WORDS = frozenset({"the", "be", "to", "of", "and", "that", "have", "with"})
COMMON_AT_LEAST, GOPHERS_SHORTEST = 2, 50
#: Of a long text the beginning shows whether it has common words.
_LOOKED_AT = 2000

_LETTER = re.compile(r"[^\W\d_]")


def made_of_words(story: Story) -> Drop | None:
    """Drop with the figure that decided: characters a word, share of words, or common words."""
    words = story.words
    if not words or not story.spaced:
        return None
    mean = sum(map(len, words)) / len(words)
    if not MEAN_LENGTH[0] <= mean <= MEAN_LENGTH[1]:
        return Drop("words too long or too short", round(mean, 2))
    # Words of letters alone are counted first: where they are enough, the others need no look.
    if len(words) - sum(map(str.isalpha, words)) > WITHOUT_LETTER * len(words):
        letterless = sum(not word.isalpha() and not _LETTER.search(word) for word in words)
    else:
        letterless = 0
    if letterless > WITHOUT_LETTER * len(words):
        return Drop("words without a letter", round(letterless / len(words), 3))
    if story.language == "en":
        least = COMMON_AT_LEAST if len(words) >= GOPHERS_SHORTEST else 1
        beginning = words[:_LOOKED_AT]
        if len(COMMON_WORDS.intersection(beginning)) >= least:
            return None  # without a look at capitals, in nearly every story
        found = len(COMMON_WORDS.intersection(map(str.lower, beginning)))
        if found < least:
            return Drop("no common words", found)
    return None
