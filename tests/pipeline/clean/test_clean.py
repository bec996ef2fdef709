"""Each rule keeps, changes or drops; none breaks a quote, an apostrophe or a control token."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.clean import Drop, clean
from pipeline.clean.encoding import repair_encoding
from pipeline.clean.length import MINIMUM_WORDS, long_enough
from pipeline.clean.markup import remove_markup
from pipeline.clean.unicode import normalise_unicode


@pytest.mark.parametrize(
    "text",
    ["don't", "don’t", "“so”", '"so"', "café — naïve…", "ﬁn", "ｗide", "R&D; &lt;b&gt; &nosuch;"],
)
def test_text_that_is_not_broken_stays_as_written(text: str) -> None:
    assert repair_encoding(text) == text


@pytest.mark.parametrize(
    ("broken", "text"),
    [
        ("donâ€™t look", "don’t look"),
        ("PokÃ©mon", "Pokémon"),
        ("â€œYesâ€\x9d", "“Yes”"),
        ("a broken donâ€™t\n\na sound don’t", "a broken don’t\n\na sound don’t"),
        ("a cag&egrave;d bird &amp; co&#8212;sold", "a cagèd bird & co—sold"),
    ],
)
def test_mojibake_is_repaired(broken: str, text: str) -> None:
    assert repair_encoding(broken) == text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("e\u0301", "é"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("zero\u200bwidth\ufeff\u00ad", "zerowidth"),
        ("bell\x07", "bell"),
        ("a\u00a0b", "a b"),
        ("a\n\n\n\n\nb", "a\n\nb"),
        ("trailing  \nspace ", "trailing\nspace"),
        ("\u202eevil\u202c", "evil"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("a gate\u200d—\u200cnow shut", "a gate—now shut"),
        ("½ … ² ﬁ", "½ … ² ﬁ"),
    ],
)
def test_unicode(raw: str, text: str) -> None:
    assert normalise_unicode(raw) == text


@given(st.text())
def test_unicode_is_idempotent_and_encodes(text: str) -> None:
    once = normalise_unicode(text)
    assert normalise_unicode(once) == once
    assert unicodedata.is_normalized("NFC", once)
    once.encode()


@given(st.characters(codec="utf-8"))
def test_no_invisible_control_is_left(character: str) -> None:
    left = normalise_unicode(f"a{character}b")
    assert not any(unicodedata.category(c) == "Cc" and c not in "\n\t" for c in left)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("He left.[1][23] She stayed.[note 2]", "He left. She stayed."),
        ("Truly [citation needed] so[edit]", "Truly so"),
        ("It cost five crowns.[a] It rained.[notes 1]", "It cost five crowns. It rained."),
        ("heaue[n]s and fro[m] no [a] cause",) * 2,
        ("a {{cite|x={{y}}}} b", "a  b"),
        ("see [[Moon|the moon]] and [[Sun]]", "see the moon and Sun"),
        ("[[File:X.png|thumb|a caption]]text", "text"),
        ("one<ref name=a/> two<ref>three</ref><br />four", "one twofour"),
        ("stay: <EOS> <BOS> <superhero> <|endoftext|> <s> </s>",) * 2,
        ("[Exit Ghost.] 1 < 2 > 0 it''s ''so''",) * 2,
        ("years [1984] and [sic]", "years [1984] and [sic]"),
        ("{{ never closed", "{{ never closed"),
    ],
)
def test_markup(raw: str, text: str) -> None:
    assert remove_markup(raw) == text


def test_length() -> None:
    enough = "word " * MINIMUM_WORDS
    assert long_enough(enough) == enough
    assert long_enough("word " * (MINIMUM_WORDS - 1)) == Drop("too short", MINIMUM_WORDS - 1)


def test_markup_goes_before_the_length_is_measured() -> None:
    assert isinstance(clean("[1] " * MINIMUM_WORDS + "word"), Drop)


@given(st.text(alphabet=st.sampled_from("a é’[]{}<>|1\n\u0301ref/")))
def test_cleaning_never_fails(text: str) -> None:
    clean(text + " word" * MINIMUM_WORDS)


@pytest.mark.parametrize(
    "hostile",
    ["A" + " " * 60_000 + "b", "A" + "\u00a0" * 60_000 + "b", "م" + "\u200c" * 60_000 + "م"],
    ids=["spaces", "no-break spaces", "joiners"],
)
def test_a_long_run_within_a_line_costs_no_more_than_its_length(hostile: str) -> None:
    begun = time.process_time()
    normalise_unicode(hostile)
    assert time.process_time() - begun < 2  # 0.01 s; where each place is searched anew, over 4 s
