"""Packed blocks: nothing lost, and no token that looks into another document."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.model_spec import ModelSpec
from pipeline.models.initial import load_initial
from pipeline.models.tokenizers import encode, end_token
from pipeline.training.packing import collate, cut_into_blocks, token_stream

TEXTS = ["The fox sings.", "A bell<|endoftext|>wakes the sea.", "Edda hides in the mill."]


def test_the_stream_holds_every_document_between_end_tokens(
    corpus: Path, make_spec: Callable[..., ModelSpec]
):
    _, tokenizer = load_initial(make_spec(), corpus)
    end = end_token(tokenizer)
    stream = token_stream(TEXTS, tokenizer)
    at = np.flatnonzero(stream == end)
    assert at[0] == 0
    assert at[-1] == len(stream) - 1
    found = [tokenizer.decode(stream[a + 1 : b]) for a, b in pairwise(at)]
    assert found == TEXTS  # the end token that a page spells out parts nothing
    assert len(token_stream([], tokenizer)) == 0


def test_blocks_are_full_and_in_order():
    blocks = cut_into_blocks(np.arange(11, dtype=np.int32), 4)
    assert blocks.tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_positions_restart_at_every_document():
    batch = collate([np.array([9, 1, 2, 9, 3]), np.array([4, 5, 9, 6, 7])], end=9)
    assert batch["position_ids"].tolist() == [[0, 1, 2, 0, 1], [0, 1, 0, 1, 2]]
    assert torch.equal(batch["labels"], batch["input_ids"])


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_packed_documents_are_predicted_as_if_alone(
    corpus: Path, make_spec: Callable[..., ModelSpec], attention: str
):
    model, tokenizer = load_initial(make_spec(), corpus)
    model.set_attn_implementation(attention)
    torch.nn.init.normal_(model.transformer.wte.weight)  # so that attention tells tokens apart
    end = end_token(tokenizer)
    documents = [np.array([end, *ids], np.int32) for ids in encode(tokenizer, TEXTS)]
    packed = np.concatenate(documents)[: model.config.n_positions]
    batch = collate([packed, packed], end)
    del batch["labels"]
    model.train()  # as in training; dropout is 0
    together = model(**batch).logits[1]
    start = 0
    for document in documents[:2]:
        alone = model(input_ids=torch.tensor(document[None].astype(np.int64))).logits[0]
        torch.testing.assert_close(together[start : start + len(document)], alone)
        start += len(document)
    neighbours = model(input_ids=batch["input_ids"]).logits[1]  # without restarting positions
    assert not torch.allclose(neighbours[len(documents[0]) :], together[len(documents[0]) :])
