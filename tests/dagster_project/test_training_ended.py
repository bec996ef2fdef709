"""A training through Dagster that is ended midway leaves no process and goes on at the next run."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import dagster as dg
import pyarrow.parquet as pq
import pytest

from pipeline.artifact import Artifact
from pipeline.training.checkpoints import newest_checkpoint

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

_MODEL = """\
type: dagster_project.components.StoryModel
attributes:
  name: tales-nano
  corpus: tales
  preset: gpt2
  size: nano
  processes: %d
  tokenizer: {vocabulary: 300}
  training: {steps: 200, batch_size: 4, block_size: 32, log_every: 10, eval_every: 100,
             save_every: 20}
  samples:
    prompts: ["The lamp"]
    settings: [{name: free, temperature: 1.0, max_length: 20}]
"""
_STEPS = 200


@pytest.fixture(params=[1, 2])
def tales(request, milled):
    """A corpus, and a model that one or two processes train on it, on the CPU."""
    return milled(_MODEL % request.param)


@contextmanager
def _launched(tales) -> Iterator[subprocess.Popen[bytes]]:
    """`dg launch` of the training; its output is in `launch.log`."""
    with (tales.folder / "launch.log").open("wb") as log:
        launched = subprocess.Popen(
            ["dg", "launch", "--assets", 'key:"tales-nano/model"'],
            cwd=tales.folder,
            env=tales.env | {"LOREMILL_DEVICE": "cpu", "OMP_NUM_THREADS": "1"},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield launched
    finally:
        with suppress(ProcessLookupError):
            os.killpg(launched.pid, signal.SIGKILL)
        launched.wait()


def _log(tales) -> str:
    return str((tales.folder / "launch.log").read_text("utf-8", "replace"))


def _resume(tales) -> Path | None:
    return next((tales.data / "models/tales-nano").glob("*/resume"), None)


def _has_checkpoint(tales) -> bool:
    resume = _resume(tales)
    return resume is not None and any(resume.glob("checkpoint-*/complete.json"))


def _processes_of(folder: Path) -> dict[int, str]:
    """The command lines of all that works for this project, by process."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            if str(folder).encode() in (process / "environ").read_bytes() and command:
                found[int(process.name)] = command
    return found


def _await(condition: Callable[[], object], seconds: float, why: Callable[[], object]) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, why()
        time.sleep(0.05)


def _interrupt(launched: subprocess.Popen[bytes], folder: Path) -> None:
    """As Ctrl-C in a terminal does."""
    os.killpg(launched.pid, signal.SIGINT)


def _kill(launched: subprocess.Popen[bytes], folder: Path) -> None:
    """All of Dagster at once, with no time to say anything to the training."""
    trains = ("training_child", "dagster_project.tether")
    for pid, command in _processes_of(folder).items():
        if not any(name in command for name in trains):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _free_its_pool(tales) -> None:
    """As a person does in the UI: nobody else tells Dagster that a `dg launch` was killed."""
    with dg.DagsterInstance.from_config(str(tales.folder / ".dagster")) as instance:
        (run,) = instance.get_runs()
        if not run.is_finished:
            instance.report_run_canceled(run)
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)


@pytest.mark.parametrize("end", [_interrupt, _kill])
def test_nothing_is_left_and_the_next_run_goes_on_from_the_last_checkpoint(tales, end):
    with _launched(tales) as launched:
        _await(
            lambda: launched.poll() is not None or _has_checkpoint(tales), 150, lambda: _log(tales)
        )
        assert launched.poll() is None, _log(tales)
        assert any("training_child" in line for line in _processes_of(tales.folder).values())
        end(launched, tales.folder)
        _await(lambda: not _processes_of(tales.folder), 90, lambda: _processes_of(tales.folder))
    assert Artifact.load(tales.data / "models/tales-nano") is None
    resume = _resume(tales)
    assert resume is not None
    checkpoint = newest_checkpoint(resume)
    assert checkpoint is not None
    assert 20 <= checkpoint.step < _STEPS

    _free_its_pool(tales)
    with _launched(tales) as launched:
        launched.wait(timeout=280)
        said = _log(tales)
        assert launched.returncode == 0, said
    assert f"goes on from step {checkpoint.step}" in said
    told = [int(step) for step in re.findall(rf"step (\d+)/{_STEPS} ", said)]
    assert min(told) > checkpoint.step
    _await(lambda: not _processes_of(tales.folder), 15, lambda: _processes_of(tales.folder))
    _assert_whole(tales)


def _assert_whole(tales) -> None:
    """The loss curve is there from the first step to the last, each row once, and so on."""
    model = Artifact.load(tales.data / "models/tales-nano")
    assert model is not None
    assert json.loads((model.folder / "training.json").read_text())["steps"] == _STEPS
    loss = pq.read_table(model.folder / "loss.parquet").to_pylist()
    rows = [(row["split"], row["step"]) for row in loss]
    assert len(set(rows)) == len(rows)
    assert {("train", step) for step in range(10, _STEPS + 1, 10)} <= set(rows)
    assert {("validation", step) for step in (0, 100, 200)} <= set(rows)
    assert not (model.folder / "resume").exists()


def test_each_line_and_each_look_is_told_once(tales):
    with _launched(tales) as launched:
        launched.wait(timeout=280)
        said = _log(tales)
        assert launched.returncode == 0, said
    _assert_whole(tales)
    with dg.DagsterInstance.from_config(str(tales.folder / ".dagster")) as instance:
        looks = instance.fetch_observations(dg.AssetKey(["tales-nano", "model"]), limit=10).records
        (run,) = instance.get_runs()
        lines = [event.user_message for event in instance.all_logs(run.run_id)]
    seen = [record.asset_observation.metadata["step"].value for record in reversed(looks)]
    assert seen == [0, 100, 200]
    reported = [line for line in lines if line.startswith("step ")]
    assert len(set(reported)) == len(reported)
    steps = [int(line.split("/")[0].removeprefix("step ")) for line in reported]
    # A step's loss is a line, and its look another; the first step tells its own.
    assert steps == sorted([0, 1, *range(10, _STEPS + 1, 10), 100, 200])
    assert len([line for line in lines if line.startswith("foretold: ")]) == 1
