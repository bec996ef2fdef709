"""Adapters on a base: what is trained, what is saved, and that a killed run goes on to its bits."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel

from pipeline.model_spec import LoraSettings, ModelError, ModelSpec
from pipeline.models.initial import load_initial, load_trained
from pipeline.models.lora import add_adapters
from pipeline.training import train
from pipeline.training.checkpoints import export


def adapted(base: Path, **training: object) -> ModelSpec:
    settings = {"steps": 6, "batch_size": 2, "block_size": 32, "learning_rate": 1e-2}
    return ModelSpec.model_validate(
        {
            "name": "m",
            "corpus": "c",
            "preset": "gpt2",
            "base": str(base),
            "lora": {"rank": 4, "dropout": 0.1},
            "training": settings | {"log_every": 1, "eval_every": 3, "save_every": 2} | training,
        }
    )


def test_only_adapters_and_new_rows_are_trained(trained: Path, lines: Path, tmp_path: Path):
    base, plain = load_trained(trained / "final")
    begun, _ = load_initial(adapted(trained / "final"), lines)
    names = {name for name, weight in begun.named_parameters() if weight.requires_grad}
    assert all("lora_" in name or "trainable_tokens" in name for name in names)

    train(adapted(trained / "final"), lines, tmp_path / "model", device="cpu")
    final = tmp_path / "model/final"
    model = AutoModelForCausalLM.from_pretrained(final)  # as it is: no peft, no adapter files
    tokenizer = AutoTokenizer.from_pretrained(final)
    assert not list(final.glob("*adapter*"))
    assert model.config.vocab_size == len(tokenizer) == len(plain) + 5
    old, new = base.get_input_embeddings().weight, model.get_input_embeddings().weight
    assert torch.equal(new[: len(plain)], old)
    assert not torch.allclose(new[-5:], old.mean(0).expand(5, -1), atol=1e-3)
    changed = {name for name, weight in base.named_parameters()
               if not torch.equal(weight, model.get_parameter(name)[: len(weight)])}  # fmt: skip
    assert changed == {f"transformer.h.{layer}.attn.c_attn.weight" for layer in (0, 1)}


def test_what_is_saved_says_what_the_adapted_model_says(
    small: Callable[[str, int, bool], PreTrainedModel], trained: Path, tmp_path: Path
):
    _, tokenizer = load_trained(trained / "final")
    for tied in (True, False):
        model = small("llama", len(tokenizer), tied)
        model = add_adapters(model, LoraSettings(), [3, len(tokenizer) - 1], seed=0)
        weights = [weight for weight in model.parameters() if weight.requires_grad]
        ids = torch.arange(40).reshape(2, 20)
        optimizer = torch.optim.SGD(weights, lr=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            model(input_ids=ids, labels=ids).loss.backward()
            optimizer.step()
        model.eval()
        export(model, tokenizer, tmp_path / str(tied))
        saved = AutoModelForCausalLM.from_pretrained(tmp_path / str(tied))
        with torch.no_grad():
            told, live = saved(input_ids=ids).logits, model(input_ids=ids).logits
        assert torch.allclose(told, live, atol=1e-4)
        assert saved.config.tie_word_embeddings == tied


@pytest.mark.slow
def test_a_run_that_goes_on_from_a_checkpoint_ends_with_the_same_bits(
    trained: Path, lines: Path, tmp_path: Path
):
    from tests.killed_training import train_and_die

    spec = adapted(trained / "final")
    train(spec, lines, tmp_path / "one", device="cpu")
    assert train_and_die(spec, lines, tmp_path / "two", "checkpoint", 5) == -9
    kept = list((tmp_path / "two/resume").glob("checkpoint-*/adapter_model.safetensors"))
    assert kept
    assert all(path.stat().st_size < 100_000 for path in kept)  # adapters, not the model
    train(spec, lines, tmp_path / "two", device="cpu")
    one, two = (load_file(tmp_path / name / "final/model.safetensors") for name in ("one", "two"))
    assert one.keys() == two.keys()
    assert all(torch.equal(weight, two[name]) for name, weight in one.items())
    notes = json.loads((tmp_path / "two/training.json").read_text("utf-8"))
    assert notes["steps"] == 6


def test_the_extra_that_is_missing_is_named(
    small: Callable[[str, int, bool], PreTrainedModel], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(ModelError, match=r"pip install 'loremill\[lora\]'"):
        add_adapters(small("llama", 80, True), LoraSettings(), [], seed=0)


def test_targets_that_are_not_there_are_answered_with_those_that_are(
    small: Callable[[str, int, bool], PreTrainedModel],
):
    with pytest.raises(ModelError, match=r"lora.targets: .*layers named .*q_proj"):
        add_adapters(small("llama", 80, True), LoraSettings(targets=["c_attn"]), [], seed=0)


def test_an_output_with_a_bias_cannot_learn_new_tokens_beside_adapters(
    small: Callable[[str, int, bool], PreTrainedModel],
):
    with pytest.raises(ModelError, match=r"has a bias.*leave lora out"):
        add_adapters(small("phi", 80, False), LoraSettings(), [79], seed=0)
