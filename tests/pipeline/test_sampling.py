"""Sample sets of a really trained model."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipeline.generation import Request, draw
from pipeline.model_spec import ModelError, ModelSpec, SamplingSetting
from pipeline.models.initial import load_trained
from pipeline.sampling import sample
from pipeline.schema import SAMPLES


def test_a_set_is_drawn_at_each_kept_step_and_at_the_end(
    trained: Path, tales_spec: ModelSpec, tmp_path: Path
):
    told: list[tuple[str, int, int]] = []
    figures = sample(trained, tales_spec, tmp_path, report=lambda *a: told.append(a))
    table = pq.read_table(tmp_path / "samples.parquet")
    assert table.schema.equals(SAMPLES)
    rows = table.to_pylist()
    each = 2 * (2 + 1)  # prompts x (nucleus twice, greedy once)
    assert [row["step"] for row in rows] == [5] * each + [20] * each + [30] * each
    assert figures["stories"] == len(rows) == 3 * each
    assert told[-1] == ("final", 3 * each, 3 * each)
    assert {row["prompt"] for row in rows} == {"", "In the mill, Mira"}
    for row in rows:
        assert 1 <= row["tokens"] + row["finished"] <= row["max_length"]
        assert "<|endoftext|>" not in row["text"]
    # A row, drawn again from what stands in it.
    row = next(row for row in rows if row["setting"] == "nucleus" and row["step"] == 20)
    model, tokenizer = load_trained(trained / "steps" / "20")
    names = ("temperature", "top_k", "top_p", "repetition_penalty", "max_length")
    setting = SamplingSetting(**{name: row[name] for name in names})
    again = draw(model, tokenizer, [Request(row["prompt"], setting, row["seed"])])[0]
    assert (again.text, again.tokens, again.finished) == (
        row["text"],
        row["tokens"],
        row["finished"],
    )


def test_a_missing_checkpoint_is_named(
    trained: Path, make_spec: Callable[..., ModelSpec], tmp_path: Path
):
    copy = tmp_path / "model"
    shutil.copytree(trained, copy)
    with pytest.raises(ModelError, match="steps/7: is missing; train again"):
        sample(copy, make_spec(at_steps=[7]), tmp_path / "samples")
