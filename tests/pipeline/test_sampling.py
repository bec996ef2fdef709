"""Sample sets of a really trained model."""

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

import pipeline.sampling
from pipeline.generation import ROWS, Request, draw
from pipeline.model_spec import ModelError, ModelSpec, SamplingSetting
from pipeline.models.initial import load_trained
from pipeline.models.tokenizers import encode
from pipeline.redraw import redraw
from pipeline.sampling import Report, sample
from pipeline.schema import SAMPLES


def test_a_set_is_drawn_at_each_kept_step_and_at_the_end(
    trained: Path, tales_spec: ModelSpec, tmp_path: Path
):
    told: list[tuple[str, int, int, float | None]] = []
    figures = sample(trained, tales_spec, tmp_path, report=lambda *a: told.append(a))
    table = pq.read_table(tmp_path / "samples.parquet")
    assert table.schema.equals(SAMPLES)
    rows = table.to_pylist()
    each = 2 * (2 + 1)  # prompts x (nucleus twice, greedy once)
    assert [row["step"] for row in rows] == [5] * each + [20] * each + [30] * each
    assert figures["stories"] == len(rows) == 3 * each
    assert told[-1] == ("final", 3 * each, 3 * each, 0.0)
    assert [row["sample"] for row in rows] == list(range(3 * each))
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
    (copy / "steps" / "5" / "model.safetensors").unlink()
    for step in (5, 7):
        with pytest.raises(
            ModelError,
            match=rf"steps/{step}: is missing; there is 20, 30 \(the final model\): draw .* train",
        ):
            sample(copy, make_spec(at_steps=[step]), tmp_path / "samples")
    assert not (tmp_path / "samples").exists()


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


#: Many short stories at three checkpoints, so that there is time to kill the drawing in the second.
MANY: dict[str, Any] = {
    "at_steps": [5, 20],
    "prompts": [f"On day {day} the fox" for day in range(30)],
    "settings": [{"name": "nucleus", "top_k": 0, "top_p": 0.9, "max_length": 40}],
}
EACH = 60

_DRAW = """
import sys
from pathlib import Path
from pipeline.model_spec import ModelSpec
from pipeline.models.tokenizers import encode
from pipeline.redraw import redraw
from pipeline.sampling import sample
model, spec, folder = sys.argv[1:]
sample(Path(model), ModelSpec.model_validate_json(spec), Path(folder), device="cpu")
"""


def _with_broken_logits(model_folder: Path, step: int, copy: Path) -> Path:
    shutil.copytree(model_folder, copy)
    model, _ = load_trained(copy / "steps" / str(step))
    with torch.no_grad():
        model.transformer.ln_f.bias.fill_(torch.nan)
    model.save_pretrained(copy / "steps" / str(step))
    return copy


def _killed_after(stories: int, model: Path, spec: ModelSpec, folder: Path) -> int:
    """Draw in a process of its own and kill that; the stories that it has noted."""
    child = subprocess.Popen([sys.executable, "-c", _DRAW, model, spec.model_dump_json(), folder])
    journal = folder / "stories.jsonl"
    while not journal.is_file() or journal.read_bytes().count(b"\n") <= stories:
        assert child.poll() is None, "it was done before it could be killed"
        time.sleep(0.001)
    child.kill()
    assert child.wait() == -signal.SIGKILL
    assert not (folder / "samples.parquet").exists()
    return journal.read_bytes().count(b"\n") - 1


@pytest.fixture
def many(make_spec: Callable[..., ModelSpec]) -> ModelSpec:
    """A set of three times EACH stories."""
    return make_spec({"save_every": 10, "save_total_limit": 1}, **MANY)


