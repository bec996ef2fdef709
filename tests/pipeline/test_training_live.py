"""What can be seen of a training while it goes on, and that looking changes nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tensorboard.backend.event_processing.plugin_event_accumulator import EventAccumulator
from tensorboard.util.tensor_util import make_ndarray

from pipeline.model_spec import ModelSpec, SampleSettings
from pipeline.reports.text import plain
from pipeline.sampling import sample
from pipeline.training import train
from pipeline.training.curves import Curves
from pipeline.training.progress import Progress, loss_table
from pipeline.training.stories import MOST, Told, first_requests

#: Of everything that a CPU of unknown peak has.
_CURVES = {
    "loss/training",
    "loss/held_out",
    "bits_per_byte/held_out",
    "training/learning_rate",
    "training/memory_bytes",
    "speed/tokens_per_second",
}


def _events(folder: Path) -> EventAccumulator:
    """What TensorBoard itself reads there, and what it hides left out."""
    events = EventAccumulator(str(folder / "tensorboard"))
    events.Reload()
    return events


def _curve(events: EventAccumulator, name: str) -> list[tuple[int, float]]:
    """(step, value) of each point."""
    return [(one.step, make_ndarray(one.tensor_proto).item()) for one in events.Tensors(name)]


def _texts(events: EventAccumulator, name: str) -> list[str]:
    found = events.Tensors(f"{name}/text_summary")
    return [make_ndarray(event.tensor_proto)[0].decode() for event in found]


def _final(folder: Path) -> bytes:
    return (folder / "final/model.safetensors").read_bytes()


def test_stories_on_the_way_leave_the_weights_as_they_are_without(
    corpus: Path, make_spec: Callable[..., ModelSpec], tmp_path: Path
):
    settings = {"steps": 8, "dropout": 0.2}
    train(make_spec(settings, at_steps=[3, 6]), corpus, tmp_path / "with", device="cpu")
    train(make_spec(settings), corpus, tmp_path / "without", device="cpu")
    assert sorted(path.name for path in (tmp_path / "with/stories").iterdir()) == ["3.txt", "6.txt"]
    assert not (tmp_path / "without/stories").exists()
    assert _final(tmp_path / "with") == _final(tmp_path / "without")


def test_a_story_on_the_way_is_the_one_of_the_sample_set(
    trained: Path, tales_spec: ModelSpec, tmp_path: Path
):
    sample(trained, tales_spec, tmp_path, device="cpu")
    rows = pq.read_table(tmp_path / "samples.parquet").to_pylist()
    for step in (5, 20):
        told = (trained / f"stories/{step}.txt").read_text("utf-8")
        texts = _texts(_events(trained), "stories/1")
        assert len(texts) == 2
        for index, prompt in enumerate(tales_spec.samples.prompts):
            first = next(
                row["text"]
                for row in rows
                if (row["step"], row["prompt_index"]) == (step, index)
            )  # fmt: skip
            assert plain(f"{prompt}{first}").strip() in told
        assert told.count("## ") == 2  # one a prompt, though the set has more


def test_the_curves_of_a_resumed_training_are_those_of_one_that_was_never_killed(
    corpus: Path, make_spec: Callable[..., ModelSpec], tmp_path: Path
):
    spec = make_spec({"steps": 20, "save_every": 8, "log_every": 2, "eval_every": 5}, at_steps=[9])

    class KilledError(Exception):
        pass

    def kill(progress: Progress) -> None:
        if progress.step == 14:
            raise KilledError

    with pytest.raises(KilledError):
        train(spec, corpus, tmp_path / "killed", device="cpu", report=kill)
    before = _events(tmp_path / "killed")
    assert max(_curve(before, "loss/training"))[0] > 8  # to be hidden: the checkpoint is of step 8
    told: list[str] = []
    train(spec, corpus, tmp_path / "killed", device="cpu", tell=told.append)
    train(spec, corpus, tmp_path / "whole", device="cpu")
    killed, whole = _events(tmp_path / "killed"), _events(tmp_path / "whole")
    assert set(killed.Tags()["tensors"]) >= _CURVES
    for name in _CURVES:
        steps = [[step for step, _ in _curve(events, name)] for events in (killed, whole)]
        assert steps[0] == steps[1]
    for name in ("loss/training", "bits_per_byte/held_out"):
        assert _curve(killed, name) == _curve(whole, name)
    assert _texts(killed, "stories/1") == _texts(whole, "stories/1")
    assert len(_texts(killed, "stories/1")) == 1
    path = tmp_path / "killed/stories/9.txt"
    assert [line for line in told if "stories" in line] == [
        f"step 9: 1 story to read in {path} and in TensorBoard"
    ]


def test_a_training_anew_leaves_no_curve_of_the_one_before(tmp_path: Path):
    for value in (1.0, 2.0):
        curves = Curves(tmp_path, after=0)
        curves.add(5, {"loss": value})
        curves.close()
    assert _curve(_events(tmp_path), "loss/training") == [(5, 2.0)]


def test_a_story_is_shown_as_text_and_not_as_markup(tmp_path: Path):
    curves = Curves(tmp_path, after=0)
    hostile = "![x](http://evil.example/x.png) <img src=x>\n# no heading\x1b[0m" + " word" * 2000
    curves.tell(3, [Told("a *prompt*", hostile)])
    curves.close()
    (text,) = _texts(_events(tmp_path), "stories/1")
    body = text.removeprefix("**").replace("**\n\n", "")
    assert not set("![](<>*_`\x1b") & set(body.replace("&#", ""))
    assert len(text) < 6000
    assert text.endswith(" …")


def test_a_row_has_what_was_measured_and_progress_the_last_of_each(
    corpus: Path, make_spec: Callable[..., ModelSpec], tmp_path: Path
):
    seen: list[Progress] = []
    train(make_spec({"steps": 12, "eval_every": 6, "log_every": 4}), corpus, tmp_path,
          device="cpu", report=seen.append)  # fmt: skip
    rows = pq.read_table(tmp_path / "loss.parquet").to_pylist()
    assert len(rows) == len(seen)
    for row, progress in zip(rows, seen, strict=True):
        assert progress.step == row["step"]
        assert progress.looked == (row["split"] == "validation")
        assert row["memory_bytes"] > 10**8
        if row["split"] == "train":
            assert progress.tokens_per_second == row["tokens_per_second"] > 0
            assert progress.loss == row["loss"]
        else:
            assert progress.bits_per_byte == row["bits_per_byte"] > 0
    assert seen[0].looked
    assert seen[0].loss is None
    assert seen[-1].looked
    assert seen[-1].loss == seen[-2].loss
    assert seen[-1].learning_rate == seen[-2].learning_rate


def test_a_log_without_bits_per_byte_has_none_in_its_rows():
    row: dict[str, Any] = {"step": 3, "loss": 2.5, "learning_rate": 0.1, "seconds": 4.0}
    (read,) = loss_table([row, {"step": 3, "train_runtime": 1.0}]).to_pylist()
    assert (read["bits_per_byte"], read["mfu"], read["seconds"]) == (None, None, 4.0)


def test_a_training_tells_a_few_of_ten_thousand_prompts():
    settings = SampleSettings(prompts=[f"Day {day}" for day in range(10_000)], genres=["a", "b"])
    told = first_requests(settings)
    assert len(told) == MOST
    assert [(one.prompt, one.genre) for one in told[:3]] == [
        ("Day 0", "a"), ("Day 0", "b"), ("Day 1", "a"),
    ]  # fmt: skip
