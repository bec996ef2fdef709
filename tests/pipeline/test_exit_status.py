"""What the process that trains tells whoever started it."""

import signal

import pytest

from pipeline.corpus import ManifestError
from pipeline.model_spec import ModelError
from pipeline.training.exit_status import exit_status
from pipeline.training.interrupts import Interrupted
from pipeline.training.out_of_memory import RunAgain


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (None, 0, ""),
        (ModelError("lower it"), 2, "error: lower it\n"),
        (ManifestError("build again"), 2, "error: build again\n"),
        (OSError("disk gone"), 2, "error: disk gone\n"),
        (RunAgain("halved"), 75, "error: halved\n"),
        (Interrupted("run again", signal.SIGTERM), 143, "run again\n"),
    ],
)
def test_each_end_has_its_status(
    error: Exception | None, status: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def run() -> None:
        if error:
            raise error

    assert exit_status(run) == status
    assert capsys.readouterr().err == told


def test_a_fault_of_the_program_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        exit_status(lambda: 1 // 0)
