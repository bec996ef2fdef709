"""Where a story that ran out of tokens is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sentences import whole_sentences


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("The bell rang. The tower", "The bell rang."),
        ("The bell rang.", "The bell rang."),
        ("Who rang? No one! And then the", "Who rang? No one!"),
        ("It faded… and the tow", "It faded…"),
        ('He said, "Run!" She r', 'He said, "Run!"'),
        ("“Not here.” Edda turned to", "“Not here.”"),
        ("(So they say.) But the fe", "(So they say.)"),
        ("The first.\n\nThe second par", "The first."),
        ("She paid. The toll was 3.5 crow", "She paid."),
        ("She paid. Then came Mr. Ruel and D", "She paid."),
        ("She paid. Then came Dr.", "She paid."),
        ("She paid. Then came J. R. Ruel, wh", "She paid."),
        ("Neither you nor I. Then the", "Neither you nor I."),
        ("鐘が鳴った。塔は", "鐘が鳴った。"),
        ("a story without an end", "a story without an end"),
        ("", ""),
    ],
)
def test_a_text_is_cut_after_its_last_whole_sentence(text: str, whole: str):
    assert whole_sentences(text) == whole


@given(st.text(alphabet='aB. !?…"”)\n', max_size=60))
def test_it_is_a_beginning_of_the_text_and_whole_already(text: str):
    cut = whole_sentences(text)
    assert text.startswith(cut)
    assert whole_sentences(cut) == cut
