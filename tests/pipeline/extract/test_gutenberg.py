"""Books as Project Gutenberg has served them since 1991, with nothing left but the book."""

import re
from pathlib import Path

import pytest

from pipeline.extract.book_encoding import decode_book
from pipeline.extract.gutenberg import read_book
from pipeline.extract.piece import NoStoryError

CHAPTERS = """\
CHAPTER I.
The Mill at Hask

Nobody had heard the wheel of the mill at Hask since the winter in which
the miller sold the river, and yet the flour was warm when his daughter
came down--warm, and smelling of a well-
kept secret. "Who ground it?" she asked.

"Not I," said the cat, which was _not_ its custom.

CHAPTER II.

She waited up with a candle, a crust, and the third volume of a book on
rivers. At the stroke of two the wheel turned without any water at all.

    O turn for me, and turn for thee,
    And turn for them that pay no fee;
    Who grinds by night shall eat by day
    And give the better half away.

* * * * *

In the morning the river came home.
"""
MODERN = f"""\
The Project Gutenberg eBook of The Mill at Hask, by Nobody at All

This eBook is for the use of anyone anywhere in the United States.

Title: The Mill at Hask
       A Tale of Flour

Author: Nobody at All

Produced by: A Proofreader and another

*** START OF THE PROJECT GUTENBERG EBOOK THE MILL AT HASK, WITH A TITLE SO LONG
THAT IT RUNS ON ***

cover

[Illustration: The mill by night,
[as drawn by the author] in ink]

The Mill at Hask

by Nobody at All

Contents

CHAPTER I. The Mill at Hask
CHAPTER II.

{CHAPTERS}
THE END

*** END OF THE PROJECT GUTENBERG EBOOK THE MILL AT HASK ***

Updated editions will replace the previous one--the old editions will be renamed.
"""
OLD = f"""\
Project Gutenberg's The Mill at Hask, by Nobody at All

*** START OF THIS PROJECT GUTENBERG EBOOK THE MILL AT HASK ***

Produced by A Proofreader and the Online
Distributed Proofreading Team at http://www.pgdp.net

[Transcriber's Note: The spelling was left as it was.]

{CHAPTERS}
End of the Project Gutenberg EBook of The Mill at Hask, by Nobody at All

*** END OF THIS PROJECT GUTENBERG EBOOK THE MILL AT HASK ***

*** START: FULL LICENSE ***

THE FULL PROJECT GUTENBERG LICENSE
"""
SMALL_PRINT = f"""\
The Project Gutenberg Etext of The Mill at Hask, by Nobody at All

***START**THE SMALL PRINT!**FOR PUBLIC DOMAIN ETEXTS**START***
Why is this "Small Print!" statement here? You know: lawyers.
*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*

This etext was prepared by a volunteer, somewhere.

{CHAPTERS}
End of The Project Gutenberg Etext of The Mill at Hask, by Nobody at All
"""
GERMAN = f"""\
*** START OF THIS PROJECT GUTENBERG EBOOK DIE MÜHLE ***

{CHAPTERS}
Ende dieses Projekt Gutenberg Etextes Die Mühle
"""
FRENCH = f"""\
*** START OF THIS PROJECT GUTENBERG EBOOK LE MOULIN ***

{CHAPTERS}
Fin du Projet Gutenberg Le moulin
"""
SPANISH = f"""\
*** INICIO DE ESTE EBOOK DE PROYECTO GUTENBERG EL MOLINO ***

{CHAPTERS}
Fin del Proyecto Gutenberg EBook de El molino, de Nadie

La ley de los Estados Unidos y lo que sigue.
"""
PORTUGUESE = f"""\
*** START OF THIS PROJECT GUTENBERG EBOOK O MOINHO ***

{CHAPTERS}
Fim do Projecto Gutenberg EBook de O moinho

*** END OF THIS PROJECT GUTENBERG EBOOK O MOINHO ***
"""
ITALIAN = f"""\
*** START OF THIS PROJECT GUTENBERG EBOOK IL MULINO ***

{CHAPTERS}
Fine del Progetto Gutenberg EBook de Il mulino, di Nessuno
"""
DUTCH = f"""\
*** START OF THIS PROJECT GUTENBERG EBOOK DE MOLEN ***

{CHAPTERS}
Einde van Project Gutenberg's De molen, door Niemand
"""
BARE = CHAPTERS

EXPECTED = [
    (
        "CHAPTER I. The Mill at Hask",
        "Nobody had heard the wheel of the mill at Hask since the winter in which the miller sold "
        "the river, and yet the flour was warm when his daughter came down--warm, and smelling of "
        'a well-kept secret. "Who ground it?" she asked.\n\n'
        '"Not I," said the cat, which was not its custom.',
    ),
    (
        "CHAPTER II.",
        "She waited up with a candle, a crust, and the third volume of a book on rivers. At the "
        "stroke of two the wheel turned without any water at all.\n\n"
        "O turn for me, and turn for thee,\nAnd turn for them that pay no fee;\n"
        "Who grinds by night shall eat by day\nAnd give the better half away.\n\n"
        "* * *\n\nIn the morning the river came home.",
    ),
]


