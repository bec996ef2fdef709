"""Characters and words: what is an entry, what is spelled, and that no text is ever lost."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from pipeline.models.bpe import END_OF_TEXT
from pipeline.models.spelled import BYTES, into_words, learn_characters, learn_words

TEXTS = [
    "The fox didn't cross the fen. The ferryman's bell rang twice, and the fox sang.",
    "In 1848 the miller paid 12 coins… The fox laughed -- and the fen froze!",
]
#: What looks like an entry that is none of a text's, or parts in unusual places.
HOSTILE = [
    *(END_OF_TEXT, "<EOS>", "<BOS>", "<0x41>", "<0x0A>", " <0xC3><0xA9>", "<0x", "0x41>"),
    *("\n", "\r\n", "\t", "  ", "\u2028", "\x00", "\x1c", "\xa0", "\u3000"),
    *(
        "fox",
        " fox",
        "didn't",
        "fox’s",
        "e\u0301",
        "\u0301",
        "👩‍👩‍👧‍👦",
        "🏴‍☠️",
        "한국어",
        "ﷺ",
        "नमस्ते",
        "\U0010ffff",
    ),
]
TEXT = st.lists(st.text(max_size=20) | st.sampled_from(HOSTILE), max_size=12).map("".join)


@pytest.fixture(scope="module")
def characters() -> Tokenizer:
    return learn_characters(TEXTS, None)


@pytest.fixture(scope="module")
def words() -> Tokenizer:
    return learn_words(TEXTS, None, 1)


@pytest.mark.parametrize("kind", ["characters", "words"])
@settings(max_examples=300, deadline=None)
@given(text=TEXT)
def test_no_text_is_lost(kind: str, text: str, request: pytest.FixtureRequest):
    tokenizer: Tokenizer = request.getfixturevalue(kind)
    ids = tokenizer.encode(text).ids
    assert tokenizer.decode(ids, skip_special_tokens=False) == text


@pytest.mark.parametrize("literal", HOSTILE)
def test_what_stands_in_a_text_is_never_taken_for_a_token_of_bytes(
    characters: Tokenizer, words: Tokenizer, literal: str
):
    for tokenizer in (learn_characters([literal], None), learn_words([literal], None, 1)):
        encoded = tokenizer.encode(literal)
        assert not set(encoded.tokens) & {END_OF_TEXT, *BYTES}
        assert tokenizer.decode(encoded.ids, skip_special_tokens=False) == literal


def test_every_character_of_training_is_an_entry_the_most_frequent_first(characters: Tokenizer):
    vocabulary = characters.get_vocab()
    entries = sorted(vocabulary, key=vocabulary.__getitem__)
    assert entries[:257] == [END_OF_TEXT, *BYTES]
    text = "".join(TEXTS)
    assert entries[257:] == sorted(set(text), key=lambda c: (-text.count(c), c))
    assert characters.encode("the fen").tokens == list("the fen")


def test_an_unknown_character_is_spelled_in_its_bytes(characters: Tokenizer, words: Tokenizer):
    for tokenizer in (characters, words):
        assert tokenizer.encode("é").tokens == ["<0xC3>", "<0xA9>"]


def test_a_word_with_the_blank_before_it_is_one_entry(words: Tokenizer):
    assert words.encode("The fox didn't cross the fen.").tokens == [
        *("The", " fox", " didn't", " cross", " the", " fen", "."),
    ]
    assert words.encode(" 12 coins… --").tokens == [" 12", " coins", "…", " --"]


def test_an_unknown_word_is_spelled_in_characters(words: Tokenizer):
    assert words.encode("the foxes").tokens == ["t", "h", "e", " ", "f", "o", "x", "e", "s"]
    assert words.encode(" the foxes").tokens == [" the", " ", "f", "o", "x", "e", "s"]


def test_a_rare_word_is_spelled_in_training_already():
    twice = learn_words(TEXTS, None, 2)
    assert " fox" in twice.get_vocab()  # three times
    assert " cross" not in twice.get_vocab()  # once
    assert set("".join(TEXTS)) <= set(twice.get_vocab())  # to spell it with


def test_the_vocabulary_is_bounded_and_keeps_the_most_frequent():
    bounded = learn_words(TEXTS, 290, 1)
    assert bounded.get_vocab_size() == 290
    full = learn_words(TEXTS, None, 1).get_vocab()
    assert bounded.get_vocab() == {entry: i for entry, i in full.items() if i < 290}
    assert learn_characters(TEXTS, 257).encode("a").tokens == ["<0x61>"]
    assert full[" fox"] < full[" bell"]  # three times and once


@pytest.mark.parametrize("learn", ["learn_characters(texts, None)", "learn_words(texts, None, 1)"])
def test_the_same_texts_give_the_same_tokenizer_in_any_process(learn: str):
    code = (
        "import hashlib, pipeline.models.spelled as spelled\n"
        f"texts = {TEXTS!r}\n"
        f"print(hashlib.sha256(spelled.{learn}.to_str().encode()).hexdigest())"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(seen) == 1


@settings(max_examples=200, deadline=None)
@given(text=TEXT)
def test_words_joined_are_the_text(text: str):
    pieces = [piece for piece, _ in into_words().pre_tokenize_str(text)]
    assert "".join(pieces) == text


def test_no_text_gives_a_tokenizer_that_spells_all():
    for tokenizer in (learn_characters([], None), learn_words([], None, 1)):
        assert tokenizer.get_vocab_size() == 257
        ids = tokenizer.encode("The fen.").ids
        assert tokenizer.decode(ids, skip_special_tokens=False) == "The fen."
