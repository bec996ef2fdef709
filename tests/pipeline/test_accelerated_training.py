"""Trainings in bfloat16 and compiled: resumed to the same bits, and exported like any other."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from pipeline.model_spec import ModelSpec
from pipeline.models.initial import load_trained
from pipeline.training import train
from pipeline.training.progress import Progress


class _KilledError(Exception):
    pass


def _killed_at(step: int) -> Callable[[Progress], None]:
    def report(progress: Progress) -> None:
        if progress.step >= step:
            raise _KilledError

    return report


@pytest.mark.slow
def test_in_bfloat16_a_resumed_run_ends_with_the_same_bits(
    corpus: Path, make_spec: Callable[..., ModelSpec], tmp_path: Path
) -> None:
    settings = {"precision": "bf16", "steps": 12, "save_every": 5, "log_every": 1, "dropout": 0.1}
    spec = make_spec(settings)
    train(spec, corpus, tmp_path / "undisturbed", device="cpu")
    with pytest.raises(_KilledError):
        train(spec, corpus, tmp_path / "killed", device="cpu", report=_killed_at(8))
    train(spec, corpus, tmp_path / "killed", device="cpu")
    one, other = (
        load_file(tmp_path / name / "final" / "model.safetensors")
        for name in ("undisturbed", "killed")
    )
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert {weight.dtype for weight in one.values()} == {torch.float32}
    in_fp32 = make_spec({**settings, "precision": "fp32"})
    train(in_fp32, corpus, tmp_path / "fp32", device="cpu")
    exact = load_file(tmp_path / "fp32" / "final" / "model.safetensors")
    assert not all(torch.equal(one[name], exact[name]) for name in one)


@pytest.mark.slow
def test_a_compiled_training_learns_and_exports_what_loads_anywhere(
    corpus: Path, make_spec: Callable[..., ModelSpec], tmp_path: Path
) -> None:
    settings = {"steps": 5, "log_every": 1, "eval_every": 5}
    plain = train(make_spec(settings), corpus, tmp_path / "plain", device="cpu")
    spec = make_spec({**settings, "compile": True})
    compiled = train(spec, corpus, tmp_path / "compiled", device="cpu")
    assert compiled["loss"] == pytest.approx(plain["loss"], rel=1e-3)
    assert compiled["validation_loss"] == pytest.approx(plain["validation_loss"], rel=1e-3)
    model, _ = load_trained(tmp_path / "compiled" / "final")
    assert not any("_orig_mod" in name for name, _ in model.named_parameters())
