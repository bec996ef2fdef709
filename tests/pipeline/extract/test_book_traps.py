"""What real books of Project Gutenberg were found to leak, each on a page written for this."""

import pytest

from pipeline.extract.book_apparatus import remove_apparatus
from pipeline.extract.book_boilerplate import strip_boilerplate
from pipeline.extract.gutenberg import read_book

TALE = "The tide clock struck nine, and the harbour answered with one bell too many. " * 4
VERSE = (
    "Of salt, and of the house that salt has built,\n"
    "And of the tide that took it, sing, O clock,\n"
    "Until the harbour answers thee by name.\n"
)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ('/* NIND "My dear Ann, */\n', '"My dear Ann,\n'),
        ("/*\nShe rowed.\n*/\n", "\nShe rowed.\n\n"),
        ("  /# RIGHT[4,8] Hask, May 4. #/\n", "Hask, May 4.\n"),
        ("either/or */ and /* neither", "either/or */ and /* neither"),
        ("the ferry,[*] she said", "the ferry, she said"),
        ("One.\n\n[*] A ferry\nof old.\n\nTwo.", "One.\n\n\n\nTwo."),
        ("One.\n\n   [ * That is, a ferry. ]\n\nTwo.", "One.\n\n   \n\nTwo."),
        ("salt{22:A} she said\n\n{22:A} Of the sea.\n\nTwo.", "salt she said\n\n\n\nTwo."),
        ("salt[A] was.\n\n[Footnote A: Of the sea.]", "salt was.\n\n"),
        ("salt[A] was, [A]nd is", "salt[A] was, [A]nd is"),
        ("M^{me} Holt on the 4^{th}, at y^e quay", "Mme Holt on the 4th, at ye quay"),
        ("a ph[oe]nix, [OE]dipus, C[ae]sar", "a phœnix, Œdipus, Cæsar"),
        ("h[=a]le, br[)e]ve, [`a] la", "hāle, brĕve, à la"),
        ("he [aside] goes; [o]r stays", "he [aside] goes; [o]r stays"),
    ],
)
def test_apparatus(written: str, read: str) -> None:
    assert remove_apparatus(written) == read


def test_chapters_with_a_title_beside_their_numeral() -> None:
    names = ("I.", "II. Ann is cross", "III. What the clock said!", "IV. Le départ")
    book = "".join(f"{name}\n\n{TALE}\n\n" for name in names)
    assert [piece.section for piece in read_book(book.encode()).pieces] == list(names)


def test_a_contents_table_of_numbers_alone_goes_whole() -> None:
    names = [*(f"Letter {n}" for n in (1, 2, 3)), *(f"Chapter {n}" for n in range(1, 13))]
    contents = "CONTENTS\n\n" + "".join(f" {name}\n" for name in names)
    book = contents + "".join(f"\n\n{name}\n\n{TALE}" for name in names)
    pieces = read_book(book.encode()).pieces
    assert [piece.section for piece in pieces] == names
    assert {piece.text for piece in pieces} == {TALE.strip()}


def test_numbered_points_stay_in_the_text() -> None:
    points = ["I. The clock is to be wound.", "II. The tide is to be told.", "III. Nobody rows."]
    book = "\n\n".join([TALE, *points, TALE])
    (piece,) = read_book(book.encode()).pieces
    assert piece.text == "\n\n".join([TALE.strip(), *points, TALE.strip()])


@pytest.mark.parametrize("between", [" ", "\n", ". ", ".\n"])
def test_the_poems_name_before_the_number_of_its_book(between: str) -> None:
    book = "".join(
        f"THE TIDE CLOCK{between}BOOK {number}.\n\n{VERSE * 2}    THE END OF THE {name} BOOK.\n\n"
        for number, name in (("I", "FIRST"), ("II", "SECOND"))
    )
    pieces = read_book(book.encode()).pieces
    assert [piece.section for piece in pieces] == [
        f"THE TIDE CLOCK{between}BOOK {number}.".replace("\n", " ") for number in ("I", "II")
    ]
    assert [piece.text for piece in pieces] == [(VERSE * 2).strip()] * 2


def test_an_end_that_the_story_tells_stays() -> None:
    lines = ["End of the road, said the ferryman, and the end of the book of salt too.", "The end"]
    book = f"{VERSE}\n{lines[0]}\n\n{VERSE}{lines[1]}\n\n{VERSE}"
    (piece,) = read_book(book.encode()).pieces
    assert lines[0] in piece.text
    assert f"{VERSE}{lines[1]}" in piece.text


def test_the_mark_by_which_dos_ended_a_file_goes() -> None:
    (piece,) = read_book(f"{VERSE}\n{VERSE}     THE END.\n\x1a".encode()).pieces
    assert piece.text == f"{VERSE}\n{VERSE}".strip()


@pytest.mark.parametrize("name", ["The names of all the Actors.", "THE ACTORS NAMES."])
def test_the_actors_names_are_back_matter(name: str) -> None:
    cast = "Maren, who keeps the clock.\nSora, who winds it, and is her brother.\nA Bell.\n" * 2
    book = f"ACT I\n\n{TALE}\n\nACT II\n\n{TALE}\n\n{name}\n\n{cast}"
    pieces = read_book(book.encode()).pieces
    assert [bool(piece.left_out) for piece in pieces] == [False, False, True]


def test_the_prologue_of_a_play_is_told() -> None:
    cast = "Maren, who keeps the clock.\nSora, who winds it.\n"
    book = f"PERSONS REPRESENTED\n\n{cast}\nTHE PROLOGUE\n\n{TALE}\n\nACT I\n\n{TALE}"
    told = [piece.section for piece in read_book(book.encode()).pieces if not piece.left_out]
    assert told == ["THE PROLOGUE", "ACT I"]


@pytest.mark.parametrize(
    "credit",
    [
        "Images of the original pages are available through a library.\nSee https://library.example",
        "Note: Images of the original pages are available elsewhere.",
        "+-----------------+\n|  Transcriber's  |\n| note: as it was |\n+-----------------+",
        "  +======+\n  |      |\n  | TRANSCRIBER NOTES |\n  |  As it was.  |\n  +======+",
        "Transcriber's Note: The spelling was left as it was.",
        "TRANSCRIBER’S NOTES\n\u2014The spelling was left as it was.",
        "Note du transcripteur: L'orthographe est d'origine.",
        "Anmerkungen zur Transkription: Nichts wurde verbessert.",
    ],
)
def test_credits_and_notes_of_transcribers_go(credit: str) -> None:
    book = f"*** START OF THE PROJECT GUTENBERG EBOOK X ***\n\n{credit}\n\n{TALE}\n"
    assert strip_boilerplate(book).text.strip() == TALE.strip()


@pytest.mark.parametrize(
    ("line", "title"),
    [
        ("The Project Gutenberg Etext of The Tide Clock, by Ann Other", "The Tide Clock"),
        ("***The Project Gutenberg Etext of The Tide Clock by Other***", "The Tide Clock"),
        ("Project Gutenberg's The Tide Clock, by Ann Other", "The Tide Clock"),
        ("Project Gutenberg Etext The Tide Clock", "The Tide Clock"),
        ("The Project Gutenberg eBook of The Tide Clock", "The Tide Clock"),
        ("The Tide Clock, by Ann Other", None),
    ],
)
def test_an_old_header_names_the_book_in_its_first_line(line: str, title: str | None) -> None:
    small_print = "*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*"
    assert strip_boilerplate(f"{line}\n#3 in our series\n\n{small_print}\n\n{TALE}").title == title