AGES = {
    "modern": MODERN,
    "old": OLD,
    "small print": SMALL_PRINT,
    "german": GERMAN,
    "french": FRENCH,
    "spanish": SPANISH,
    "portuguese": PORTUGUESE,
    "italian": ITALIAN,
    "dutch": DUTCH,
    "bare": BARE,
}


@pytest.mark.parametrize(
    ("encoding", "line_end"),
    [("utf-8", "\n"), ("utf-8-sig", "\r\n"), ("cp1252", "\r"), ("utf-16", "\r\n")],
)
@pytest.mark.parametrize("age", AGES)
def test_only_the_chapters_remain(age: str, encoding: str, line_end: str) -> None:
    body = AGES[age].replace("\n", line_end).encode(encoding)
    pieces = [piece for piece in read_book(body).pieces if not piece.left_out]
    assert [(piece.section, piece.text) for piece in pieces] == EXPECTED


def test_the_header_gives_the_title_over_two_lines() -> None:
    assert read_book(MODERN.encode()).title == "The Mill at Hask A Tale of Flour"
    assert read_book(BARE.encode()).title is None


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r", "\r\r\n"])
@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1", "mac_roman"],
)
def test_every_encoding_and_line_end(encoding: str, line_end: str) -> None:
    text = "L'été à Besançon, où naît le mûrier ;\n\nç'était déjà la fête, dit-il, très gêné.\n" * 3
    assert decode_book(text.replace("\n", line_end).encode(encoding)) == text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252", "mac_roman"])
def test_curly_quotes_and_dashes(encoding: str) -> None:
    text = "“It’s late,” she said—“too late…” ‘Is it?’ he thought. " * 3
    assert decode_book(text.encode(encoding)) == text


def test_front_and_back_matter_is_left_out_and_named() -> None:
    book = f"TO THE READER\n\n{'Bear with me, kind one. ' * 8}\n\n{CHAPTERS * 5}"
    pieces = read_book(book.encode()).pieces
    assert pieces[0].section == "TO THE READER"
    assert pieces[0].left_out
    assert not any(piece.left_out for piece in pieces[1:])


def test_parts_precede_their_chapters_and_anchors_stay_apart() -> None:
    chapter = "I.\n\n" + "It rained on the salt road all that day and all the next. " * 4 + "\n\n"
    chapters = chapter + chapter.replace("I.", "II.", 1) + chapter.replace("I.", "III.", 1)
    book = f"PART ONE\n\n{chapters}PART TWO\n\n{chapters}"
    pieces = read_book(book.encode()).pieces
    assert [piece.section for piece in pieces][2:4] == ["PART ONE, III.", "PART TWO, I."]
    assert len({piece.anchor for piece in pieces}) == 6


def test_letters_alone_on_a_line_are_no_chapters() -> None:
    entry = "A word, and what the author thought of it at the time of writing, at some length.\n\n"
    book = "".join(f"{letter}\n\n{entry * 3}" for letter in "ABCDILMVX")
    pieces = read_book(book.encode()).pieces
    assert [piece.anchor for piece in pieces] == ["text"]


def test_titles_of_the_contents_table_are_found_again() -> None:
    tale = "Once a goose was owed a kingdom and took a pond. So it goes with geese.\n\n" * 3
    book = (
        "CONTENTS\n\nThe Goose\nThe Pond\n\n"
        f"THE GOOSE\n\n{tale}She looked for\nThe Pond\n\n{tale}THE POND\n\n{tale}"
    )
    assert [p.section for p in read_book(book.encode()).pieces] == ["THE GOOSE", "THE POND"]


def test_a_long_book_without_chapters_is_cut_between_paragraphs() -> None:
    paragraph = "The road went on, and so did they, and nobody counted the milestones. " * 10
    pieces = read_book((f"{paragraph}\n\n" * 200).encode()).pieces
    assert [piece.anchor for piece in pieces] == ["part-1", "part-2", "part-3", "part-4"]
    assert "\n\n".join(p.text for p in pieces) == "\n\n".join([paragraph.strip()] * 200)


def test_marks_of_emphasis_go_and_nothing_else() -> None:
    marked = "_Un_important, she said, =quite= so; 2 + 2 = 4 = 2 * 2, Mr. ____ of W__ agreed. "
    plain = "Unimportant, she said, quite so; 2 + 2 = 4 = 2 * 2, Mr. ____ of W__ agreed. "
    (piece,) = read_book((marked * 3).encode()).pieces
    assert piece.text == (plain * 3).strip()


