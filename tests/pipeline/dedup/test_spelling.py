"""Words of two spellings fold alike; words of two meanings mostly do not."""

import pytest

pytest.importorskip("daft", reason="daft is not installed: pip install daft==0.7.26")

from pipeline.dedup.spelling import VOWELS, fold


@pytest.mark.parametrize(
    ("folio", "modern"),
    [
        ("haue", "have"),
        ("Ioy", "joy"),
        ("vpon", "upon"),
        ("musicke", "music"),
        ("sonne", "son"),
        ("Qveene", "queen"),
        ("ſhall", "shall"),
        ("houſe", "house"),
        ("phantasie", "fantasy"),
        ("Cæsar", "Caesar"),
        ("do's", "do’s"),
        ("naïve", "naive"),
    ],
)
def test_two_spellings_of_a_word_fold_alike(folio: str, modern: str) -> None:
    assert fold(folio) == fold(modern)


def test_words_that_sound_unlike_stay_apart() -> None:
    words = ["sword", "crown", "ghost", "letter", "storm", "sister", "market", "wolf", "bell"]
    assert len({fold(word) for word in words}) == len(words)


def test_what_is_no_word_is_left_out_and_a_word_of_vowels_is_not() -> None:
    assert [fold(text) for text in ("--", "“…”", "", "—")] == [""] * 4
    assert fold("I") == fold("a") == fold("you") == VOWELS
    assert fold("1603") == "1603"


def test_other_scripts_keep_their_letters() -> None:
    assert fold("замок") == "замок" != fold("замка")
    assert fold("ポケモン")


def test_a_number_stays_what_it_is() -> None:
    assert [fold(number) for number in ("1", "11", "1900", "1990")] == ["1", "11", "1900", "1990"]
