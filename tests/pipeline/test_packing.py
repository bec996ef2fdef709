"""Packed blocks: nothing lost, and no token that looks into another document."""

from collections.abc import Callable
from dataclasses import fields
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerBase

from pipeline.corpus import CorpusDocument
from pipeline.model_spec import ModelSpec, TokenizerSettings
from pipeline.models.framing import Frame, frame_of
from pipeline.models.initial import load_initial
from pipeline.models.tokenizers import encode, end_token, learn_tokenizer
from pipeline.training import packing
from pipeline.training.packing import collate, cut_into_blocks, token_bytes, token_stream

TEXTS = ["The fox sings.", "A bell<|endoftext|>wakes <EOS> the sea.", "Edda hides in the mill."]
GENRES = ["fable", None, "Sea tale"]
CONTROLS = ["<BOS>", "<EOS>", "<fable>", "<sea_tale>"]
#: The shapes of a block's documents do not matter to those that know no genre.
ONE_TOKEN = Frame(9, 9, {})


def documents(texts: list[str], genres: list[str | None] | None = None) -> list[CorpusDocument]:
    rest = {field.name: "" for field in fields(CorpusDocument)}
    return [
        CorpusDocument(**rest | {"text": text, "genre": genre})
        for text, genre in zip(texts, genres or [None] * len(texts), strict=True)
    ]


def tokenizer_of(kind: str, control_tokens: list[str]) -> PreTrainedTokenizerBase:
    settings = TokenizerSettings(kind=kind, vocabulary=300 if kind == "bpe" else None)
    return learn_tokenizer(settings, TEXTS[:1] * 3, 64, control_tokens)


def test_the_stream_holds_every_document_between_end_tokens(
    corpus: Path, make_spec: Callable[..., ModelSpec]
):
    _, tokenizer = load_initial(make_spec(), corpus)
    end = end_token(tokenizer)
    stream = token_stream(documents(TEXTS), tokenizer)
    at = np.flatnonzero(stream == end)
    assert at[0] == 0
    assert at[-1] == len(stream) - 1
    found = [tokenizer.decode(stream[a + 1 : b]) for a, b in pairwise(at)]
    assert found == TEXTS  # the end token that a page spells out parts nothing
    assert len(token_stream([], tokenizer)) == 0


@pytest.mark.parametrize("kind", ["bpe", "characters", "words"])
def test_with_control_tokens_every_document_stands_in_its_frame(kind: str):
    tokenizer = tokenizer_of(kind, CONTROLS)
    stream = token_stream(documents(TEXTS, GENRES), tokenizer).tolist()
    begin, end, fable, sea_tale = tokenizer.convert_tokens_to_ids(CONTROLS)
    first, second, third = (ids.tolist() for ids in encode(tokenizer, TEXTS))
    assert stream == [
        *(begin, fable, *first, end),
        *(begin, *second, end),
        *(begin, sea_tale, *third, end),
    ]


def test_a_document_without_text_is_a_frame_and_no_more():
    tokenizer = tokenizer_of("bpe", CONTROLS)
    begin, end, fable, _ = tokenizer.convert_tokens_to_ids(CONTROLS)
    stream = token_stream(documents(["", ""], ["fable", None]), tokenizer)
    assert stream.tolist() == [begin, fable, end, begin, end]
    plain = tokenizer_of("bpe", [])
    assert token_stream(documents(["", ""]), plain).tolist() == [end_token(plain)] * 3


def test_the_stream_does_not_depend_on_how_many_are_encoded_together(
    monkeypatch: pytest.MonkeyPatch,
):
    tokenizer = tokenizer_of("words", CONTROLS)
    many = documents(TEXTS * 4, GENRES * 4)
    at_once = token_stream(many, tokenizer)
    for most in (1, 20, 60):
        monkeypatch.setattr(packing, "CHARACTERS_AT_ONCE", most)
        assert token_stream(many, tokenizer).tolist() == at_once.tolist()


