"""Trainings that are killed, interrupted or run out of disk, and what becomes of them.

Each is a real child process of `python -m pipeline.training`.
"""

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipeline.model_spec import ModelSpec
from pipeline.training import train
from pipeline.training.checkpoints import complete_checkpoint, newest_checkpoint
from pipeline.training.progress import Progress

#: Dropout and accumulation, whose random states and order a resume must bring back. Checkpoints
#: fall within epochs, and the training lasts long enough to be hit in the middle.
SETTINGS = {
    "steps": 80,
    "dropout": 0.1,
    "gradient_accumulation": 2,
    "log_every": 1,
    "eval_every": 30,
    "save_every": 7,
}


@pytest.fixture(scope="module")
def long_spec(make_spec: Callable[..., ModelSpec]) -> ModelSpec:
    return make_spec(SETTINGS, at_steps=[3, 70])


@pytest.fixture(scope="module")
def undisturbed(
    corpus: Path, long_spec: ModelSpec, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed")
    train(long_spec, corpus, folder, device="cpu")
    return folder


@contextmanager
def training(
    spec: ModelSpec, corpus: Path, folder: Path, *, ignoring: bool = False
) -> Iterator[subprocess.Popen[str]]:
    """A child that trains; with `ignoring` as a background shell starts it, SIGINT ignored."""
    written = folder.with_suffix(".json")
    written.write_text(spec.model_dump_json())
    command = [sys.executable, "-m", "pipeline.training", "--spec", str(written)]
    command += ["--corpus", str(corpus), "--folder", str(folder), "--device", "cpu"]
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN) if ignoring else None
    try:
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    finally:
        if previous is not None:
            signal.signal(signal.SIGINT, previous)
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


def wait_for_step(child: subprocess.Popen[str], step: int) -> None:
    assert child.stdout is not None
    for line in child.stdout:
        if line.startswith(f"step {step}/"):
            return
    raise AssertionError(f"the training ended before step {step}: {child.communicate()[1]}")


def assert_same_model(one: Path, other: Path) -> None:
    for name in ("final", "steps/3", "steps/70"):
        weights = f"{name}/model.safetensors"
        assert (one / weights).read_bytes() == (other / weights).read_bytes(), name
    # Every row of the way, but for what the clock and the machine say.
    of_the_training = ["step", "split", "loss", "bits_per_byte", "learning_rate"]
    rows = [pq.read_table(folder / "loss.parquet") for folder in (one, other)]
    assert rows[0].select(of_the_training).equals(rows[1].select(of_the_training))
    for timed in rows:
        seconds = timed["seconds"].to_pylist()
        assert seconds == sorted(seconds)  # earlier sessions are counted in


def test_killed_and_run_again_it_ends_with_the_same_bits(
    corpus: Path, long_spec: ModelSpec, undisturbed: Path, tmp_path: Path
):
    folder = tmp_path / "killed"
    with training(long_spec, corpus, folder) as child:
        wait_for_step(child, 35)
        child.kill()
        assert child.wait() == -signal.SIGKILL
    assert not (folder / "final").exists()
    # What a kill in the middle of writing a checkpoint leaves, and later than any whole one.
    half = folder / "resume" / "checkpoint-79"
    half.mkdir()
    (half / "trainer_state.json").write_text("{")

    seen: list[Progress] = []
    train(long_spec, corpus, folder, device="cpu", report=seen.append)
    assert 28 < seen[0].step < 79  # resumed, not repeated, and not from the half-written one
    assert not (folder / "resume").exists()
    assert_same_model(folder, undisturbed)


@pytest.mark.parametrize(("signum", "ignoring"), [(signal.SIGINT, True), (signal.SIGTERM, False)])
def test_interrupted_it_writes_a_checkpoint_and_goes_on_from_there(
    corpus: Path,
    long_spec: ModelSpec,
    undisturbed: Path,
    tmp_path: Path,
    signum: signal.Signals,
    ignoring: bool,
):
    folder = tmp_path / "interrupted"
    with training(long_spec, corpus, folder, ignoring=ignoring) as child:
        wait_for_step(child, 24)
        child.send_signal(signum)
        _, errors = child.communicate(timeout=10)
        assert child.returncode == 128 + signum
    checkpoint = newest_checkpoint(folder / "resume")
    assert checkpoint is not None
    assert errors.strip() == f"interrupted at step {checkpoint.step}; run again to resume"
    assert 24 <= checkpoint.step < 80
    seen: list[Progress] = []
    train(long_spec, corpus, folder, device="cpu", report=seen.append)
    assert seen[0].step == checkpoint.step + 1
    assert_same_model(folder, undisturbed)


#: Trains in a folder of the disk, and leaves no room on it on the way.
FILLING = """
import shutil, sys
from pathlib import Path
from pipeline.model_spec import ModelSpec
from pipeline.training import train
from pipeline.training.exit_status import exit_status

spec, corpus, disk = map(Path, sys.argv[1:])

def fill(progress):
    if progress.step == 11:
        (disk / "filler").write_bytes(bytes(shutil.disk_usage(disk).free - 500_000))

sys.exit(exit_status(lambda: train(
    ModelSpec.model_validate_json(spec.read_text()), corpus, disk / "model",
    device="cpu", report=fill,
)))
"""


def test_without_room_the_last_checkpoint_stands(
    corpus: Path, make_spec: Callable[..., ModelSpec], tmp_path: Path
):
    """On a file system of its own that something else fills up after the eleventh step."""
    spec = make_spec({"save_every": 5, "save_total_limit": 3, "log_every": 1})
    written = tmp_path / "spec.json"
    written.write_text(spec.model_dump_json())
    disk = tmp_path / "disk"
    disk.mkdir()
    try:
        subprocess.run(
            ["unshare", "-rm", "mount", "-t", "tmpfs", "none", str(disk)],
            check=True,
            capture_output=True,
        )
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no mount namespace of one's own here: {error}")
    kept = tmp_path / "kept"
    train_there = (
        f"mount -t tmpfs -o size=20m none {disk} && "
        f"{sys.executable} -c '{FILLING}' {written} {corpus} {disk}; "
        f"code=$?; cp -r {disk}/model {kept}; exit $code"
    )
    ended = subprocess.run(
        ["unshare", "-rm", "sh", "-c", train_there], capture_output=True, text=True
    )
    assert ended.returncode == 2, ended.stderr
    assert f"error: no room to write a checkpoint in {disk}/model/resume" in ended.stderr
    assert "free some space or lower training.save_total_limit" in ended.stderr
    checkpoint = newest_checkpoint(kept / "resume")
    assert checkpoint is not None
    assert checkpoint.step == 10
    remedied = make_spec({"save_every": 5, "save_total_limit": 1, "log_every": 1})
    seen: list[Progress] = []
    train(remedied, corpus, kept, device="cpu", report=seen.append)
    assert seen[0].step > 10  # it went on
    assert (kept / "final" / "model.safetensors").is_file()


def test_checkpoints_without_a_marker_are_deleted(tmp_path: Path):
    for step, complete in ((2, True), (10, True), (30, False)):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        (folder / "optimizer.pt").write_bytes(b"x")
        if complete:
            complete_checkpoint(tmp_path, step, 1.5, limit=3)
    newest = newest_checkpoint(tmp_path)
    assert newest is not None
    assert (newest.step, newest.seconds) == (10, 1.5)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-10", "checkpoint-2"]
    shutil.rmtree(tmp_path / "checkpoint-10")
    shutil.rmtree(tmp_path / "checkpoint-2")
    assert newest_checkpoint(tmp_path) is None
