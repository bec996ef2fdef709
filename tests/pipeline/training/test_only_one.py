"""Two trainings of one folder: the second waits a little, and says for whom."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.model_spec import ModelSpec
from pipeline.training import only_one, train
from pipeline.training.__main__ import main
from pipeline.training.interrupts import Interrupted

#: Holds a folder as a training does, until its standard input ends.
HOLDING = """
import sys
from pathlib import Path
from pipeline.training.only_one import only_training

folder = Path(sys.argv[1])
with only_training(folder, folder / "resume", print):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def spec(of_kind: Callable[..., ModelSpec]) -> ModelSpec:
    return of_kind("lstm", steps=2)


@contextmanager
def held(folder: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLDING, str(folder)]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        yield child
    finally:
        child.kill()
        child.communicate()


def test_a_second_training_of_a_folder_ends_with_who_trains_there(
    spec: ModelSpec,
    corpus: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    monkeypatch.setattr(only_one, "PATIENCE", 0.5)
    (tmp_path / "spec.json").write_text(spec.model_dump_json())
    folder = tmp_path / "model"
    given = ["--spec", str(tmp_path / "spec.json"), "--corpus", str(corpus), "--folder"]
    with held(folder) as child:
        assert main([*given, str(folder), "--device", "cpu"]) == 2
        told = capsys.readouterr()
        assert f"seconds for process {child.pid} on " in told.out
        assert told.err.startswith(f"error: {folder}: process {child.pid} on ")
        assert told.err.endswith("end it, or train into another folder\n")
        assert told.err.count("\n") == 1
    assert not (folder / "final").exists()


def test_it_goes_on_when_the_other_has_died(spec: ModelSpec, corpus: Path, tmp_path: Path):
    told: list[str] = []
    with held(tmp_path) as child:

        def tell(line: str) -> None:
            told.append(line)
            child.send_signal(signal.SIGKILL)

        assert train(spec, corpus, tmp_path, device="cpu", tell=tell)["steps"] == 2
    assert told[0].startswith(f"waits up to 60 seconds for process {child.pid}")
    assert len([line for line in told if line.startswith("waits")]) == 1
    assert not (tmp_path / "resume").exists()


def test_whoever_waits_can_be_stopped(spec: ModelSpec, corpus: Path, tmp_path: Path):
    with held(tmp_path), pytest.raises(Interrupted, match="before the first step"):
        train(
            spec, corpus, tmp_path, device="cpu", tell=lambda _: signal.raise_signal(signal.SIGINT)
        )


def test_a_training_that_failed_holds_the_folder_no_more(
    spec: ModelSpec, corpus: Path, tmp_path: Path
):
    with pytest.raises(FileNotFoundError):
        train(spec, tmp_path / "nowhere", tmp_path / "model", device="cpu")
    told: list[str] = []
    train(spec, corpus, tmp_path / "model", device="cpu", tell=told.append)
    assert not [line for line in told if line.startswith("waits")]
