"""What is foretold of a training's memory and time, and what is refused before it starts."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedModel

from pipeline import host_memory
from pipeline.device import Device
from pipeline.model_spec import LoraSettings, ModelError, ModelSpec
from pipeline.models.initial import load_initial
from pipeline.training import forecast, train
from pipeline.training.activations import measure_activations
from pipeline.training.forecast import check_disk, check_weights, disk_need, fit
from pipeline.training.need import need_of
from pipeline.training.pace import seconds_per_step
from tests.peak_of_training import foretold_and_taken

CPU = Device("cpu", "a processor", bf16=False)


def gpt2(layers: int = 2, vocabulary: int = 300) -> GPT2LMHeadModel:
    with torch.random.fork_rng():
        return GPT2LMHeadModel(
            GPT2Config(
                vocab_size=vocabulary,
                n_positions=256,
                n_embd=64,
                n_layer=layers,
                n_head=2,
                bos_token_id=0,
                eos_token_id=0,
            )
        )


@pytest.fixture
def with_room(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Pretends that so many bytes are free: a machine of that size."""
    return lambda free: monkeypatch.setattr(forecast, "free_memory", lambda device: free)


def foretold(make_spec: Callable[..., ModelSpec], block_size: int = 128, **training: object) -> int:
    spec = make_spec({"block_size": block_size, **training})
    return fit(spec, gpt2(), CPU, block_size).forecast.memory_bytes


def test_it_grows_with_what_takes_memory(make_spec: Callable[..., ModelSpec]):
    one, two, four = (foretold(make_spec, batch_size=size) for size in (1, 2, 4))
    assert four - two == pytest.approx(2 * (two - one), rel=1e-3)
    assert foretold(make_spec, 256, batch_size=2) - two > 0.9 * (two - one) * 2
    assert foretold(make_spec, gradient_checkpointing=True) < foretold(make_spec)
    assert foretold(make_spec, attention="eager") >= foretold(make_spec)
    assert foretold(make_spec, optimizer="rmsprop") < foretold(make_spec)


def test_what_autocast_makes_of_the_weights_is_kept_once(make_spec: Callable[..., ModelSpec]):
    model = gpt2()
    whole, half = (measure_activations(model, CPU, bf16, 64)(8) for bf16 in (False, True))
    assert half.peak(False, logits=0) < whole.peak(False, logits=0)
    copies = need_of(make_spec(), model, "cpu", bf16=True).copies
    assert 0.8 * copies < half.once <= copies  # embeddings are looked up as they are
    assert whole.once < 0.01 * copies


def test_foretelling_leaves_no_trace(make_spec: Callable[..., ModelSpec]):
    model = gpt2().eval()
    state = torch.random.get_rng_state()
    batch = fit(make_spec({"block_size": 128}), model, CPU, 128)
    assert seconds_per_step(model, CPU, bf16=False, block_size=128, batch=batch) > 0
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(weight.grad is None for weight in model.parameters())
    assert not model.training


def test_what_cannot_fit_is_refused_with_what_would(
    make_spec: Callable[..., ModelSpec], with_room: Callable[[int], None]
):
    with_room(foretold(make_spec, batch_size=16) - gpt2().num_parameters() * 4)
    with pytest.raises(ModelError) as refused:
        foretold(make_spec, batch_size=64)
    said = str(refused.value)
    assert "training.batch_size: 16 with training.gradient_accumulation: 4" in said
    assert foretold(make_spec, batch_size=16, gradient_accumulation=4)
    assert "training.block_size: 32" in said
    assert foretold(make_spec, 32, batch_size=64)


def test_weights_that_do_not_fit_are_refused_without_trying_a_block(
    make_spec: Callable[..., ModelSpec], with_room: Callable[[int], None]
):
    with_room(10**6)
    with pytest.raises(ModelError, match="has 1.5 MB free; what would fit: choose a smaller model"):
        foretold(make_spec)


@pytest.mark.parametrize(("most", "accumulation"), [(8, 3), (6, 4), (4, 6), (3, 8), (1, 24)])
def test_auto_takes_the_largest_batch_that_fits_and_learns_the_same(
    make_spec: Callable[..., ModelSpec],
    with_room: Callable[[int], None],
    most: int,
    accumulation: int,
):
    with_room(foretold(make_spec, batch_size=most) - gpt2().num_parameters() * 4)
    spec = make_spec({"batch_size": "auto", "gradient_accumulation": 3, "block_size": 128})
    batch = fit(spec, gpt2(), CPU, 128)
    assert (batch.per_device, batch.accumulation) == (most, accumulation)


def test_a_container_bounds_the_memory(tmp_path: Path):
    group = tmp_path / "machine/job"
    group.mkdir(parents=True)
    own = tmp_path / "cgroup"
    own.write_text("0::/machine/job\n")
    (group / "memory.max").write_text("1000\n")
    (group / "memory.current").write_text("700\n")
    (group / "memory.stat").write_text("anon 500\ninactive_file 100\n")
    (tmp_path / "machine/memory.max").write_text("max\n")
    (tmp_path / "machine/memory.current").write_text("9\n")
    groups = host_memory._groups(tmp_path, own)
    assert [host_memory._left(one) for one in groups] == [400, None, None]
    old = tmp_path / "memory/job"
    old.mkdir(parents=True)
    own.write_text("4:cpu:/job\n3:memory:/job\n")
    (old / "memory.limit_in_bytes").write_text("1000")
    (old / "memory.usage_in_bytes").write_text("400")
    assert host_memory._left(host_memory._groups(tmp_path, own)[0]) == 600


