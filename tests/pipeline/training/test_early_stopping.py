"""When a training ends before its last step, and which of its weights it leaves."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipeline.model_spec import ModelError, ModelSpec, SampleSettings, SamplingSetting
from pipeline.sampling import _checkpoints
from pipeline.training import train
from pipeline.training.early_stopping import best_step, looks_since_best

Make = Callable[..., ModelSpec]
Write = Callable[[Path, dict[str, Any]], Path]

#: So high a rate that it soon gets worse.
OVERSHOOTING = {
    "steps": 60,
    "learning_rate": 0.2,
    "schedule": "constant",
    "warmup_fraction": 0.5,
    "eval_every": 3,
    "save_every": 4,
    "save_total_limit": 1,
}


def test_the_best_look_and_how_many_came_after():
    history: list[dict[str, float]] = [
        {"step": 0, "eval_bits_per_byte": 0.5},  # before the first step
        {"step": 5, "loss": 0.1},
        {"step": 5, "eval_bits_per_byte": 3.0},
        {"step": 10, "eval_bits_per_byte": 2.0},
        {"step": 15, "eval_bits_per_byte": 2.0},
        {"step": 20, "eval_bits_per_byte": 2.5},
    ]
    assert best_step(history[:2]) is None
    assert looks_since_best(history[:2]) == 0
    assert (best_step(history[:3]), looks_since_best(history[:3])) == (5, 0)
    assert (best_step(history), looks_since_best(history)) == (10, 2)


@pytest.mark.parametrize("kind", ["gpt2", "lstm"])
def test_it_stops_when_nothing_better_comes_and_leaves_the_best(
    kind: str, of_kind: Make, corpus: Path, tmp_path: Path
):
    spec = of_kind(kind, **OVERSHOOTING, patience=2)
    kept = SampleSettings(at_steps=range(3, 61, 3), settings=[SamplingSetting(max_length=4)])
    figures = train(spec.model_copy(update={"samples": kept}), corpus, tmp_path, device="cpu")
    best, steps = figures["best_step"], figures["steps"]
    looks = {
        row["step"]: row["bits_per_byte"]
        for row in pq.read_table(tmp_path / "loss.parquet").to_pylist()
        if row["split"] == "validation" and row["step"] > 0
    }
    assert steps == best + 2 * 3 < 60  # two looks after the best
    assert figures["bits_per_byte"] == looks[best] == min(looks.values())
    weights = "model.safetensors"
    final = (tmp_path / "final" / weights).read_bytes()
    assert final == (tmp_path / "steps" / str(best) / weights).read_bytes()
    assert final != (tmp_path / "steps" / str(steps) / weights).read_bytes()
    assert figures["steps_not_reached"] == list(range(steps + 3, 61, 3))
    # Stories of the final model are told to be of the step whose weights it has.
    drawn = [step for step, _ in _checkpoints(tmp_path, spec.model_copy(update={"samples": kept}))]
    assert drawn == list(range(3, best + 1, 3))


def test_without_held_out_text_there_is_nothing_to_judge_by(
    of_kind: Make, corpus: Path, write_corpus: Write, tmp_path: Path
):
    text = " ".join((corpus / "train.txt").read_text("utf-8").split()[:300])
    bare = write_corpus(tmp_path / "bare", {"train": [(text, "gutenberg", None)]})
    with pytest.raises(
        ModelError, match=r"training\.patience stops by .* of corpus 'tales' has no"
    ):
        train(of_kind("gpt2", patience=2), bare, tmp_path / "model", device="cpu")
    figures = train(of_kind("gpt2"), bare, tmp_path / "model", device="cpu")
    assert figures["steps"] == 8
    assert figures["validation_loss"] is None
    assert figures["bits_per_byte"] is None
