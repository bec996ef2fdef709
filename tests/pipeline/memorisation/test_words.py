"""What counts as a word, and that a folded word is still known by its place in the text."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.memorisation.words import joined_words, words_of

#: Letters of several scripts, marks, apostrophes, and what nobody sees.
_SOME = "aZé’'ʼ\u0301\u00ad\u200dß水き\u3099ป่٣½_- \n“"
_TEXT = st.text(st.one_of(st.sampled_from(_SOME), st.characters()))


@given(_TEXT)
def test_each_word_stands_where_it_is_said_to_stand(text: str) -> None:
    words = words_of(text)
    assert len(words) == len(words.starts) == len(words.ends)
    assert joined_words(text) == " ".join(words.folded)
    end = 0
    for word, start, after in zip(words.folded, words.starts, words.ends, strict=True):
        assert end <= start < after <= len(text)
        assert words_of(text[start:after]).folded == [word]
        assert not {" ", "\n", ""} & {word, *word}
        end = after


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("“Who’s there?” he said — twice.", "who's THERE he\nsaid: 'twice'"),
        ("Jos\u00e9 co\u00adoperates", "Jose\u0301 cooperates"),
        ("a well-known STRASSE", "A well known Straße"),
        ("rock ʼnʼ roll", "rock 'n' roll"),
    ],
)
def test_case_quotes_and_line_ends_do_not_count(one: str, other: str) -> None:
    assert words_of(one).folded == words_of(other).folded


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "It's 1,001 nights_and a half: ½",
            ["it's", "1", "001", "nights", "and", "a", "half", "½"],
        ),
        ("私は水が好き。Hello", ["私", "は", "水", "が", "好", "き", "hello"]),
        (unicodedata.normalize("NFD", "ガラス"), ["ガ", "ラ", "ス"]),
        ("แม่น้ำ", ["แ", "ม่", "น้", "ำ"]),
        ("강물이 밤에 흐른다", ["강물이", "밤에", "흐른다"]),
        ("Полночь; τέλος", ["полночь", "τέλοσ"]),
        ("–…! \u0301", []),
    ],
)
def test_a_word_is_a_run_of_letters_or_a_character_where_no_blanks_are_written(
    text: str, words: list[str]
) -> None:
    assert words_of(text).folded == words