def test_a_disk_without_room_is_refused(make_spec: Callable[..., ModelSpec], tmp_path: Path):
    model = gpt2()
    spec = make_spec({"save_total_limit": 2}, at_steps=[1, 2])
    weights = model.num_parameters() * 4
    assert disk_need(spec, model) == weights * 3 * 3 + weights * 3
    best_kept = make_spec({"save_total_limit": 2, "patience": 3}, at_steps=[1, 2])
    assert disk_need(best_kept, model) == weights * 3 * 4 + weights * 3
    many = make_spec({"save_total_limit": 10**9})
    with pytest.raises(ModelError, match=r"lower training.save_total_limit \(it is 1000000000\)"):
        check_disk(many, model, tmp_path / "model")


def test_a_training_tells_what_is_foretold_and_keeps_it(
    corpus: Path, make_spec: Callable[..., ModelSpec], tmp_path: Path
):
    told: list[str] = []
    train(make_spec({"steps": 2}), corpus, tmp_path, device="cpu", tell=told.append)
    assert told[0].startswith("foretold: about ")
    record = json.loads((tmp_path / "training.json").read_text("utf-8"))
    assert record["forecast"]["memory_bytes"] < record["forecast"]["room_bytes"]
    assert record["forecast"]["seconds"] > 0


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="asks the kernel for the peak")
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize(
    "model",
    [
        {"preset": "gpt2", "size": "tiny", "training": {"batch_size": 16, "block_size": 256}},
        {
            "preset": "char-lstm2",
            "recurrent": {"embedding": 64, "layers": [384, 384]},
            "training": {"epochs": None, "batch_size": 64, "block_size": 100},
        },
    ],
    ids=["gpt2", "lstm"],
)
def test_what_a_training_takes_is_what_was_foretold_or_less_but_not_much_less(
    corpus: Path, tmp_path: Path, model: dict[str, Any], precision: str
):
    few = {"precision": precision, "steps": 2, "eval_blocks": 2}
    spec = {"name": "tales", "corpus": "tales", **model, "training": model["training"] | few}
    foretold, taken = foretold_and_taken(ModelSpec.model_validate(spec), corpus, tmp_path)
    assert taken <= foretold <= 3 * taken


WRITTEN = {"name": "tales", "corpus": "tales"}


@pytest.mark.parametrize(
    "written",
    [
        {"preset": "gpt2", "size": "nano", "tokenizer": {"vocabulary": 300}},
        {"preset": "char-gru", "recurrent": {"layers": [24, 16], "embedding": 8}},
        {"preset": "char-lstm"},
    ],
    ids=["gpt2", "gru", "one-hot"],
)
def test_the_outline_of_a_model_has_its_shapes_and_takes_nothing(
    corpus: Path, written: dict[str, Any]
):
    outlines: list[PreTrainedModel] = []
    spec = ModelSpec.model_validate(WRITTEN | written)
    model, _ = load_initial(spec, corpus, look=outlines.append)
    (outline,) = outlines
    assert outline.device.type == "meta"
    shapes = {name: weight.shape for name, weight in model.named_parameters()}
    assert {name: weight.shape for name, weight in outline.named_parameters()} == shapes


def test_weights_without_room_are_refused_before_they_are_made(
    corpus: Path, trained: Path, with_room: Callable[[int], None], tmp_path: Path
):
    base = shutil.copytree(trained / "final", tmp_path / "base")
    (base / "model.safetensors").write_bytes(b"not yet looked at")
    of_base = WRITTEN | {"preset": "gpt2", "base": str(base)}
    with_vectors = WRITTEN | {
        "preset": "word-lstm",
        "recurrent": {"layers": [64]},
        "vectors": {"file": str(tmp_path / "not-yet-looked-at.txt")},
    }
    with_room(10**5)
    for written, said in ((of_base, r"\(base\)"), (with_vectors, r"\(recurrent.layers\)")):
        spec = ModelSpec.model_validate(written)
        with pytest.raises(ModelError, match=f"choose a smaller model {said}"):
            train(spec, corpus, tmp_path / spec.preset, device="cpu")


def test_a_base_that_fits_with_adapters_alone_is_refused_with_them(
    corpus: Path, trained: Path, with_room: Callable[[int], None], tmp_path: Path
):
    spec = ModelSpec.model_validate(
        WRITTEN | {"preset": "gpt2", "base": str(trained / "final"), "training": {"steps": 1}}
    )
    outlines: list[PreTrainedModel] = []
    load_initial(spec, corpus, look=outlines.append)
    whole = need_of(spec, outlines[0], "cpu", bf16=False)
    with_room((whole.at_least() + whole.adapted().at_least()) // 2)
    with pytest.raises(ModelError, match=r"what would fit: lora: \{\}, which trains adapters only"):
        check_weights(spec, outlines[0], CPU)
    check_weights(spec.model_copy(update={"lora": LoraSettings()}), outlines[0], CPU)
