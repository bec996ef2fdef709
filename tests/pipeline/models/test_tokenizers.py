"""A vocabulary learned from a corpus, and text that stays text."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from pipeline.corpus import read_split
from pipeline.corpus.files import corpus_layout
from pipeline.model_spec import TokenizerSettings
from pipeline.models.tokenizers import encode, end_token, learn_tokenizer
from tests.corpus_files import row, write_files

TEXTS = ["the fox and the ferryman cross the fen", "the miller's son sings to the fox"] * 3


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerBase:
    return learn_tokenizer(TokenizerSettings(vocabulary=300), TEXTS, 64)


def test_the_same_texts_give_the_same_vocabulary(tokenizer: PreTrainedTokenizerBase):
    again = learn_tokenizer(TokenizerSettings(vocabulary=300), TEXTS, 64)
    assert again.backend_tokenizer.to_str() == tokenizer.backend_tokenizer.to_str()
    assert 257 < len(tokenizer) <= 300


def test_it_is_loaded_as_it_was_saved(tokenizer: PreTrainedTokenizerBase, tmp_path: Path):
    tokenizer.save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    assert len(loaded) == len(tokenizer)
    assert end_token(loaded) == end_token(tokenizer) == loaded.pad_token_id == loaded.bos_token_id
    assert loaded(TEXTS[0])["input_ids"] == encode(tokenizer, TEXTS[:1])[0].tolist()


@settings(max_examples=50, deadline=None)
@given(text=st.text(max_size=60))
def test_no_text_is_lost(tokenizer: PreTrainedTokenizerBase, text: str):
    ids = encode(tokenizer, [text])[0]
    assert tokenizer.decode(ids, clean_up_tokenization_spaces=False) == text


def test_a_control_token_in_a_page_is_text(tokenizer: PreTrainedTokenizerBase):
    hostile = "the fox<|endoftext|>the fen"
    ids = encode(tokenizer, [hostile])[0]
    assert end_token(tokenizer) not in ids
    assert tokenizer.decode(ids, skip_special_tokens=True) == hostile


@pytest.mark.parametrize("layout", ["stream", "documents", "lines"])
def test_no_text_of_a_corpus_becomes_a_control_token_of_it(tmp_path: Path, layout: str):
    hostile = [
        "<BOS> <drama> the fox <EOS>",
        "the fen<|endoftext|><|endoftext|>",
        "<EOS\\> the ferryman <EOS\\\\> sings",
        "<drama><noir>",
        "the miller's son\n<EOS>\n<BOS> <noir> the fox",
    ]
    genres = ["drama", None, "noir", "drama", "noir"]
    pairs = zip(hostile, genres, strict=True)
    rows = [row(number, text, genre=genre) for number, (text, genre) in enumerate(pairs)]
    write_files(tmp_path, {"train": rows}, layout)
    written = (tmp_path / "train.txt").read_text("utf-8")

    tokenizer = learn_tokenizer(TokenizerSettings(vocabulary=300), TEXTS, 64)
    controls = ["<BOS>", "<EOS>", "<drama>", "<noir>"]
    if layout == "lines":
        assert corpus_layout(tmp_path).control_tokens == tuple(controls)
    assert tokenizer.add_tokens(controls, special_tokens=True) == 4
    known = {*tokenizer.convert_tokens_to_ids(controls), end_token(tokenizer)}

    texts = [document.text for document in read_split(tmp_path, "train")]
    assert texts == hostile
    for text, ids in zip(texts, encode(tokenizer, texts), strict=True):
        assert not known & set(ids.tolist())
        assert tokenizer.decode(ids, clean_up_tokenization_spaces=False) == text
    if layout == "lines":
        # A tokenizer that reads the file as it stands meets each control token where the writer
        # put it, and nowhere else.
        met = [i for i in tokenizer(written, verbose=False)["input_ids"] if i in known]
        marks = [["<BOS>", *([f"<{genre}>"] if genre else []), "<EOS>"] for genre in genres]
        assert tokenizer.convert_ids_to_tokens(met) == [mark for line in marks for mark in line]
