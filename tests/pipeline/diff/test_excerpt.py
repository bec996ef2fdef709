"""The excerpt is the passage that differs, and all of it where it is short."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.diff.excerpt import excerpt

_TEXT = st.text("ab \n", max_size=40)


@given(_TEXT, _TEXT)
def test_an_excerpt_of_short_texts_gives_both_back(before: str, now: str) -> None:
    found = excerpt(before, now)
    assert found["lead"] + found["before"] + found["tail"] == before
    assert found["lead"] + found["now"] + found["tail"] == now


def test_an_excerpt_of_long_texts_is_bounded() -> None:
    found = excerpt("a" * 9000 + "b" * 9000 + "c" * 9000, "a" * 9000 + "d" + "c" * 9000)
    assert found["now"] == "d"
    assert max(map(len, found.values())) < 300
    assert found["lead"].startswith("…a")
    assert found["before"].endswith("b…")
    assert found["tail"] == "c" * 60 + "…"
