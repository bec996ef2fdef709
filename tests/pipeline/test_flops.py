"""FLOPs by the model's shape beside what PyTorch counts as it runs."""

from collections.abc import Callable

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch.utils.flop_counter import FlopCounterMode
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, PreTrainedModel

from pipeline.models.recurrent import RecurrentConfig, RecurrentForCausalLM
from pipeline.training.flops import flops_per_token

_ROWS, _BLOCK = 2, 96


def _gpt2() -> PreTrainedModel:
    shape = {"n_embd": 32, "n_layer": 3, "n_head": 4, "n_positions": _BLOCK, "vocab_size": 250}
    ends = {"bos_token_id": 0, "eos_token_id": 0}
    # Eager attention, since PyTorch does not count that of a processor in one kernel.
    return GPT2LMHeadModel(GPT2Config(**shape, **ends, attn_implementation="eager"))


def _llama() -> PreTrainedModel:
    """Fewer heads of keys than of queries, an output layer of its own."""
    shape = {"hidden_size": 32, "intermediate_size": 80, "num_hidden_layers": 2, "vocab_size": 250}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "tie_word_embeddings": False}
    return LlamaForCausalLM(LlamaConfig(**shape, **heads, attn_implementation="eager"))


def _recurrent(cell: str) -> PreTrainedModel:
    sizes = {"vocab_size": 90, "layer_sizes": [48, 24], "embedding_size": 16}
    return RecurrentForCausalLM(RecurrentConfig(cell=cell, **sizes))


def _adapted() -> PreTrainedModel:
    return get_peft_model(_gpt2(), LoraConfig(r=4, target_modules=["c_attn"], fan_in_fan_out=True))


def _counted(model: PreTrainedModel) -> float:
    """FLOPs a token that PyTorch counts, forward and backward."""
    ids = torch.arange(_ROWS * _BLOCK).reshape(_ROWS, _BLOCK) % 90
    # oneDNN's LSTM is one kernel, which it does not count.
    with torch.backends.mkldnn.flags(enabled=False), FlopCounterMode(display=False) as counter:
        model(input_ids=ids, labels=ids, use_cache=False).loss.backward()
    return counter.get_total_flops() / ids.numel()


@pytest.mark.parametrize(
    ("make", "within"),
    [
        pytest.param(_gpt2, 0.001, id="gpt2"),
        pytest.param(_llama, 0.001, id="grouped heads, untied output layer"),
        # Below the first adapter no gradient goes, which the formula does not look for.
        pytest.param(_adapted, 0.03, id="adapters over frozen weights"),
        # The steps of a processor's recurrence take no state where it begins.
        pytest.param(lambda: _recurrent("lstm"), 0.005, id="lstm"),
        pytest.param(lambda: _recurrent("gru"), 0.005, id="gru"),
    ],
)
def test_flops_by_shape_are_those_that_pytorch_counts(
    make: Callable[[], PreTrainedModel], within: float
) -> None:
    model = make()
    assert flops_per_token(model, _BLOCK) == pytest.approx(_counted(model), rel=within)


def test_rows_that_are_looked_up_cost_nothing_and_the_output_layer_does() -> None:
    model = _gpt2()
    weights = sum(
        weight.numel()
        for name, weight in model.named_parameters()
        if weight.ndim == 2 and "wpe" not in name  # the tied embedding counts once, as output
    )
    attention = 12 * 3 * 32 * _BLOCK
    assert flops_per_token(model, _BLOCK) == 6 * weights + attention


def test_a_recurrent_layer_costs_its_gates() -> None:
    model = _recurrent("lstm")
    layers = 4 * 48 * (16 + 48) + 4 * 24 * (48 + 24)
    assert flops_per_token(model, _BLOCK) == 6 * (layers + 24 * 90)
