"""What an export writes, and that the training around it goes on as if it had not been."""

import json
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import PreTrainedModel, PreTrainedTokenizerBase, TextGenerationPipeline

from pipeline.model_spec import ModelSpec
from pipeline.models.initial import load_initial, load_trained
from pipeline.models.vocabulary import pad_vocabulary
from pipeline.training import train
from pipeline.training.checkpoints import export

Initial = tuple[PreTrainedModel, PreTrainedTokenizerBase]


def test_models_kept_on_the_way_change_nothing_of_the_last(
    corpus: Path, trained: Path, tales_spec: ModelSpec, tmp_path: Path
):
    without = tales_spec.model_copy(
        update={"samples": tales_spec.samples.model_copy(update={"at_steps": []})}
    )
    train(without, corpus, tmp_path, device="cpu", data_version="v1")
    one, other = (load_file(at / "final/model.safetensors") for at in (trained, tmp_path))
    assert one.keys() == other.keys()
    assert all(torch.equal(weight, other[name]) for name, weight in one.items())


def test_the_model_that_is_exported_stays_as_it_is(
    corpus: Path, make_spec: Callable[..., ModelSpec], tmp_path: Path
):
    model, tokenizer = load_initial(make_spec(), corpus)
    pad_vocabulary(model, 512)
    entries = len(tokenizer)
    state = torch.get_rng_state()
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    export(model.train(), tokenizer, tmp_path / "final")
    assert torch.equal(torch.get_rng_state(), state)
    assert model.training
    assert model.config.vocab_size == 512 > entries
    assert all(torch.equal(weight, before[name]) for name, weight in model.state_dict().items())

    weights = load_file(tmp_path / "final/model.safetensors")
    assert weights["transformer.wte.weight"].shape[0] == entries
    assert torch.equal(
        weights["transformer.wte.weight"], before["transformer.wte.weight"][:entries]
    )
    assert json.loads((tmp_path / "final/config.json").read_text())["vocab_size"] == entries


def test_both_configurations_name_the_control_tokens(trained: Path):
    """`generate` reads one, everyone else the other."""
    model, tokenizer = load_trained(trained / "final")
    for config in (model.config, model.generation_config):
        assert config.bos_token_id == tokenizer.bos_token_id
        assert config.eos_token_id == tokenizer.eos_token_id
        assert config.pad_token_id == tokenizer.pad_token_id
    torch.manual_seed(0)
    tell = TextGenerationPipeline(model=model, tokenizer=tokenizer)
    told = {tell("In the mill", max_new_tokens=20)[0]["generated_text"] for _ in range(3)}
    assert len(told) > 1  # drawn, not the likeliest each time
