"""Trainings by several processes that torchrun starts, on the CPU: real ones, killed and all."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import load_file

from pipeline.model_spec import ModelError, ModelSpec
from pipeline.training import train
from pipeline.training.arguments import one_device
from pipeline.training.checkpoints import newest_checkpoint
from pipeline.training.distributed import command, share, visible_gpus
from pipeline.training.order import WholeBatches
from pipeline.training.packing import NO_BLOCK, PackedBlocks

#: Accumulation, epochs whose last batch is short, and a checkpoint within an epoch.
SETTINGS = {
    "steps": 40,
    "batch_size": 6,
    "gradient_accumulation": 2,
    "log_every": 1,
    "eval_every": 20,
    "save_every": 7,
}


@pytest.fixture(scope="module")
def two(make_spec: Callable[..., ModelSpec]) -> ModelSpec:
    return make_spec(SETTINGS, at_steps=[5]).model_copy(update={"processes": 2})


@pytest.fixture(scope="module")
def alone(corpus: Path, two: ModelSpec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same training by one process."""
    folder = tmp_path_factory.mktemp("alone")
    train(two, corpus, folder, device="cpu")
    return folder


@contextmanager
def training(
    spec: ModelSpec, corpus: Path, folder: Path
) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """torchrun with the processes of `spec`; the ids of those that train, once they do."""
    written = folder.with_suffix(".json")
    written.write_text(spec.model_dump_json())
    arguments = ["-m", "pipeline.training", "--spec", str(written), "--corpus", str(corpus)]
    arguments += ["--folder", str(folder), "--device", "cpu"]
    child = subprocess.Popen(
        [sys.executable, *command(spec, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    workers: list[int] = []
    try:
        yield child, workers
    finally:
        child.kill()
        for worker in workers:
            _kill(worker)
        child.communicate()


def _kill(process: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


def wait_for_step(child: subprocess.Popen[str], workers: list[int], step: int) -> None:
    assert child.stdout is not None
    for line in child.stdout:
        if line.startswith(f"step {step}/"):
            listed = Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text("ascii")
            workers += map(int, listed.split())
            return
    raise AssertionError(f"the training ended before step {step}: {child.communicate()[1]}")


def assert_all_gone(workers: list[int], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while any(Path(f"/proc/{worker}").exists() for worker in workers):
        assert time.monotonic() < deadline, "a process is left"
        time.sleep(0.05)


def losses(folder: Path) -> list[tuple[int, str, float]]:
    rows = pq.read_table(folder / "loss.parquet").to_pylist()
    return [(row["step"], row["split"], row["loss"]) for row in rows]


def assert_same_training(folder: Path, alone: Path) -> None:
    mine, its = losses(folder), losses(alone)
    assert [row[:2] for row in mine] == [row[:2] for row in its]
    assert [row[2] for row in mine] == pytest.approx([row[2] for row in its], rel=1e-5)
    one = load_file(folder / "final/model.safetensors")
    other = load_file(alone / "final/model.safetensors")
    assert one.keys() == other.keys()
    for name in one:
        apart = abs(one[name] - other[name])
        if name.endswith("c_attn.bias"):
            # Attention is the same whatever is added to all keys: the gradient of their bias is
            # nothing but rounding, of which Adam makes steps of full length.
            queries, _, values = np.split(apart, 3)
            apart = np.concatenate([queries, values])
        assert apart.max() < 1e-5, name


@pytest.mark.slow
def test_two_processes_learn_what_one_does_and_one_of_them_writes(
    corpus: Path, two: ModelSpec, alone: Path, tmp_path: Path
):
    folder = tmp_path / "model"
    with training(two, corpus, folder) as (child, _):
        output, errors = child.communicate()
    assert child.returncode == 0, errors
    assert_same_training(folder, alone)
    assert output.count("step 1/40") == 1
    assert output.count("step 40/40") == 2  # its loss and its look at held-out text
    record = json.loads((folder / "training.json").read_text("utf-8"))
    assert record["batch"]["processes"] == 2
    assert len(list((folder / "tensorboard").iterdir())) == 1
    assert (folder / "steps/5/model.safetensors").is_file()
    assert not (folder / "resume").exists()


@pytest.mark.slow
def test_interrupted_they_stop_at_the_same_step_and_go_on_from_there(
    corpus: Path, two: ModelSpec, alone: Path, tmp_path: Path
):
    folder = tmp_path / "model"
    with training(two, corpus, folder) as (child, workers):
        wait_for_step(child, workers, 9)
        os.kill(workers[1], signal.SIGTERM)  # not the one that writes
        _, errors = child.communicate(timeout=60)
    assert child.returncode != 0
    assert_all_gone(workers, 5)
    checkpoint = newest_checkpoint(folder / "resume")
    assert checkpoint is not None
    assert f"interrupted at step {checkpoint.step}; run again to resume" in errors
    assert {"rng_state_0.pth", "rng_state_1.pth"} <= {
        path.name for path in checkpoint.folder.iterdir()
    }
    with training(two, corpus, folder) as (child, _):
        output, errors = child.communicate()
    assert child.returncode == 0, errors
    assert f"step {checkpoint.step + 1}/40" in output
    assert "step 1/40" not in output
    assert_same_training(folder, alone)


@pytest.mark.slow
def test_when_one_is_killed_the_others_end_and_the_checkpoint_stands(
    corpus: Path, two: ModelSpec, tmp_path: Path
):
    folder = tmp_path / "model"
    with training(two, corpus, folder) as (child, workers):
        wait_for_step(child, workers, 9)
        os.kill(workers[1], signal.SIGKILL)
        child.communicate(timeout=60)
    assert child.returncode != 0
    assert_all_gone(workers, 5)
    checkpoint = newest_checkpoint(folder / "resume")
    assert checkpoint is not None
    assert checkpoint.step >= 7


@pytest.mark.slow
def test_when_torchrun_is_killed_nothing_is_left(corpus: Path, two: ModelSpec, tmp_path: Path):
    folder = tmp_path / "model"
    with training(two, corpus, folder) as (child, workers):
        wait_for_step(child, workers, 9)
        child.kill()
        child.wait()
        assert_all_gone(workers, 30)
    assert newest_checkpoint(folder / "resume") is not None


@pytest.mark.parametrize(("blocks", "batch_size"), [(7, 4), (8, 4), (3, 8)])
def test_the_order_is_that_of_one_process_filled_up(blocks: int, batch_size: int):
    rows = PackedBlocks(np.zeros((blocks, 8), np.int32))
    order = WholeBatches(rows, batch_size, seed=3)
    order.set_epoch(1)
    read = list(order)
    assert len(read) == len(order)
    assert len(read) % batch_size == 0
    assert sorted(read[:blocks]) == list(range(blocks))
    assert read[blocks:] == [NO_BLOCK] * (len(read) - blocks)
    assert (rows[NO_BLOCK] == -100).all()
    order.set_epoch(2)
    assert list(order)[:blocks] != read[:blocks] or blocks < 4


def test_a_batch_that_cannot_be_shared_alike_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert share(6, "training.batch_size") == 3
    with pytest.raises(ModelError, match="training.batch_size is 5, which 2 processes cannot sha"):
        share(5, "training.batch_size")


def test_a_training_is_shown_its_own_gpus(two: ModelSpec):
    spec = two.model_copy(update={"gpu": 1})
    assert visible_gpus(spec, {}) == {"CUDA_VISIBLE_DEVICES": "1,2"}
    assert visible_gpus(spec, {"CUDA_VISIBLE_DEVICES": "4,5,6"}) == {"CUDA_VISIBLE_DEVICES": "5,6"}
    one = spec.model_copy(update={"processes": 1})
    assert visible_gpus(one, {}) == {"CUDA_VISIBLE_DEVICES": "1"}
    assert command(one, ["-m", "somewhere"]) == ["-m", "somewhere"]


def test_a_process_that_sees_several_gpus_computes_on_one(tmp_path: Path):
    from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments

    arguments = TrainingArguments(
        output_dir=str(tmp_path), use_cpu=True, per_device_train_batch_size=3
    )
    assert arguments.device.type == "cpu"
    arguments._n_gpu = 4  # what it counts on such a machine
    assert arguments.train_batch_size == 12
    assert one_device(arguments).train_batch_size == 3
    model = GPT2LMHeadModel(GPT2Config(n_layer=1, n_embd=8, n_head=1, vocab_size=9))
    trainer = Trainer(model=model, args=arguments)
    assert trainer._wrap_model(model) is model
