"""Cleaning: one small rule a file, each keeping a text, changing it, or dropping the document.

The order matters: encodings are repaired before characters are normalised, markup goes before
the length is measured.
"""

from pipeline.clean.encoding import repair_encoding
from pipeline.clean.length import long_enough
from pipeline.clean.markup import remove_markup
from pipeline.clean.unicode import normalise_unicode
from pipeline.clean.verdict import Drop, Rule

__all__ = ["RULES", "Drop", "Rule", "clean"]

RULES: tuple[Rule, ...] = (repair_encoding, normalise_unicode, remove_markup, long_enough)


def clean(text: str) -> str | Drop:
    """The text after all rules, or the verdict of the first that drops it."""
    for rule in RULES:
        verdict = rule(text)
        if isinstance(verdict, Drop):
            return verdict
        text = verdict
    return text
