"""What attends to what, tried on families that answer differently."""

from collections.abc import Callable

import pytest
import torch
from transformers import BertConfig, BertLMHeadModel, MambaConfig, MambaForCausalLM, PreTrainedModel

from pipeline.models.framing import Frame
from pipeline.models.probes import keeps_documents_apart, looks_ahead
from pipeline.training.packing import collate

SIZES = {"vocab_size": 90, "hidden_size": 32, "num_hidden_layers": 2}


@pytest.mark.parametrize("family", ["llama", "gpt_neox", "qwen2"])
def test_packed_documents_are_apart_in(
    small: Callable[[str, int, bool], PreTrainedModel], family: str
):
    """The logits of a document are the same after another one as alone."""
    model = small(family, 90, False)
    assert not looks_ahead(model)
    assert keeps_documents_apart(model)
    frame = Frame(0, 0, {})
    first, second = [0, 5, 6, 7], [0, 8, 9, 10, 11]
    with torch.no_grad():
        packed = model(**collate([first + second], frame)).logits[0, len(first) :]  # type: ignore[list-item]
        alone = model(**collate([second], frame)).logits[0]  # type: ignore[list-item]
        mixed = model(**collate([first + second], frame, apart=False)).logits[0, len(first) :]  # type: ignore[list-item]
    assert torch.allclose(packed, alone, atol=1e-4)
    assert not torch.allclose(mixed, alone, atol=1e-2)


def test_a_state_space_model_reads_on_and_is_given_no_positions():
    model = MambaForCausalLM(MambaConfig(**SIZES, state_size=4)).eval()
    assert not looks_ahead(model)
    assert not keeps_documents_apart(model)
    assert "position_ids" not in collate([[1, 2]], Frame(0, 0, {}), apart=False)  # type: ignore[list-item]


def test_an_encoder_looks_ahead():
    model = BertLMHeadModel(BertConfig(**SIZES, num_attention_heads=2, intermediate_size=64))
    assert looks_ahead(model)
    assert model.training  # as it was
