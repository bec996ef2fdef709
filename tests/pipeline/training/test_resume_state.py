"""What a checkpoint holds, and that nothing in it is ever run."""

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import torch

from pipeline.model_spec import ModelError, ModelSpec
from pipeline.training import course, train
from pipeline.training.checkpoints import MARKER, complete_checkpoint, newest_checkpoint
from pipeline.training.interrupts import Interrupted
from pipeline.training.progress import Progress
from pipeline.training.resume import NOTE

Make = Callable[..., ModelSpec]


class Poison:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path):
        self._folder = folder

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self._folder),)


def mark_again(checkpoint: Path) -> None:
    """As whoever changes a file on purpose would."""
    step = int(checkpoint.name.rpartition("-")[2])
    complete_checkpoint(checkpoint.parent, step, 1.0, 1)


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
    mark_again(checkpoint)
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
    mark_again(checkpoint)
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
    for _ in range(2):  # first its size is not the marker's, then it is and cannot be read
        with pytest.raises(ModelError, match="checkpoint-5: its resume state is damaged"):
            train(spec, corpus, tmp_path / "model", device="cpu")
        mark_again(checkpoint)


@pytest.mark.parametrize(
    "name",
    ["optimizer.pt", "scheduler.pt", "rng_state.pth", "trainer_state.json", "model.safetensors"],
)
def test_without_a_file_of_it_nothing_goes_on_to_other_bits(
    name: str, checkpoint: Path, spec: ModelSpec, corpus: Path, tmp_path: Path
):
    (checkpoint / name).unlink()
    with pytest.raises(ModelError, match=rf"checkpoint-5: .*\({name} is missing\); delete"):
        train(spec, corpus, tmp_path / "model", device="cpu")
    assert not (tmp_path / "model/final").exists()


@pytest.mark.parametrize("name", ["trainer_state.json", "model.safetensors"])
def test_bytes_that_changed_are_refused_as_a_size_that_did(
    name: str, checkpoint: Path, spec: ModelSpec, corpus: Path, tmp_path: Path
):
    size = (checkpoint / name).stat().st_size
    (checkpoint / name).write_bytes(b"{" * size)
    with pytest.raises(ModelError, match="checkpoint-5: its resume state is damaged"):
        train(spec, corpus, tmp_path / "model", device="cpu")


@pytest.mark.parametrize("marker", ["", "[]", '{"step": 5}'])
def test_a_marker_that_is_none_is_refused(
    marker: str, checkpoint: Path, spec: ModelSpec, corpus: Path, tmp_path: Path
):
    (checkpoint / MARKER).write_text(marker)
    with pytest.raises(ModelError, match=f"checkpoint-5: .*{MARKER} is no marker of ours"):
        train(spec, corpus, tmp_path / "model", device="cpu")


@pytest.mark.parametrize("note", ["", "[5]", "{"])
def test_a_note_that_says_nothing_is_refused(
    note: str, checkpoint: Path, spec: ModelSpec, corpus: Path, tmp_path: Path
):
    (checkpoint.parent / NOTE).write_text(note)
    with pytest.raises(ModelError, match=r"resume/training\.json: damaged, .* to start anew"):
        train(spec, corpus, tmp_path / "model", device="cpu")
    assert checkpoint.is_dir()


def test_a_copy_that_a_person_put_beside_the_checkpoints_is_none(
    checkpoint: Path, spec: ModelSpec, corpus: Path, tmp_path: Path
):
    shutil.copytree(checkpoint, checkpoint.with_name("checkpoint-old"))
    seen: list[Progress] = []
    train(spec, corpus, tmp_path / "model", device="cpu", report=seen.append)
    assert seen[0].step == 6


def test_another_corpus_does_not_go_on_from_there(
    checkpoint: Path, spec: ModelSpec, corpus: Path, tmp_path: Path
):
    """Nobody said which version of the data either is of."""
    other = tmp_path / "other"
    shutil.copytree(corpus, other)
    manifest = pq.read_table(other / "manifest.parquet")
    of_validation = pc.equal(manifest["split"], "validation")
    pq.write_table(manifest.filter(pc.invert(of_validation)), other / "manifest.parquet")
    (other / "validation.txt").write_bytes(b"")
    with pytest.raises(ModelError, match="another configuration, base or corpus; delete it"):
        train(spec, other, tmp_path / "model", device="cpu")
    assert checkpoint.is_dir()


def test_without_the_best_a_training_that_keeps_it_does_not_go_on(tmp_path: Path):
    for step in (5, 10):
        (tmp_path / f"checkpoint-{step}").mkdir()
        complete_checkpoint(tmp_path, step, 1.0, 2, best=5)
    shutil.rmtree(tmp_path / "checkpoint-5")
    with pytest.raises(ModelError, match="checkpoint-5: the best checkpoint .* is gone"):
        newest_checkpoint(tmp_path)


def test_the_clock_adds_checkpoints_and_changes_no_bit(
    of_kind: Make, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    spec = of_kind("gpt2", save_every=1000, log_every=1, dropout=0.1)
    train(spec, corpus, tmp_path / "undisturbed", device="cpu")

    class KilledError(Exception):
        pass

    def kill(progress: Progress) -> None:
        if progress.step == 5:
            raise KilledError

    monkeypatch.setattr(course, "SAVE_AFTER", 0.0)
    with pytest.raises(KilledError):
        train(spec, corpus, tmp_path / "killed", device="cpu", report=kill)
    monkeypatch.undo()
    seen: list[Progress] = []
    train(spec, corpus, tmp_path / "killed", device="cpu", report=seen.append)
    assert seen[0].step == 5  # from the checkpoint of the fourth step
    weights = {
        (tmp_path / folder / "final/model.safetensors").read_bytes()
        for folder in ("undisturbed", "killed")
    }
    assert len(weights) == 1
