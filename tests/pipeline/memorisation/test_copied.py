"""A part of a word is nobody's: where a story was cut, and where it goes on within its prompt's."""

import pytest

from pipeline.memorisation.copied import whole_words


@pytest.mark.parametrize(
    ("prompt", "text", "cut", "whole"),
    [
        ("", "the lamp burns", False, "the lamp burns"),
        ("", "the lamp bur", True, "the lamp    "),
        ("", "the lamp burns.", True, "the lamp burns."),
        ("The keep", "ers wait", False, "    wait"),
        ("The keepers", " wait", False, " wait"),
        ("The keepers", "’s lamp", False, "   lamp"),
        ("The keepers,", "waiting", False, "waiting"),
        ("“", "Wait", False, "Wait"),
        ("ke", "eper", True, "    "),
        ("鍾馗", "打鬼", False, "打鬼"),  # a character is a word
        ("the lamp", "", True, ""),
    ],
)
def test_parts_of_words_are_blank_and_the_rest_stands_where_it_stood(prompt, text, cut, whole):
    assert whole_words(prompt, text, cut=cut) == whole
    assert len(whole) == len(text)