def test_blocks_are_full_and_in_order():
    blocks = cut_into_blocks(np.arange(11, dtype=np.int32), 4)
    assert blocks.tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert cut_into_blocks(np.arange(3, dtype=np.int32), 4).shape == (0, 4)


@given(
    length=st.integers(0, 40),
    block_size=st.integers(1, 12),
    stride=st.none() | st.integers(1, 15),
)
def test_blocks_begin_a_stride_apart(length: int, block_size: int, stride: int | None):
    stream = np.arange(length, dtype=np.int32)
    blocks = cut_into_blocks(stream, block_size, stride)
    starts = range(0, length - block_size + 1, stride or block_size)
    assert blocks.tolist() == [list(range(start, start + block_size)) for start in starts]


def test_overlapping_blocks_are_views_of_one_stream():
    stream = np.arange(1000, dtype=np.int32)
    assert np.shares_memory(cut_into_blocks(stream, 100, 3), stream)


def test_positions_restart_at_every_document():
    batch = collate([np.array([9, 1, 2, 9, 3]), np.array([4, 5, 9, 6, 7])], ONE_TOKEN)
    assert batch["position_ids"].tolist() == [[0, 1, 2, 0, 1], [0, 1, 0, 1, 2]]
    assert torch.equal(batch["labels"], batch["input_ids"])
    framed = collate([np.array([4, 8, 9, 5, 1, 8])], Frame(9, 8, {"<fable>": 5}))
    assert framed["position_ids"].tolist() == [[0, 1, 0, 1, 2, 3]]


@pytest.mark.parametrize("control_tokens", [[], CONTROLS])
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_packed_documents_are_predicted_as_if_alone(
    corpus: Path, make_spec: Callable[..., ModelSpec], attention: str, control_tokens: list[str]
):
    tokenizer = tokenizer_of("bpe", control_tokens)
    model, _ = load_initial(make_spec(), corpus, tokenizer)
    model.set_attn_implementation(attention)
    torch.nn.init.normal_(model.transformer.wte.weight)  # so that attention tells tokens apart
    frame = frame_of(tokenizer)
    ends = [frame.end] * (frame.end != frame.start)
    alone = [
        np.array([*frame.begin(genre), *ids, *ends], np.int32)
        for genre, ids in zip(GENRES, encode(tokenizer, TEXTS), strict=True)
    ]
    packed = token_stream(documents(TEXTS, GENRES), tokenizer)[: model.config.n_positions]
    batch = collate([packed, packed], frame)
    del batch["labels"]
    model.train()  # as in training; dropout is 0
    together = model(**batch).logits[1]
    start = 0
    for document in alone[:2]:
        logits = model(input_ids=torch.tensor(document[None].astype(np.int64))).logits[0]
        torch.testing.assert_close(together[start : start + len(document)], logits)
        start += len(document)
    neighbours = model(input_ids=batch["input_ids"]).logits[1]  # without restarting positions
    assert not torch.allclose(neighbours[len(alone[0]) :], together[len(alone[0]) :])


@pytest.mark.parametrize("kind", ["bpe", "characters", "words"])
@pytest.mark.parametrize("control_tokens", [[], CONTROLS])
def test_the_bytes_of_the_tokens_are_those_of_the_text(kind: str, control_tokens: list[str]):
    tokenizer = tokenizer_of(kind, control_tokens)
    sizes = token_bytes(tokenizer)
    assert len(sizes) == len(tokenizer)
    for text in [*TEXTS, "Ünder der Brücke …\n\n\tfox — 👩‍🚀 <0x41>", " fox  sings. "]:
        assert sizes[encode(tokenizer, [text])[0]].sum() == len(text.encode())
    framed = token_stream(documents(TEXTS, GENRES), tokenizer)
    assert sizes[framed].sum() == sum(len(text.encode()) for text in TEXTS)
