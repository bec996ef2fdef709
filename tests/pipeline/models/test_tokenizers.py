"""A vocabulary learned from a corpus, and text that stays text."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from pipeline.models.tokenizers import encode, end_token, train_byte_level_bpe

TEXTS = ["the fox and the ferryman cross the fen", "the miller's son sings to the fox"] * 3


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerBase:
    return train_byte_level_bpe(TEXTS, 300, 64)


def test_the_same_texts_give_the_same_vocabulary(tokenizer: PreTrainedTokenizerBase):
    again = train_byte_level_bpe(TEXTS, 300, 64)
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
