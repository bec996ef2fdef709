"""Models before training: fresh ones, bases, and bases that are refused."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from pipeline.model_spec import ModelError, ModelSpec
from pipeline.models.initial import load_initial
from pipeline.training.checkpoints import export


def based_on(base: str) -> ModelSpec:
    return ModelSpec.model_validate({"name": "m", "corpus": "c", "preset": "gpt2", "base": base})


def test_a_fresh_model_is_the_same_each_time(corpus: Path, make_spec: Callable[..., ModelSpec]):
    one, tokenizer = load_initial(make_spec(), corpus)
    torch.rand(1)  # the state of the global stream plays no part
    two, _ = load_initial(make_spec(), corpus, tokenizer)
    other, _ = load_initial(make_spec({"seed": 1}), corpus, tokenizer)
    assert torch.equal(one.lm_head.weight, two.lm_head.weight)
    assert not torch.equal(one.lm_head.weight, other.lm_head.weight)
    end = tokenizer.eos_token_id
    for config in (one.config, one.generation_config):
        assert (config.bos_token_id, config.eos_token_id, config.pad_token_id) == (end, end, end)
    assert one.config.vocab_size == len(tokenizer)


def test_making_a_model_leaves_the_random_stream_alone(
    corpus: Path, make_spec: Callable[..., ModelSpec]
):
    torch.manual_seed(7)
    undisturbed = torch.rand(3)
    torch.manual_seed(7)
    load_initial(make_spec(), corpus)
    assert torch.equal(torch.rand(3), undisturbed)


def test_a_local_folder_is_a_base(corpus: Path, trained: Path):
    model, tokenizer = load_initial(based_on(str(trained / "final")), corpus)
    assert model.config.vocab_size == len(tokenizer)
    assert next(model.parameters()).dtype == torch.float32


def test_pickled_weights_are_refused(
    corpus: Path, make_spec: Callable[..., ModelSpec], tmp_path: Path
):
    model, tokenizer = load_initial(make_spec(), corpus)
    base = tmp_path / "pickled"
    export(model, tokenizer, base)
    (base / "model.safetensors").unlink()
    torch.save(model.state_dict(), base / "pytorch_model.bin")
    with pytest.raises(ModelError, match="no weights in safetensors, and pickled ones are never"):
        load_initial(based_on(str(base)), corpus)


def test_damaged_weights_are_named(
    corpus: Path, make_spec: Callable[..., ModelSpec], tmp_path: Path
):
    model, tokenizer = load_initial(make_spec(), corpus)
    base = tmp_path / "damaged"
    export(model, tokenizer, base)
    weights = base / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ModelError, match=r"damaged.* cannot be loaded"):
        load_initial(based_on(str(base)), corpus)


def test_weights_that_lack_a_part_are_refused(
    corpus: Path, make_spec: Callable[..., ModelSpec], tmp_path: Path
):
    model, tokenizer = load_initial(make_spec(), corpus)
    base = tmp_path / "partial"
    export(model, tokenizer, base)
    kept = {name: w for name, w in model.state_dict().items() if "h.1." not in name}
    kept.pop("lm_head.weight")  # tied: the same memory as the embedding
    save_file(kept, base / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match="its weights lack"):
        load_initial(based_on(str(base)), corpus)


def test_without_a_network_the_alternatives_are_named(corpus: Path):
    code = f"""
from pathlib import Path
from pipeline.model_spec import ModelError, ModelSpec
from pipeline.models.initial import load_initial
spec = ModelSpec(name="m", corpus="c", preset="gpt2", base="openai-community/gpt2")
try:
    load_initial(spec, Path({str(corpus)!r}))
except ModelError as error:
    print(error)
"""
    offline = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(corpus / "no-cache")}
    told = subprocess.run(
        [sys.executable, "-c", code], env=offline, capture_output=True, text=True, check=True
    )
    assert "base 'openai-community/gpt2' cannot be loaded" in told.stdout
    assert "a local folder" in told.stdout
    assert "`size:` for a fresh model" in told.stdout
    assert told.stderr == ""
