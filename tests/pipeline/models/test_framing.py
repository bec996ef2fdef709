"""Frames: which tokens stand around a document, and which special tokens are genres."""

from collections.abc import Sequence

import pytest
from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

from pipeline.model_spec import ModelError
from pipeline.models.framing import Frame, frame_of
from pipeline.models.tokenizers import add_control_tokens


def base(special: Sequence[str] = (), **named: str) -> PreTrainedTokenizerBase:
    """A pretrained base's tokenizer with special tokens of its own."""
    entries = ["a", "b", *named.values(), *special]
    vocabulary = {entry: number for number, entry in enumerate(dict.fromkeys(entries))}
    bpe = Tokenizer(models.BPE(vocabulary, merges=[]))
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe, extra_special_tokens=list(special), **named
    )


def test_one_end_token_stands_before_and_after():
    frame = frame_of(base(eos_token="<|endoftext|>"))
    assert frame == Frame(2, 2, {})
    assert frame.begin("fable") == [2]


def test_a_base_with_two_tokens_begins_with_one_and_ends_with_the_other():
    tokenizer = base(["<mask>", "<extra_0>", "<|im_start|>"], bos_token="<s>", eos_token="</s>")
    frame = frame_of(tokenizer)
    assert tokenizer.convert_ids_to_tokens([frame.start, frame.end]) == ["<s>", "</s>"]
    assert frame.genres == {}  # special tokens of a base are none, however they look


def test_only_the_genres_of_the_corpus_are_genres():
    tokenizer = base(
        ["<mask>", "<think>"],
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        pad_token="<pad>",
    )
    assert add_control_tokens(tokenizer, ["<BOS>", "<EOS>", "<drama>", "<science_fiction>"]) == 4
    frame = frame_of(tokenizer)
    assert list(frame.genres) == ["<drama>", "<science_fiction>"]
    start, end = tokenizer.convert_tokens_to_ids(["<BOS>", "<EOS>"])
    assert (frame.start, frame.end) == (start, end)
    assert tokenizer.pad_token == "<pad>"
    assert frame.begin("Science fiction") == [start, frame.genres["<science_fiction>"]]


@pytest.mark.parametrize("genre", [None, "", "  ", "?!", "—", "mask", "think", "bos", "western"])
def test_what_is_no_genre_of_the_corpus_has_no_token(genre: str | None):
    tokenizer = base(["<mask>", "<think>"], eos_token="</s>")
    add_control_tokens(tokenizer, ["<BOS>", "<EOS>", "<drama>"])
    frame = frame_of(tokenizer)
    assert frame.begin(genre) == [frame.start]
    if genre is None:
        assert frame.asked(genre) == [frame.start]
        return
    with pytest.raises(ModelError, match=r"is not in the model's vocabulary; it knows: drama"):
        frame.asked(genre)


def test_a_tokenizer_without_an_end_is_refused():
    with pytest.raises(ModelError, match="no end-of-text token"):
        frame_of(base(bos_token="<s>"))
