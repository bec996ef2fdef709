"""What is called a loop, and what people write that is none."""

import random
import re

import pytest

from pipeline.memorisation.words import words_of
from pipeline.quality.looping import is_looping
from tests.pipeline.clean.texts import GERMAN, NAMES, PLAY, PROSE, VERSE, prose
from tests.real_model import play

_SENTENCE = "The keeper lit the seventh lamp and waited for the herons to come home. "
_PARAGRAPH = prose(70, 5) + "\n\n"


def _loops(text: str) -> bool:
    return is_looping(text, words_of(text).folded)


@pytest.mark.parametrize(
    "text",
    [
        PROSE + " and the lamp" * 40,
        PROSE + " the" * 80,
        "At the top stood " + _SENTENCE * 9,
        ("At the top stood " + _SENTENCE * 9)[:-20],  # cut within a word
        PROSE + _PARAGRAPH * 4,  # a loop longer than the sixty words that are looked at first
        "So she said: " + "ne" * 60,  # one word without an end
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        PROSE + "-" * 200,
        PROSE + "\n" * 200,
        PROSE + " ... !!" * 40,
        "灯は海を待つ。" * 12,
        "<script>alert(1)</script>" * 10,
    ],
)
def test_what_repeats_itself_to_its_end_loops(text):
    assert _loops(text)


def test_a_loop_that_changes_a_little_each_time_is_one():
    draw = random.Random(3)
    turns = (f"the same the {draw.choice(('same', 'same', 'same', 'lamp'))}" for _ in range(60))
    assert _loops(PROSE + " " + " ".join(turns))


@pytest.mark.parametrize(
    "text",
    [
        *(PROSE, VERSE, PLAY, GERMAN, NAMES, prose(600)),
        prose(110, 4) * 2,  # told twice is not told without end
        "He laughed: ha, ha, ha, ha, ha, ha!",
        "“Row me over! Row me over! Row me over!” she called from the shore.",
        "“Never, never, never, never, never!”",
        "She screamed: Aaaaaaaaaaaaargh",
        PROSE + "\n\n* * * * * * * * * *",
        PROSE + "\n" + "-" * 57,
        PLAY + "\n\n" + "\n".join(f"KEEPER {n}, a keeper of lamps." for n in range(2)),
        _SENTENCE * 9 + PROSE + " " + prose(60, 9),  # it found its way out of the loop
        *("", ".", "\n", "the"),
    ],
)
def test_what_people_write_does_not(text):
    assert not _loops(text)


def test_no_ending_of_the_projects_own_texts_loops():
    text = "\n\n".join([VERSE, PLAY, PROSE, GERMAN, VERSE, NAMES, prose(300), VERSE, PLAY])
    for end in range(20, len(text), 3):
        assert not _loops(text[max(0, end - 1500) : end])


@pytest.mark.slow
def test_no_ending_of_a_play_of_shakespeares_loops(real_books):
    """Cast lists, songs with refrains, jests that return: cut anywhere."""
    for number in range(0, 40, 8):
        text = re.sub(r"[-_*=]{60,}", "", play(real_books, number))
        for end in range(60, len(text), 211):
            assert not _loops(text[max(0, end - 2000) : end]), text[end - 300 : end]
