"""What is foretold of a training's memory and time, and what is refused before it starts."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from pipeline.device import Device
from pipeline.model_spec import ModelError, ModelSpec
from pipeline.training import forecast, room, train
from pipeline.training.forecast import check_disk, disk_need, fit
from pipeline.training.pace import seconds_per_step

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
    groups = room._groups(tmp_path, own)
    assert [room._left(one) for one in groups] == [400, None, None]
    old = tmp_path / "memory/job"
    old.mkdir(parents=True)
    own.write_text("4:cpu:/job\n3:memory:/job\n")
    (old / "memory.limit_in_bytes").write_text("1000")
    (old / "memory.usage_in_bytes").write_text("400")
    assert room._left(room._groups(tmp_path, own)[0]) == 600


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
