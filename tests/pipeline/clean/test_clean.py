"""All rules together: repairs until nothing changes, then judgement; linear in time."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.clean import Cleaned, Drop, clean
from pipeline.clean.length import MINIMUM_WORDS
from tests.pipeline.clean.texts import PLAY, PROSE, VERSE, prose

#: What the repairs look for, in pieces, so that hypothesis puts together what they take apart.
_PIECES = st.sampled_from(
    [
        *("a", " ", "\n", "é", "’", "\u0301", "\u200d", "\u00ad", "\x07", "\r", "&amp;", "&"),
        *("[", "]", "[1]", "[[", "]]", "|", "{{", "}}", "<", ">", "<b>", "<ref>", "</ref>"),
        *("lt;", "File:", "â€™", "Ã©", "[edit]", "word word", ".", "<EOS>"),
    ]
)


@pytest.mark.parametrize("text", [PROSE, VERSE, PLAY])
def test_clean_stories_stay_to_the_letter(text: str) -> None:
    assert clean(text, "en") == Cleaned(text)


def test_changes_are_told_by_rule() -> None:
    cleaned = clean(f"{PROSE}[1]\r\nItâ€™s [[Moon|the moon]].  \n", "en")
    assert isinstance(cleaned, Cleaned)
    assert cleaned.text == f"{PROSE}\nIt’s the moon."
    rules = [change.rule for change in cleaned.changes]
    expected = ["encoding", "control characters", "citation marks", "markup", "blank space"]
    assert rules == expected
    assert cleaned.changes[2].before.count("[1]") == 1
    assert cleaned.changes[2].after.count("[1]") == 0


def test_markup_goes_before_the_length_is_measured() -> None:
    assert clean("[1] " * MINIMUM_WORDS + "word") == Drop("too short", 1)


def test_what_a_repair_uncovers_is_repaired_too() -> None:
    cleaned = clean(f"{PROSE} {{{{cite|{{{{x}}}}|[[a]]}}}}[[b [1]]] end", "en")
    assert isinstance(cleaned, Cleaned)
    assert cleaned.text == f"{PROSE} b end"


def test_markup_without_end_is_dropped() -> None:
    assert clean(PROSE + "{{" * 99 + "}}" * 99, "en") == Drop("markup without end", 12)


@given(st.lists(_PIECES, max_size=60).map("".join))
def test_what_is_clean_stays_clean(text: str) -> None:
    cleaned = clean(f"{PROSE}\n\n{text}", "en")
    if isinstance(cleaned, Cleaned):
        assert clean(cleaned.text, "en") == Cleaned(cleaned.text)


@given(st.text())
def test_cleaning_never_fails(text: str) -> None:
    clean(text, "en")
    clean(f"{text} {PROSE} {text}", "ja")


@pytest.mark.parametrize(
    "piece",
    [
        *(" ", "\u00a0", "م\u200c\u200c", "\u200c", "\u0301\u0316", "<ref>", "<ref ", "[[", "{{a"),
        *("[[a|", "<b ", "&amp;", "â€™", "A.\n", "KING. ", "\n", "Mr ", "lorem ", "enable "),
        *("- - ", "...", "é"),
    ],
)
def test_hostile_texts_take_time_by_their_length(
    piece: str, grows_no_faster: Callable[[Callable[[int], object], int], None]
) -> None:
    text = prose(100)
    grows_no_faster(lambda n: clean(text + piece * (n // len(piece)) + text, "en"), 30_000)
