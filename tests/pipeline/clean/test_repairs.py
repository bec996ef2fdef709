"""Each repair changes what is broken; none breaks a quote, an apostrophe or a control token."""

import unicodedata

import ftfy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.clean.blanks import trim_blanks
from pipeline.clean.citations import remove_citations
from pipeline.clean.controls import remove_controls
from pipeline.clean.encoding import repair_encoding
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


@given(st.text(alphabet="aé ‘’“”–—…\n", max_size=200).map(lambda text: text.replace("é", "e")))
def test_what_is_spared_the_search_for_mojibake_has_none(text: str) -> None:
    assert ftfy.fix_encoding(text) == text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("zero\u200bwidth\ufeff\u00ad", "zerowidth"),
        ("bell\x07", "bell"),
        ("a\u00a0b", "a b"),
        ("\u202eevil\u202c", "evil"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("a gate\u200d—\u200cnow shut", "a gate—now shut"),
        ("a\ttab", "a\ttab"),
    ],
)
def test_controls(raw: str, text: str) -> None:
    assert remove_controls(raw) == text


@given(st.characters())
def test_no_invisible_control_is_left(character: str) -> None:
    left = remove_controls(f"a{character}b")
    assert not any(unicodedata.category(c) == "Cc" and c not in "\n\t" for c in left)
    left.encode()


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("e\u0301", "é"),
        ("½ … ² ﬁ", "½ … ² ﬁ"),
        ("שָׁלוֹם", unicodedata.normalize("NFC", "שָׁלוֹם")),
        ("z" + "\u0301" * 99 + "!", unicodedata.normalize("NFC", "z" + "\u0301" * 30) + "!"),
    ],
)
def test_unicode(raw: str, text: str) -> None:
    assert normalise_unicode(raw) == text


@given(st.text())
def test_unicode_is_idempotent(text: str) -> None:
    once = normalise_unicode(text)
    assert normalise_unicode(once) == once
    assert unicodedata.is_normalized("NFC", once)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("He left.[1][23] She stayed.[note 2]", "He left. She stayed."),
        ("Truly [citation needed] so[edit]", "Truly so"),
        ("It cost five crowns.[a] It rained.[notes 1]", "It cost five crowns. It rained."),
        ("heaue[n]s and fro[m] no [a] cause",) * 2,
        ("[Exit Ghost.] years [1984] and [sic]",) * 2,
    ],
)
def test_citations(raw: str, text: str) -> None:
    assert remove_citations(raw) == text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("a {{cite|x=y}} b", "a  b"),
        ("see [[Moon|the moon]] and [[Sun]]", "see the moon and Sun"),
        ("[[File:X.png|thumb|a caption]]text", "text"),
        ("one<ref name=a/> two<ref>three <b>x</b></ref><br />four", "one twofour"),
        ("<ref>never closed <ref>closed</ref>!", "never closed !"),
        ("stay: <EOS> <BOS> <superhero> <|endoftext|> <s> </s>",) * 2,
        ("[Exit Ghost.] 1 < 2 > 0 it''s ''so''",) * 2,
        ("{{ never closed", "{{ never closed"),
    ],
)
def test_markup(raw: str, text: str) -> None:
    assert remove_markup(raw) == text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("a\n\n\n\n\nb", "a\n\nb"),
        ("trailing  \nspace ", "trailing\nspace"),
        ("\n\n  set in\n    as verse\n", "  set in\n    as verse"),
    ],
)
def test_blanks(raw: str, text: str) -> None:
    assert trim_blanks(raw) == text