def test_an_interrupted_drawing_goes_on_and_ends_with_the_same_bytes(
    trained: Path, many: ModelSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pipeline.sampling, "REPORT_EVERY", 0.0)
    told: list[tuple[str, int, float | None]] = []

    def until(last: int) -> Report:
        def report(name: str, done: int, total: int, left: float | None) -> None:
            told.append((name, done, left))
            if done == last:
                raise KeyboardInterrupt

        return report

    sample(trained, many, tmp_path / "at once", device="cpu")
    folder = tmp_path / "twice"
    for last in (EACH - 7, 2 * EACH + 3):
        with pytest.raises(KeyboardInterrupt):
            sample(trained, many, folder, device="cpu", report=until(last))
        assert not (folder / "samples.parquet").exists()
        with (folder / "stories.jsonl").open("ab") as journal:
            journal.write(b'{"text": "half a sto')
    sample(trained, many, folder, device="cpu", report=until(0))
    numbers = [done for _, done, _ in told]
    assert sorted(set(numbers)) == list(range(1, 3 * EACH + 1))
    assert all(numbers.count(done) == 1 for done in numbers if done % EACH)  # none drawn twice
    assert all(left is not None and left >= 0 for *_, left in told)
    whole = (tmp_path / "at once" / "samples.parquet").read_bytes()
    assert (folder / "samples.parquet").read_bytes() == whole
    assert [path.name for path in folder.iterdir()] == ["samples.parquet"]


@pytest.mark.slow
def test_a_killed_drawing_goes_on_and_ends_with_the_same_bytes(
    trained: Path, many: ModelSpec, tmp_path: Path
):
    sample(trained, many, tmp_path / "at once", device="cpu")
    folder = tmp_path / "killed"
    assert EACH < _killed_after(EACH + 5, trained, many, folder) < 3 * EACH
    told: list[str] = []
    sample(trained, many, folder, device="cpu", report=lambda name, *_: told.append(name))
    assert "5" not in told  # that checkpoint was done
    whole = (tmp_path / "at once" / "samples.parquet").read_bytes()
    assert (folder / "samples.parquet").read_bytes() == whole


def test_what_was_left_of_another_set_is_not_mixed_in(
    trained: Path, make_spec: Callable[..., ModelSpec], many: ModelSpec, tmp_path: Path
):
    broken = _with_broken_logits(trained, 20, tmp_path / "model")
    with pytest.raises(ModelError, match=r"steps/20: the model's logits are not finite"):
        sample(broken, many, tmp_path / "set", device="cpu")
    assert [path.name for path in (tmp_path / "set").iterdir()] == ["stories.jsonl"]
    other = make_spec({"save_every": 10, "save_total_limit": 1}, prompts=["A fox"], seed=3)
    assert sample(trained, other, tmp_path / "set", device="cpu")["stories"] == 2
    path = tmp_path / "set" / "samples.parquet"
    assert [(row["prompt"], row["seed"]) for row in pq.read_table(path).to_pylist()] == [
        ("A fox", 3),
        ("A fox", 4),
    ]
    assert redraw(trained, path, 0).identical


def test_each_row_can_be_drawn_again_by_itself(
    trained: Path, tales_spec: ModelSpec, tmp_path: Path
):
    """On another number of threads too: attention's bits depend on it, so it is noted."""
    torch.set_num_threads(2)
    sample(trained, tales_spec, tmp_path, device="cpu")
    torch.set_num_threads(1)
    path = tmp_path / "samples.parquet"
    noted = pq.read_schema(path).metadata
    assert noted[b"threads"] == b"2"
    assert noted[b"device"] == b"cpu"
    assert noted[b"rows"] == str(ROWS).encode()
    assert noted[b"torch"].decode() == version("torch")
    assert {b"transformers", b"loremill", b"processor"} <= set(noted)
    for number in (0, 5, 7, 17):  # of a kept checkpoint, greedy, of the final model
        again = redraw(trained, path, number)
        assert again.row["sample"] == number
        assert again.identical
        assert not again.unlike
    assert torch.get_num_threads() == 1
    with pytest.raises(ModelError, match="has no sample 18; there are 0 to 17"):
        redraw(trained, path, 18)


