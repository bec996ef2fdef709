"""Layout tells prose, verse and plays apart, in texts of the project's own and in real ones."""

from collections import Counter
from pathlib import Path

import pytest

from pipeline.clean.form import form_of
from pipeline.extract.gutenberg import read_book
from tests.pipeline.clean.texts import GERMAN, NAMES, PLAY, PROSE, VERSE, prose

_BOOKS = Path(__file__).parents[4] / "shared" / "data" / "gutenberg"


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (PROSE, "prose"),
        (GERMAN, "prose"),
        (NAMES, "prose"),
        (prose(5000), "prose"),
        ("", "prose"),
        (VERSE, "verse"),
        (PLAY, "play"),
        ("Ham. Who is there?\nMar. Nobody, my lord.\nHam. Good.\nMar. Good.\n" * 3, "play"),
        ("PUCK\nOver hill.\n\nFAIRY\nOver dale.\n\nPUCK\nThrough fire.\n\nFAIRY\nYes.\n", "play"),
        ("\n\n".join(f"Mr. Bennet said {n}.\n\nMrs. Bennet was vexed." for n in range(9)), "prose"),
        (f"{PROSE}\n\n{PROSE}\n\nShe sang:\n\n{VERSE[:100]}\n\n{PROSE}", "prose"),
    ],
)
def test_form(text: str, form: str) -> None:
    assert form_of(text) == form


@pytest.mark.skipif(not _BOOKS.is_dir(), reason=f"{_BOOKS} with real books is absent")
@pytest.mark.parametrize("name", ["pg84.txt", "pg1342.txt", "pg145.txt", "2591-0.txt"])
def test_the_chapters_of_novels_and_tales_are_prose(name: str) -> None:
    pieces = read_book((_BOOKS / name).read_bytes()).pieces
    forms = Counter(form_of(piece.text) for piece in pieces if not piece.left_out)
    assert set(forms) == {"prose"}
