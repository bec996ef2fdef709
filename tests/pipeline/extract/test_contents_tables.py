"""A contents table goes and no chapter goes with it, however the two write numbers and titles."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.extract.gutenberg import read_book

TITLES = (
    "Nine Bones", "The Road to Hask", "What the Ferryman Sold", "A Wooden Key", "I Wind the Clock",
    "How Maren Went In by the Window", "Oaths and Acorns", "The Last Lamp",
)  # fmt: skip
ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII")
ORDINALS = ("FIRST", "SECOND", "THIRD", "FOURTH", "FIFTH", "SIXTH", "SEVENTH", "EIGHTH")
ENTRIES = {
    "numeral and title": lambda n: f"{ROMAN[n]:>6}. {TITLES[n]}",
    "numeral without a point": lambda n: f"{ROMAN[n]:>6} {TITLES[n]}",
    "chapter and title": lambda n: f"Chapter {ROMAN[n]}. {TITLES[n]}",
    "in capitals": lambda n: f"CHAPTER {ROMAN[n]}. {TITLES[n].upper()}",
    "digit and title": lambda n: f" {n + 1}. {TITLES[n]}",
    "title and page": lambda n: f"{TITLES[n]} {'.' * (50 - len(TITLES[n]))} {3 + 12 * n}",
    "numeral, title and page": lambda n: f"{ROMAN[n]}. {TITLES[n]}    {3 + 12 * n}",
    "title": lambda n: TITLES[n],
    "numeral": lambda n: f"  {ROMAN[n]}.",
    "chapter": lambda n: f"  Chapter {n + 1}",
}
HEADINGS = {
    "chapter over title": lambda n: f"CHAPTER {ROMAN[n]}.\n{TITLES[n].upper()}",
    "chapter apart from title": lambda n: f"CHAPTER {ROMAN[n]}\n\n{TITLES[n].upper()}",
    "chapter before title": lambda n: f"Chapter {n + 1}. {TITLES[n]}",
    "chapter alone": lambda n: f"CHAPTER {ROMAN[n]}.",
    "in words": lambda n: f"CHAPTER THE {ORDINALS[n]}\n{TITLES[n]}",
    "numeral over title": lambda n: f"{ROMAN[n]}.\n{TITLES[n].upper()}",
    "numeral before title": lambda n: f"{ROMAN[n]}. {TITLES[n].upper()}",
    "title": lambda n: TITLES[n].upper(),
    "another title": lambda n: f"CHAPTER {ROMAN[n]}. OF {TITLES[-1 - n].upper()} AGAIN",
}
OPENINGS = (
    "Nobody at the ferry had seen the bones since the winter in which the river\n"
    "was sold, and yet the ferryman counted them aloud each evening, to nine, and\n"
    "then began again with a look at the door.",
    "“Who counts them?” she asked.\n\n“Not I,” said the cat.\n\nThe lamp went out.",
    "There is a saying in Hask that winter asks what summer did, and they all knew\n"
    "Maren had no answer ready.",
)
BODY = (
    "It was the custom of the house to wind the clock at nine, and to say nothing\n"
    "of it afterwards, whatever the harbour answered, and however many bells were\n"
    "heard to strike in rooms that nobody had rented for a hundred years.\n"
)


def novel(entry: str, heading: str, opening: str, chapters: int, apart: bool, note: str) -> str:
    table = ("\n\n" if apart else "\n").join(ENTRIES[entry](n) for n in range(chapters))
    told = "\n\n".join(
        f"{HEADINGS[heading](n)}\n\n{opening}\n\nOf chapter {n} this is told. {BODY}"
        for n in range(chapters)
    )
    return f"THE NINTH BELL\n\nBy Maud Harrowgate\n\nCONTENTS\n\n{table}\n\n{note}\n\n{told}"


def assert_all_told(book: str, opening: str, chapters: int) -> None:
    told = "\n\n".join(p.text for p in read_book(book.encode()).pieces if not p.left_out)
    words = " ".join(told.split())
    assert words.count(" ".join(opening.split())) == chapters
    for n in range(chapters):
        assert words.count(f"Of chapter {n} this is told. {' '.join(BODY.split())}") == 1


@pytest.mark.parametrize(("entry", "heading"), [*product(ENTRIES, HEADINGS)])
def test_every_chapter_is_a_document(entry: str, heading: str) -> None:
    book = novel(entry, heading, OPENINGS[0], 8, apart=False, note="")
    assert_all_told(book, OPENINGS[0], 8)
    # A title that nothing announces is no heading: then the book is one document.
    unknown = entry in ("numeral", "chapter") and heading in ("numeral over title", "title")
    told = [piece for piece in read_book(book.encode()).pieces if not piece.left_out]
    assert len(told) == (1 if unknown else 8)


@settings(max_examples=300, deadline=None)
@given(
    entry=st.sampled_from([*ENTRIES]),
    heading=st.sampled_from([*HEADINGS]),
    opening=st.sampled_from(OPENINGS),
    chapters=st.integers(2, 8),
    apart=st.booleans(),
    note=st.sampled_from(["", "TO\nMY AUNT", "PART ONE"]),
)
def test_no_prose_goes_with_a_table_of_any_shape(
    entry: str, heading: str, opening: str, chapters: int, apart: bool, note: str
) -> None:
    assert_all_told(novel(entry, heading, opening, chapters, apart, note), opening, chapters)


def test_chapters_that_begin_anew_in_each_part() -> None:
    table = "PART ONE\n\n{}\n\n{}\n\nPART TWO\n\n{}\n\n{}".format(
        *(f"{ROMAN[n % 2]}. {TITLES[n]}" for n in range(4))
    )
    told = "".join(
        ("" if n % 2 else f"PART {('ONE', 'TWO')[n // 2]}\n\n")
        + f"CHAPTER {ROMAN[n % 2]}.\n{TITLES[n].upper()}\n\n{BODY}\n"
        for n in range(4)
    )
    pieces = read_book(f"CONTENTS\n\n{table}\n\n{told}".encode()).pieces
    assert [piece.section for piece in pieces] == [
        f"PART {part}, CHAPTER {ROMAN[n % 2]}. {TITLES[n].upper()}"
        for n, part in enumerate(("ONE", "ONE", "TWO", "TWO"))
    ]


def test_a_preface_that_the_table_does_not_name_is_left_out_and_the_table_with_it() -> None:
    table = "\n".join(f"{ROMAN[n]}. {TITLES[n]}" for n in range(8))
    told = "\n".join(f"CHAPTER {ROMAN[n]}.\n{TITLES[n].upper()}\n\n{BODY}" for n in range(8))
    book = f"CONTENTS\n\n{table}\n\nPREFACE\n\n{BODY}\n\n{told}"
    preface, *chapters = read_book(book.encode()).pieces
    assert (preface.section, bool(preface.left_out)) == ("PREFACE", True)
    assert len(chapters) == 8
    assert not any(chapter.left_out for chapter in chapters)


def test_prose_before_the_first_heading_is_told_and_a_title_page_is_not() -> None:
    told = "".join(f"CHAPTER {numeral}\n\n{BODY * 2}\n" for numeral in ROMAN)
    page = "THE NINTH BELL\n\nA Tale of Salt\n\nPrinted at Hask by the widow Tallow in the year\n"
    page += "of the great tide, for those who can read, and for those who are read to\n"
    page += "of an evening.\n\n"
    title_page, *chapters = read_book((page + told).encode()).pieces
    assert title_page.left_out
    assert len(chapters) == 8
    opening, *chapters = read_book(f"{page}{BODY}\n{BODY}\n{BODY}\n{told}".encode()).pieces
    assert not opening.left_out
    assert opening.text.count("to wind the clock at nine") == 3


def test_a_table_in_a_text_of_a_paragraph_a_line_takes_no_paragraph() -> None:
    paragraph = " ".join(BODY.split())
    table = "\n".join(TITLES)
    told = "\n".join(f"{paragraph} It was the {word.lower()}." for word in ORDINALS)
    book = f"CONTENTS\n{table}\n{told}\n"
    (piece,) = read_book(book.encode()).pieces
    assert piece.text.count(paragraph) == len(ORDINALS)
