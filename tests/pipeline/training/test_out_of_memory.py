"""Trainings that run out of memory on the way: real allocations that really fail.

Each is a child of `python -m pipeline.training` whose memory is bounded once it trains.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipeline.model_spec import ModelSpec
from pipeline.training import train
from pipeline.training.checkpoints import newest_checkpoint
from pipeline.training.progress import Progress
from tests.bounded_memory import ALLOCATOR, bound_memory

STEPS = 9


@pytest.fixture(scope="module")
def large(make_spec: Callable[..., ModelSpec]) -> Callable[..., ModelSpec]:
    """Batches that take much more than the model."""

    def make(**training: object) -> ModelSpec:
        settings = {"steps": STEPS, "block_size": 128, "save_every": 1, "log_every": 1}
        return make_spec(settings | {"eval_every": 100} | training)

    return make


@pytest.fixture(scope="module")
def undisturbed(
    corpus: Path, large: Callable[..., ModelSpec], tmp_path_factory: pytest.TempPathFactory
) -> list[float]:
    """The losses of a training that had all the memory it wanted."""
    folder = tmp_path_factory.mktemp("undisturbed")
    train(large(batch_size=64), corpus, folder, device="cpu")
    return losses(folder)


def losses(folder: Path) -> list[float]:
    rows = pq.read_table(folder / "loss.parquet").to_pylist()
    return [row["loss"] for row in rows if row["split"] == "train"]


def train_bounded(
    spec: ModelSpec, corpus: Path, folder: Path, share: float
) -> tuple[int, str, str]:
    """A child that after some steps may take `share` of a step's memory: status and output."""
    written = folder.with_suffix(".json")
    written.write_text(spec.model_dump_json())
    command = [sys.executable, "-m", "pipeline.training", "--spec", str(written)]
    command += ["--corpus", str(corpus), "--folder", str(folder), "--device", "cpu"]
    child = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **ALLOCATOR},
    )
    try:
        assert child.stdout is not None
        began = time.monotonic()
        for line in child.stdout:
            if line.startswith("step 2/"):
                bound_memory(child.pid, share, 1.5 * (time.monotonic() - began))
                break
            began = time.monotonic()
        output, errors = child.communicate()
    finally:
        child.kill()
    return child.returncode, output, errors


@pytest.mark.slow
def test_it_is_one_clear_error_and_what_it_says_goes_on_from_the_last_checkpoint(
    corpus: Path, large: Callable[..., ModelSpec], undisturbed: list[float], tmp_path: Path
):
    folder = tmp_path / "model"
    status, _, errors = train_bounded(large(batch_size=64), corpus, folder, 0.6)
    assert status == 2, errors
    (said,) = [line for line in errors.splitlines() if line.startswith("error: ")]
    assert "ran out of memory with 64 blocks of 128 tokens (foretold: " in said
    assert (
        "write training.batch_size: 32 with training.gradient_accumulation: 2 or "
        "training.gradient_checkpointing: true, which learns the same and goes on from there"
    ) in said
    checkpoint = newest_checkpoint(folder / "resume")
    assert checkpoint is not None
    assert 2 <= checkpoint.step < STEPS

    as_it_says = large(batch_size=32, gradient_accumulation=2, gradient_checkpointing=True)
    seen: list[Progress] = []
    train(as_it_says, corpus, folder, device="cpu", report=seen.append)
    assert seen[0].step == checkpoint.step + 1
    assert losses(folder) == pytest.approx(undisturbed, rel=1e-4)


@pytest.mark.slow
def test_a_batch_that_it_picked_is_halved_and_it_goes_on_in_a_fresh_process(
    corpus: Path, large: Callable[..., ModelSpec], undisturbed: list[float], tmp_path: Path
):
    folder = tmp_path / "model"
    spec = large(batch_size="auto", gradient_accumulation=8)
    status, output, errors = train_bounded(spec, corpus, folder, 0.75)
    assert status == 0, errors
    assert "ran out of memory with 64 blocks of 128 tokens" in errors
    assert "runs again, in a fresh process" in output
    assert "step 1/" not in output  # read before the bound was set: it did not begin anew
    record = json.loads((folder / "training.json").read_text("utf-8"))
    assert record["batch"] == {"per_device": 32, "accumulation": 2, "processes": 1}
    assert losses(folder) == pytest.approx(undisturbed, rel=1e-4)