def test_a_row_of_other_weights_is_not_drawn_again(
    trained: Path, tales_spec: ModelSpec, tmp_path: Path
):
    sample(trained, tales_spec, tmp_path, device="cpu")
    copy = tmp_path / "model"
    shutil.copytree(trained, copy)
    shutil.copy(copy / "final" / "model.safetensors", copy / "steps" / "5")
    with pytest.raises(ModelError, match="sample 2 was drawn from other weights than those in"):
        redraw(copy, tmp_path / "samples.parquet", 2)


def test_a_row_that_somebody_changed_is_not_identical(
    trained_gru: Path, recurrent_spec: Callable[..., ModelSpec], tmp_path: Path
):
    spec = recurrent_spec({"cell": "gru", "layers": [48]}, samples={"count": 1})
    sample(trained_gru, spec, tmp_path, device="cpu")
    path = tmp_path / "samples.parquet"
    table = pq.read_table(path)
    metadata = {**table.schema.metadata, b"torch": b"1.13"}
    changed = table.to_pylist()
    changed[0]["text"] += "!"
    pq.write_table(pa.Table.from_pylist(changed, schema=table.schema.with_metadata(metadata)), path)
    again = redraw(trained_gru, path, 0)
    assert not again.identical
    assert again.unlike == [f"torch 1.13, now {version('torch')}"]


def test_a_prompt_that_does_not_fit_is_told_before_anything_is_drawn(
    trained: Path, make_spec: Callable[..., ModelSpec], tmp_path: Path
):
    """Of the last of many prompts, and by the shortest setting."""
    prompts = [f"Day {day}" for day in range(40)] + ["the drowned tower " * 3]
    settings = [{"name": "long", "max_length": 60}, {"name": "short", "max_length": 12}]
    spec = make_spec(prompts=prompts, settings=settings)
    with pytest.raises(
        ModelError,
        match=r"the prompt 41 of 41, 'the drowned .*' has \d+ tokens, .* within 12 \(max_length 12",
    ):
        sample(trained, spec, tmp_path / "samples")
    assert not (tmp_path / "samples").exists()
    with pytest.raises(ModelError, match=r"within 64 \(max_length 500, the model's context 64\)"):
        sample(
            trained,
            make_spec(prompts=["fox " * 90], settings=[{"max_length": 500}]),
            tmp_path / "samples",
        )


@pytest.mark.parametrize("prompt", [" ", "\n\n \t", "<|endoftext|> Mira", "<BOS> <drama> é 🦊"])
def test_an_odd_prompt_is_text(
    prompt: str, trained: Path, make_spec: Callable[..., ModelSpec], tmp_path: Path
):
    """Of blanks, or spelled like control tokens: read as the characters that it is written in."""
    spec = make_spec(prompts=[prompt], count=2, settings=[{"max_length": 48}])
    sample(trained, spec, tmp_path)
    _, tokenizer = load_trained(trained / "final")
    (ids,) = encode(tokenizer, [prompt])
    assert not {int(token) for token in ids} & set(tokenizer.all_special_ids)
    for row in pq.read_table(tmp_path / "samples.parquet").to_pylist():
        assert row["prompt"] == prompt
        assert row["tokens"] <= 48 - len(ids)


@pytest.mark.slow
def test_a_set_of_ten_thousand_prompts_is_drawn_and_written_piece_by_piece(
    trained_gru: Path, recurrent_spec: Callable[..., ModelSpec], tmp_path: Path
):
    prompts = [f"Day {day}" for day in range(10_000)]
    samples = {"prompts": prompts, "settings": [{"max_length": 12}], "count": 1}
    spec = recurrent_spec({"cell": "gru", "layers": [48]}, samples=samples)
    assert sample(trained_gru, spec, tmp_path, device="cpu")["stories"] == 10_000
    with pq.ParquetFile(tmp_path / "samples.parquet") as file:
        assert file.num_row_groups == 10
        table = file.read(["sample", "prompt"])
    assert table["sample"].to_pylist() == list(range(10_000))
    assert table["prompt"].to_pylist() == prompts
