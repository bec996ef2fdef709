"""Drops what is not in its franchise's language.

py3langid names the language of an excerpt (Lui and Baldwin 2012, langid.py, retrained): offline,
140 languages, 4.5 MB, no pickle, no C. Epigraphs, songs and invented names make a passage
look foreign, so excerpts are spread over the text, and all of them must say so with little doubt;
one in the right language suffices to keep it.
"""

from functools import cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from pipeline.clean.verdict import Drop, Story

#: Characters of an excerpt, and what is too short to be judged: names and loanwords outweigh the
#: rest in a sentence or two.
EXCERPT, SHORTEST = 300, 200
#: Each excerpt must say another language with at least this probability.
CERTAIN = 0.9
#: Where the excerpts are taken, as a share of the text; the middle first, for openings have
#: epigraphs, and one excerpt in the right language ends the search.
_PLACES = (0.5, 0.2, 0.8)
#: Languages written so alike that a few sentences of one pass for another.
_ALIKE = (
    {"en", "sco", "pcm"},
    {"no", "nb", "nn", "da"},
    {"id", "ms"},
    {"hr", "bs", "sr", "sh"},
    {"pt", "gl"},
    {"cs", "sk"},
    {"hi", "mr", "ne"},
    {"zh", "yue", "wuu"},
)


def in_its_language(story: Story) -> Drop | None:
    """Drop with the least of the excerpts' probabilities."""
    if story.language is None or len(story.text) < SHORTEST:
        return None
    accepted = _accepted(story.language)
    identifier = _identifier()
    if accepted.isdisjoint(identifier.labels):
        return None
    least, found = 1.0, ""
    for place in _PLACES:
        start = round(place * max(0, len(story.text) - EXCERPT))
        language, probability = identifier.classify(story.text[start : start + EXCERPT])
        if language in accepted or probability < CERTAIN:
            return None
        least, found = min(least, probability), found or language
    return Drop(f"language is {found}, not {story.language}", round(least, 3))


def same_language(one: str, other: str) -> bool:
    """Whether two codes name one language, or two that are written so alike that it is no error."""
    return one in _accepted(other)


def _accepted(language: str) -> set[str]:
    return {language}.union(*(alike for alike in _ALIKE if language in alike))


@cache
def _identifier() -> LanguageIdentifier:
    """The model, read once, on first use."""
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
