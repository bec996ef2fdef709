"""What is chosen to make a training faster, and that it trains the same model."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedModel,
)

from pipeline.device import Device
from pipeline.model_spec import ModelError, ModelSpec
from pipeline.models.recurrent import RecurrentConfig, RecurrentForCausalLM
from pipeline.training.acceleration import Acceleration, _attention, choose

_CPU = Device("cpu", "a processor with AVX512-BF16, 2 threads", bf16=True)
_OLD_CPU = Device("cpu", "a processor, 2 threads", bf16=False)
_MPS = Device("mps", "Apple arm64 GPU", bf16=False)


def _gpt2(width: int = 64) -> PreTrainedModel:
    shape = {"n_embd": width, "n_layer": 2, "n_head": 2, "n_positions": 64, "vocab_size": 300}
    return GPT2LMHeadModel(GPT2Config(**shape, bos_token_id=0, eos_token_id=0))


def _recurrent_spec(**training: object) -> ModelSpec:
    written = {"name": "oz", "corpus": "oz", "preset": "char-gru", "training": training}
    return ModelSpec.model_validate(written)


def _gru() -> PreTrainedModel:
    return RecurrentForCausalLM(RecurrentConfig(cell="gru", vocab_size=60, layer_sizes=[32]))


def test_on_a_processor_bfloat16_is_taken_where_it_has_it_and_the_model_is_large_enough(
    make_spec: Callable[..., ModelSpec],
) -> None:
    spec = make_spec()
    assert choose(spec, _CPU, _gpt2(512)).bf16
    assert not choose(spec, _OLD_CPU, _gpt2(512)).bf16
    assert not choose(spec, _CPU, _gpt2(64)).bf16
    assert choose(make_spec({"precision": "bf16"}), _OLD_CPU, _gpt2(64)).bf16
    assert not choose(make_spec({"precision": "fp32"}), _CPU, _gpt2(512)).bf16


def test_a_processor_compiles_only_when_asked_since_resumed_runs_keep_their_bits(
    make_spec: Callable[..., ModelSpec],
) -> None:
    assert not choose(make_spec(), _CPU, _gpt2()).compile
    assert choose(make_spec({"compile": True}), _CPU, _gpt2()).compile


def test_what_only_a_gpu_gains_by_is_left_on_a_processor(
    make_spec: Callable[..., ModelSpec],
) -> None:
    how = choose(make_spec(), _CPU, _gpt2())
    assert how.attention == "sdpa"
    assert how.vocabulary_multiple == 1
    assert not how.tf32
    assert not how.pin_memory


@pytest.mark.parametrize(
    ("training", "device", "remedy"),
    [
        ({"precision": "bf16"}, _MPS, "write auto or fp32"),
        ({"attention": "flash_attention_2"}, _CPU, "write auto or sdpa"),
        ({"compile": True}, _MPS, "leave it out"),
    ],
)
def test_what_cannot_be_had_is_said_with_the_remedy(
    make_spec: Callable[..., ModelSpec], training: dict[str, object], device: Device, remedy: str
) -> None:
    with pytest.raises(ModelError, match=f"training.{next(iter(training))}.*{remedy}"):
        choose(make_spec(training), device, _gpt2())


_ODD: dict[str, dict[str, Any]] = {
    "gemma2": {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    | {"num_key_value_heads": 2, "intermediate_size": 64, "head_dim": 16},
    "gptj": {"n_embd": 32, "n_layer": 1, "n_head": 2, "n_positions": 64, "rotary_dim": 8},
    "gpt_neo": {"hidden_size": 32, "num_layers": 1, "num_heads": 2, "intermediate_size": 64}
    | {"attention_types": [[["global"], 1]], "max_position_embeddings": 64},
    "bloom": {"hidden_size": 32, "n_layer": 1, "n_head": 2},
    "mamba": {"hidden_size": 32, "num_hidden_layers": 1, "state_size": 4},
}


@pytest.mark.parametrize("family", _ODD)
def test_a_model_without_fused_attention_keeps_its_own(
    make_spec: Callable[..., ModelSpec], monkeypatch: pytest.MonkeyPatch, family: str
) -> None:
    tokens = {"vocab_size": 60, "bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0}
    config = AutoConfig.for_model(family, **_ODD[family], **tokens)
    model = AutoModelForCausalLM.from_config(config).eval()
    own, ids = model.config._attn_implementation, torch.arange(16)[None]
    before = model(input_ids=ids).logits
    how = choose(make_spec(), _CPU, model)
    how.prepare(model)
    assert how.attention is None
    assert model.config._attn_implementation == own
    torch.testing.assert_close(model(input_ids=ids).logits, before)
    with pytest.raises(ModelError, match="attention sdpa.* has no such attention; write auto"):
        choose(make_spec({"attention": "sdpa"}), _CPU, model)
    # Nor is flash-attention taken on a GPU, but where the model can be told to.
    monkeypatch.setattr("pipeline.training.acceleration.find_spec", lambda name: name)
    on_gpu = _attention(make_spec(), replace(_MPS, kind="cuda"), model, bf16=True)
    assert on_gpu == ("flash_attention_2" if family == "gemma2" else None)


def test_compiling_without_a_compiler_is_said(
    make_spec: Callable[..., ModelSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ModelError, match=r"g\+\+ or clang\+\+"):
        choose(make_spec({"compile": True}), _CPU, _gpt2())


def test_a_recurrent_model_is_told_nothing_of_attention_and_is_not_compiled() -> None:
    how = choose(_recurrent_spec(), _CPU, _gru())
    assert how.attention is None
    assert not how.compile
    for training in ({"compile": True}, {"attention": "sdpa"}):
        with pytest.raises(ModelError, match="recurrent.*leave it out"):
            choose(_recurrent_spec(**training), _CPU, _gru())


def test_a_faster_gelu_gives_the_same_logits_and_leaves_the_configuration(
    make_spec: Callable[..., ModelSpec],
) -> None:
    model = _gpt2().eval()
    ids = torch.arange(64)[None]
    before = model(input_ids=ids).logits
    choose(make_spec(), _CPU, model).prepare(model)
    assert not any("NewGELU" in type(module).__name__ for module in model.modules())
    assert model.config.activation_function == "gelu_new"
    torch.testing.assert_close(model(input_ids=ids).logits, before)


def test_flash_attention_is_given_where_each_document_begins() -> None:
    flash = Acceleration(True, True, False, "flash_attention_2", "adamw_torch_fused", 64, 0, True)
    # Two blocks: of three tokens and two, and of one and four; the second begins amid a document.
    positions = torch.tensor([[0, 1, 2, 0, 1], [0, 0, 1, 2, 3]])
    collate = {"position_ids": positions}.copy
    given = flash.collating(lambda blocks: collate())([])
    assert given["cu_seq_lens_q"].tolist() == [0, 3, 5, 6, 10]
    assert given["cu_seq_lens_k"].dtype == torch.int32
    assert given["max_length_q"] == given["max_length_k"] == 4
    others = replace(flash, attention="sdpa").collating(lambda blocks: collate())([])
    assert others.keys() == {"position_ids"}
