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


def test_each_prompt_is_told_in_each_genre(
    trained_lstm: Path, recurrent_spec: Callable[..., ModelSpec], tmp_path: Path
):
    settings = [
        {"name": "cut", "top_k": 0, "max_length": 60, "whole_sentences": True},
        {"name": "greedy", "temperature": 0, "max_length": 30},
    ]
    samples = {"prompts": ["", "The mill"], "genres": ["Sci-fi", "superhero"], "count": 3}
    spec = recurrent_spec({"cell": "lstm", "layers": [8]}, samples=samples | {"settings": settings})
    sample(trained_lstm, spec, tmp_path)
    rows = pq.read_table(tmp_path / "samples.parquet").to_pylist()
    asked = [(row["prompt"], row["genre"], row["setting"], row["seed"]) for row in rows]
    assert asked == [
        (prompt, genre, name, seed)
        for prompt in ("", "The mill")
        for genre in ("Sci-fi", "superhero")
        for name, seeds in (("cut", 3), ("greedy", 1))
        for seed in range(seeds)
    ]
    assert [row["whole_sentences"] for row in rows] == [row["setting"] == "cut" for row in rows]
    model, tokenizer = load_trained(trained_lstm / "final")
    for row in rows:
        assert not any(token in row["text"] for token in ("<BOS>", "<EOS>", "<superhero>"))
        if row["setting"] == "cut" and row["seed"] == 2:
            setting = SamplingSetting.model_validate(settings[0])
            again = draw(model, tokenizer, [Request(row["prompt"], setting, 2, row["genre"])])[0]
            assert (again.text, again.tokens) == (row["text"], row["tokens"])


def test_a_genre_that_the_model_does_not_know_is_refused_and_nothing_written(
    trained_gru: Path, recurrent_spec: Callable[..., ModelSpec], tmp_path: Path
):
    spec = recurrent_spec({"cell": "gru", "layers": [8]}, samples={"genres": ["drama"]})
    with pytest.raises(ModelError, match="'drama' is not in the model's vocabulary"):
        sample(trained_gru, spec, tmp_path / "samples")
    assert not (tmp_path / "samples").exists()
