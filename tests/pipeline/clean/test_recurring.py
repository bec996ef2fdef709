"""Boilerplate shows over a source only: what recurs at the edges goes, a tale keeps its lines."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.clean.recurring import FEWEST_DOCUMENTS, RecurringLines
from tests.pipeline.clean.texts import PLAY, VERSE, prose

CREDIT = "This episode summary was taken from the official site."


def counted(texts: list[str], source: str = "wiki") -> RecurringLines:
    recurring = RecurringLines()
    for text in texts:
        recurring.count(source, text)
    return recurring


def tales(count: int) -> list[str]:
    return [f"{prose(40, n)}\n\n{prose(40, 1000 + n)}" for n in range(count)]


def test_a_line_at_the_end_of_many_documents_goes() -> None:
    plain = tales(60)
    texts = [f"{text}\n\n{CREDIT}" if n < 20 else text for n, text in enumerate(plain)]
    recurring = counted(texts)
    for number, text in enumerate(texts):
        expected = (plain[number], [CREDIT] if number < 20 else [])
        assert recurring.strip("wiki", text) == expected
        assert recurring.strip("other", text) == (text, [])


def test_several_lines_at_both_ends_go_from_the_outside_in() -> None:
    plain = tales(30)
    head, foot = "Back to the list of all the tales", "Told by nobody in particular, of course."
    recurring = counted([f"{head}\n\n{text}\n\n{CREDIT}\n\n{foot}" for text in plain])
    text = f"{head}\n\n{plain[0]}\n\n{CREDIT}\n\n{foot}"
    assert recurring.strip("wiki", text) == (plain[0], [head, CREDIT, foot])
    inside = f"{plain[0]}\n\n{CREDIT}\n\n{plain[1]}\n\n{plain[2]}"
    assert recurring.strip("wiki", inside) == (inside, [])


def test_a_document_of_nothing_else_is_left_empty() -> None:
    recurring = counted([f"{text}\n\n{CREDIT}" for text in tales(30)])
    assert recurring.strip("wiki", CREDIT) == ("", [CREDIT])


@pytest.mark.parametrize(
    ("texts", "why"),
    [
        ([f"{t}\n\n{CREDIT}" for t in tales(FEWEST_DOCUMENTS - 1)], "too few documents"),
        ([f"{t}\n\n{CREDIT}" for t in tales(1)] * 50, "copies of one text"),
        ([f"{t}\n\nThe End, my dears." for t in tales(9)] + tales(2000), "too small a share"),
        ([f"{t}\n\nThe End." for t in tales(50)], "too short a line"),
        ([f"{PLAY}\n\n{n}" for n in range(50)], "plays end alike"),
        ([f"{VERSE}\n\nNumber {n}\nof many songs" for n in range(50)], "songs have refrains"),
    ],
)
def test_what_is_the_tales_own_stays(texts: list[str], why: str) -> None:
    recurring = counted(texts)
    assert [recurring.strip("wiki", text) for text in texts] == [(t, []) for t in texts], why


@given(st.randoms(use_true_random=False))
def test_the_order_of_documents_does_not_matter(shuffled: random.Random) -> None:
    texts = [f"{text}\n\n{CREDIT}" for text in tales(15)]
    mixed = texts.copy()
    shuffled.shuffle(mixed)
    one, other = counted(texts), counted(mixed)
    assert [one.strip("wiki", t) for t in texts] == [other.strip("wiki", t) for t in texts]