@pytest.mark.parametrize("name", ["Illustration", "Vignette", "Gravure", "Abbildung"])
def test_a_caption_goes_in_every_language(name: str) -> None:
    (piece,) = read_book(f"{TALE}\n\n[{name}: LE MOULIN]\n\n{TALE}".encode()).pieces
    assert piece.text == f"{TALE.strip()}\n\n{TALE.strip()}"


def test_plays_keep_their_lines() -> None:
    scene = (
        "Odd.\nWho lit the lamp?\n\nKeeper.\nThe one who owed its light:\n"
        "A man may owe a candle all his days\nAnd pay it in a night.\n\n"
    )
    play = f"ACT I.\n\nScene I. A quay.\n\n{scene}{scene}Scene II. The same.\n\n{scene}{scene}"
    pieces = read_book(play.encode()).pieces
    assert [piece.section for piece in pieces] == [
        "ACT I., Scene I. A quay.",
        "ACT I., Scene II. The same.",
    ]
    assert pieces[0].text == (scene * 2).strip()


def test_a_speech_of_one_line_stays_below_its_speaker_and_a_paragraph_set_in_begins() -> None:
    scene = "KEEPER.\n              And so it burns tonight.\n\nODD.\n  And by whose oil?\n"
    prose = (
        "The clerk of Hask wrote verses in the margins of the ledger, two lines at a\n"
        "time, because the third would have cost the parish another candle.\n"
        "  The margins were all he had been left of a house with eleven rooms and a\n"
        "view of the river.\n"
    )
    told = read_book(f"{scene}\n{prose}\n{scene}\n{prose}".encode()).pieces[0].text
    assert told.count(scene.strip()) == 2
    assert told.count("another candle.\n\nThe margins were") == 2


TALE = "The tide clock struck nine, and the harbour answered with one bell too many. " * 4


def test_a_title_page_is_no_story_and_a_half_title_neither() -> None:
    poem = f"THE TIDE CLOCK\n\nby Ann (Salter) Other\n\nThe Tide Clock\n\n{TALE}"
    (piece,) = read_book(poem.encode()).pieces
    assert piece.text == TALE.strip()
    play = (
        f"THE TIDE CLOCK\n\nby Ann Other\n\nPROLOGUE\n\nTHE TIDE CLOCK\n\n{TALE}\n\nACT I\n\n{TALE}"
    )
    assert [piece.text for piece in read_book(play.encode()).pieces] == [TALE.strip()] * 2


@pytest.mark.parametrize(
    "opening", ["By moonlight, then.", "By Moonlight", "CHAPTER I\n\nBy Salt and Candle"]
)
def test_an_opening_that_is_no_byline_stays(opening: str) -> None:
    (piece,) = read_book(f"A bell rang.\n\n{opening}\n\n{TALE}".encode()).pieces
    assert opening.rpartition("\n")[2] in piece.text


def test_finis_goes_with_the_title_beside_it() -> None:
    book = f"{TALE}\n\nFINIS. The comedie of THE TIDE CLOCKE."
    assert read_book(book.encode()).pieces[0].text == TALE.strip()


def test_a_note_on_the_author_is_back_matter() -> None:
    tale = f"{TALE}\n\n" * 40
    note = "Ann Salter Other (1801-1877) kept a lighthouse, and wrote by its lamp. " * 4
    book = f"I\n\n{tale}II\n\n{tale}III\n\n{tale}*****\n\n{note}\n\nHer letters are lost."
    *chapters, last = read_book(book.encode()).pieces
    assert [chapter.section for chapter in chapters] == ["I", "II", "III"]
    assert (last.section, bool(last.left_out)) == ("About the author", True)


def test_a_misprinted_numeral_opens_its_chapter_all_the_same() -> None:
    book = "".join(f"{numeral}\n\n{TALE}\n\n" for numeral in ("I", "II", "VIII", "IV", "V"))
    pieces = read_book(book.encode()).pieces
    assert [piece.section for piece in pieces] == ["I", "II", "VIII", "IV", "V"]


def test_the_scene_beside_an_act_names_that_scene_only() -> None:
    book = f"ACT II. SCENE I. A quay.\n\n{TALE}\n\nSCENE II.\n\n{TALE}"
    sections = [piece.section for piece in read_book(book.encode()).pieces]
    assert sections == ["ACT II. SCENE I. A quay.", "ACT II, SCENE II."]


def test_verse_has_no_typed_double_spaces_and_keeps_its_indents() -> None:
    verse = "The tide goes out.  The clock stays in.\n  It tells of salt:  of kith and kin,\n"
    (piece,) = read_book((verse * 4).encode()).pieces
    assert piece.text == (verse * 4).replace(".  The", ". The").replace(":  of", ": of").strip()


