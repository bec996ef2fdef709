"""A story's copied passages are marked on the words that they are, whatever the text holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape

from pipeline.reports.marked import Part, cut_parts, marked
from pipeline.reports.text import plain


def passage(start: int, end: int, longest: bool = False) -> dict:
    return {"sample": 3, "start": start, "end": end, "longest": longest}


def test_the_longest_has_the_words_that_two_share() -> None:
    text = "The ferryman hid the key before the bells rang."
    found = marked(text, [passage(0, 24), passage(13, 41, longest=True), passage(35, 46)])
    assert found == [
        Part("The ferryman ", "other"),
        Part("hid the key before the bells", "longest"),
        Part(" rang", "other"),
        Part("."),
    ]


def test_what_is_hidden_moves_no_mark() -> None:
    text = "\x00\x1b[31mA lame\r\n\r\n\r\n fox\u202e slept"
    start = text.index("fox")
    found = marked(text, [passage(start, len(text), longest=True)])
    assert [part.text for part in found if part.kind] == ["fox slept"]
    assert "".join(part.text for part in found) == "[31mA lame\n\n fox slept"


def test_a_passage_of_another_text_is_an_error() -> None:
    with pytest.raises(ValueError, match="characters 2 to 9 of sample 3, which has 5: .* again"):
        marked("short", [passage(2, 9)])


@given(
    st.text(st.sampled_from("a b\n<&>\"'\x00\U0001f98a\u0301é\u202e"), max_size=60),
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20), st.booleans()), max_size=6),
    st.integers(0, 60),
)
def test_marks_lose_no_word_and_cut_no_escape(
    text: str, spans: list[tuple[int, int, bool]], limit: int
) -> None:
    passages = [
        passage(start, start + length, longest)
        for start, length, longest in spans
        if start + length <= len(text)
    ]
    parts = marked(text, passages)
    shown, folded = cut_parts(parts, limit)
    told = "".join(part.text for part in (*shown, *folded))
    assert "".join(told.split()) == "".join(plain(text).split())
    assert sum(len(part.text) for part in shown) <= max(limit, 0)
    # Each part is escaped by itself, as the whole would be: no entity or character is in two.
    assert "".join(escape(part.text) for part in (*shown, *folded)) == escape(told)
    inside = {at for row in passages for at in range(row["start"], row["end"])}
    words = "".join(plain(text[at]) for at in sorted(inside)).split()
    assert "".join("".join(part.text for part in parts if part.kind).split()) == "".join(words)
