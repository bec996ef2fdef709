"""What a checkpoint holds, and that nothing in it is ever run."""

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from pipeline.model_spec import ModelError, ModelSpec
from pipeline.training import train
from pipeline.training.checkpoints import MARKER, complete_checkpoint
from pipeline.training.interrupts import Interrupted
from pipeline.training.progress import Progress

Make = Callable[..., ModelSpec]


class Poison:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path):
        self._folder = folder

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self._folder),)


@pytest.fixture(scope="module")
def spec(of_kind: Make) -> ModelSpec:
    return of_kind("lstm", log_every=1, dropout=0.1)


@pytest.fixture(scope="module")
def interrupted(spec: ModelSpec, corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    def stop(progress: Progress) -> None:
        if progress.step == 4:
            os.kill(os.getpid(), signal.SIGINT)

    folder = tmp_path_factory.mktemp("interrupted")
    with pytest.raises(Interrupted, match="interrupted at step 5; run again to resume"):
        train(spec, corpus, folder, device="cpu", report=stop)
    return folder


@pytest.fixture
def checkpoint(interrupted: Path, tmp_path: Path) -> Path:
    shutil.copytree(interrupted, tmp_path / "model")
    return tmp_path / "model/resume/checkpoint-5"


def test_a_checkpoint_is_weights_and_the_state_of_the_training(checkpoint: Path):
    state = {"optimizer.pt", "scheduler.pt", "rng_state.pth", "trainer_state.json"}
    weights = {"model.safetensors", "config.json", "generation_config.json"}
    assert {path.name for path in checkpoint.iterdir()} == state | weights | {MARKER}
    # The Trainer would add its arguments, a pickle that only a loading of any pickle reads.
    assert not list(checkpoint.parent.rglob("training_args.bin"))


def test_a_recurrent_model_goes_on_to_the_bits_of_one_that_was_not_interrupted(
    checkpoint: Path, spec: ModelSpec, corpus: Path, tmp_path: Path
):
    weights = set()
    for folder in ("model", "anew", "anew"):
        train(spec, corpus, tmp_path / folder, device="cpu")
        weights.add((tmp_path / folder / "final/model.safetensors").read_bytes())
    assert len(weights) == 1


def test_the_best_is_kept_beside_those_to_go_on_from(tmp_path: Path):
    for step in (5, 10, 15, 20):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        (folder / "model.safetensors").write_bytes(b"x")
        complete_checkpoint(tmp_path, step, 1.0, 2, best=5)
    kept = {path.name for path in tmp_path.iterdir()}
    assert kept == {"checkpoint-5", "checkpoint-15", "checkpoint-20"}
    complete_checkpoint(tmp_path, 20, 1.0, 1, best=20)
    assert {path.name for path in tmp_path.iterdir()} == {"checkpoint-20"}


@pytest.mark.parametrize("name", ["optimizer.pt", "scheduler.pt", "rng_state.pth"])
def test_a_pickle_that_would_run_code_is_refused(
    name: str, checkpoint: Path, spec: ModelSpec, corpus: Path, tmp_path: Path
):
    torch.save({"state": Poison(tmp_path / "ran")}, checkpoint / name)
    with pytest.raises(ModelError, match="checkpoint-5: its resume state is damaged, or holds"):
        train(spec, corpus, tmp_path / "model", device="cpu")
    assert not (tmp_path / "ran").exists()
    assert checkpoint.is_dir()  # to be looked at
    assert not (tmp_path / "model/final").exists()
    assert torch.load(checkpoint / name, weights_only=False)["state"] is None
    assert (tmp_path / "ran").exists()  # it would have


def test_pickled_weights_in_place_of_safetensors_are_refused(
    checkpoint: Path, spec: ModelSpec, corpus: Path, tmp_path: Path
):
    (checkpoint / "model.safetensors").unlink()
    torch.save({"lm_head.weight": Poison(tmp_path / "ran")}, checkpoint / "pytorch_model.bin")
    with pytest.raises(ModelError, match="holds a pickle that would run code"):
        train(spec, corpus, tmp_path / "model", device="cpu")
    assert not (tmp_path / "ran").exists()


def test_arguments_that_another_trainer_pickled_are_not_read(
    checkpoint: Path, spec: ModelSpec, corpus: Path, tmp_path: Path
):
    torch.save(Poison(tmp_path / "ran"), checkpoint / "training_args.bin")
    seen: list[Progress] = []
    train(spec, corpus, tmp_path / "model", device="cpu", report=seen.append)
    assert seen[0].step == 6  # it went on
    assert not (tmp_path / "ran").exists()
    pickles = {".bin", ".pt", ".pth", ".pkl", ".ckpt"}
    assert not [path for path in (tmp_path / "model").rglob("*") if path.suffix in pickles]


def test_a_state_that_the_disk_damaged_is_said_to_be(
    checkpoint: Path, spec: ModelSpec, corpus: Path, tmp_path: Path
):
    half = (checkpoint / "optimizer.pt").read_bytes()
    (checkpoint / "optimizer.pt").write_bytes(half[: len(half) // 2])
    with pytest.raises(ModelError, match="checkpoint-5: its resume state is damaged"):
        train(spec, corpus, tmp_path / "model", device="cpu")