def test_a_couplet_set_in_keeps_its_lines_and_wrapped_prose_does_not() -> None:
    prose = (
        "The clerk of Hask wrote verses in the margins of the ledger, two lines at a\n"
        "time, because the third would have cost the parish another candle, and the\n"
        "margins were all he had been left of a house with eleven rooms, a view of the\n"
        "river, and an aunt.\n"
    )
    couplet = (
        "  A ledger has a left side and a right;\n  The one is for the day, and one the night.\n"
    )
    set_in = (
        "  The clerk was found beside his ledger, one morning, in the very chair that\n"
        "  Lady Hask gave.\n"
    )
    (piece,) = read_book(f"{prose}\n{couplet}\n{set_in}\n{prose}".encode()).pieces
    paragraphs = piece.text.split("\n\n")
    assert paragraphs[1] == couplet.replace("  ", "").strip()
    assert paragraphs[2].endswith("in the very chair that Lady Hask gave.")


def test_a_compound_of_names_broken_at_a_line_end_is_joined() -> None:
    book = (
        "it was the habit of the old ferryman of Hask to call upon the Marquis of Anne-\n"
        "Marie at nine, and to be told that nobody of that name was at home, which he\n"
        "wrote down in a book.\n"
    )
    (piece,) = read_book((book * 2).encode()).pieces
    assert piece.text.count("Anne-Marie at nine") == 2


@pytest.mark.parametrize("body", [b"", b"\0" * 99, b"CHAPTER I\n\n" * 99, b"[Illustration: x]"])
def test_a_book_without_text_has_no_story(body: bytes) -> None:
    with pytest.raises(NoStoryError):
        read_book(body)


#: Lines of so many signs, which regular expressions could search anew from each of their places.
HOSTILE = {
    "spaces": lambda n: "A" + " " * n + "b",
    "dashes": lambda n: "-" * n + "x",
    "spaced stars": lambda n: "* " * (n // 2) + "x",
    "leaders": lambda n: "CONTENTS\n\nPROLOGUE\n\nA" + "." * n + "b",
    "places of print": lambda n: "LONDON " * (n // 2) + "x",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_long_line_costs_no_more_than_its_length(name: str, grows_no_faster) -> None:
    def work(n: int) -> None:
        line = HOSTILE[name](n)
        read_book(f"{CHAPTERS}\n\n{line}\n\n{CHAPTERS}\n\n{line}".encode())

    grows_no_faster(work, 15_000)


def test_a_printers_colophon_goes_and_a_sentence_on_the_press_stays() -> None:
    kept = "Nobody in London had heard of the PRESS until it printed the miller's letter. " * 2
    book = f"{kept}\n\n{kept}\n\nTHE HASK PRESS, 12 RIVER STREET, LONDON"
    (piece,) = read_book(book.encode()).pieces
    assert piece.text.split("\n\n") == [kept.strip()] * 2


#: Chapters kept, the first and the last words of the story.
REAL = {
    "pg11.txt": (12, "Alice was beginning", "happy summer days."),
    "pg46.txt": (5, "MARLEY was dead", "God bless Us, Every One!"),
    "pg84.txt": (28, "To Mrs. Saville", "darkness and distance."),
    "pg145.txt": (88, "Who that cares", "unvisited tombs."),
    "pg1342.txt": (61, "It is a truth", "uniting them."),
    "2160-0.txt": (21, "To Mr HENRY DAVIS", "Nov. 20."),
    "2591-0.txt": (64, "A certain king", "."),
    "972.txt": (9, "The Devil's Dictionary", "every two years."),
    "dvldc10.txt": (9, "The Devil's Dictionary", "every two years."),
    "flatland.txt": (22, "I call our world", "."),
    "Gaboriau_Other_Peoples_Money.txt": (42, "There is not,", ""),
    "44157-8.txt": (80, "Marie.", "het lezen."),
}
_BOILERPLATE = re.compile(
    r"gutenberg|pgdp\.net|proofread|\[illustration|^produced by|-tm trademark|small print"
    r"|electronic work|\[transcriber|\ufffd|â€|Ã©",
    re.IGNORECASE | re.MULTILINE,
)


@pytest.mark.parametrize("name", REAL)
def test_real_books(real_text: Path, name: str) -> None:
    chapters, first, last = REAL[name]
    book = read_book((real_text / "gutenberg" / name).read_bytes())
    pieces = [piece for piece in book.pieces if not piece.left_out]
    assert len(pieces) == chapters
    assert pieces[0].text.startswith(first)
    assert pieces[-1].text.endswith(last)
    text = "\n".join(piece.text for piece in pieces)
    assert not _BOILERPLATE.search(text)
    assert not re.search(r"[a-z,]\n[a-z]{3,}.*\n[a-z]{3,}", text) or name == "44157-8.txt"
