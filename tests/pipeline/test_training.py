"""What a training leaves behind, and what it refuses."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from pipeline.corpus import read_split
from pipeline.model_spec import ModelError, ModelSpec
from pipeline.models.initial import load_trained
from pipeline.schema import LOSS, TRAINED_ON
from pipeline.training import train
from pipeline.training.__main__ import main
from pipeline.training.blocks import read_blocks
from pipeline.training.checkpoints import MARKER, complete_checkpoint
from pipeline.training.progress import Progress
from pipeline.training.resume import same_training


def test_the_folder_holds_what_transformers_loads_and_no_pickle(trained: Path):
    there = {path.relative_to(trained).as_posix() for path in trained.rglob("*") if path.is_file()}
    (events,) = (name for name in there if name.startswith("tensorboard/"))
    exported = {"config.json", "generation_config.json", "model.safetensors"}
    exported |= {"tokenizer.json", "tokenizer_config.json"}
    folders = ("final", "steps/5", "steps/20")  # kept, though only one checkpoint was
    assert there == {f"{folder}/{name}" for folder in folders for name in exported} | {
        events,
        "loss.parquet",
        "stories/5.txt",
        "stories/20.txt",
        "trained_on.parquet",
        "training.json",
    }
    for folder in folders:
        model = AutoModelForCausalLM.from_pretrained(trained / folder)
        tokenizer = AutoTokenizer.from_pretrained(trained / folder)
        assert model.config.use_cache
        assert model.config.eos_token_id == tokenizer.eos_token_id
        assert model.config.vocab_size == len(tokenizer)


def test_what_was_read_is_recorded_document_by_document(trained: Path, corpus: Path):
    rows = pq.read_table(trained / "trained_on.parquet")
    assert rows.schema.equals(TRAINED_ON)
    read = [(split, one.doc_id) for split in ("train", "validation")
            for one in read_split(corpus, split)]  # fmt: skip
    assert [(row["split"], row["doc_id"]) for row in rows.to_pylist()] == read


def test_a_corpus_that_is_made_anew_meanwhile_takes_no_record_of_it_along(
    corpus: Path, make_spec: Callable[..., ModelSpec], tmp_path: Path
):
    """A takedown leaves no earlier version of a corpus, and the model has to be marked."""
    lasts = Path(shutil.copytree(corpus, tmp_path / "corpus"))

    def erased(progress: Progress) -> None:
        shutil.rmtree(lasts, ignore_errors=True)

    train(make_spec({"steps": 4}), lasts, tmp_path / "model", report=erased)
    assert not lasts.exists()
    read = pq.read_table(tmp_path / "model/trained_on.parquet")
    assert read.num_rows == 66


def test_the_loss_falls_and_is_recorded(trained: Path):
    table = pq.read_table(trained / "loss.parquet")
    assert table.schema.equals(LOSS)
    rows = table.to_pylist()
    train_rows = [row for row in rows if row["split"] == "train"]
    watched = [row for row in rows if row["split"] == "validation"]
    assert [row["step"] for row in watched] == [0, 10, 20, 30]
    assert train_rows[-1]["step"] == 30
    assert train_rows[-1]["loss"] < train_rows[0]["loss"] - 0.5
    assert watched[-1]["loss"] < watched[0]["loss"] - 0.5
    assert all(row["learning_rate"] is not None for row in train_rows)


def test_its_origin_stands_with_the_model(trained: Path, tales_spec: ModelSpec):
    notes = json.loads((trained / "training.json").read_text("utf-8"))
    assert ModelSpec.model_validate(notes["spec"]) == tales_spec
    assert notes["data_version"] == "v1"
    assert notes["steps"] == 30
    assert notes["tokens_seen"] == 30 * 4 * 64
    assert notes["tokens_per_second"] > 0
    assert notes["peak_memory_bytes"] > 10**8  # torch alone is more
    assert notes["device"]["kind"] == "cpu"
    assert {"torch", "transformers", "tokenizers"} <= set(notes["versions"])


def test_progress_is_reported_as_it_goes(
    corpus: Path, make_spec: Callable[..., ModelSpec], tmp_path: Path
):
    seen: list[Progress] = []
    train(make_spec({"epochs": 1, "steps": None}), corpus, tmp_path, report=seen.append)
    notes = json.loads((tmp_path / "training.json").read_text("utf-8"))
    blocks = notes["corpus_tokens"] // 64
    assert seen[0].step == 0
    assert seen[0].validation_loss is not None
    assert {progress.steps for progress in seen} == {-(-blocks // 4)}  # an epoch of batches of 4
    last = seen[-1]
    assert last.step == last.steps == notes["steps"]
    assert last.seconds_left == 0
    assert last.validation_loss == notes["validation_loss"] < seen[0].validation_loss
    assert f"step {last.step}/{last.steps}" in str(last)


def test_a_loss_that_is_no_number_stops_the_training(
    corpus: Path, make_spec: Callable[..., ModelSpec], tmp_path: Path
):
    spec = make_spec({"learning_rate": 1e30, "log_every": 1, "save_every": 1})
    with pytest.raises(ModelError, match=r"loss at step \d+ is (nan|inf); lower training.learn"):
        train(spec, corpus, tmp_path)
    assert not (tmp_path / "final").exists()


def test_a_corpus_shorter_than_a_block_is_refused(
    corpus: Path, make_spec: Callable[..., ModelSpec], tmp_path: Path
):
    with pytest.raises(
        ModelError, match=r"tokens, less than one block of 500000; write training.bl"
    ):
        train(make_spec({"block_size": 500_000}), corpus, tmp_path)


def test_a_block_longer_than_the_base_attends_to_is_refused(
    corpus: Path, trained: Path, tmp_path: Path
):
    spec = ModelSpec.model_validate(
        {
            "name": "m",
            "corpus": "tales",
            "preset": "gpt2",
            "base": str(trained / "final"),
            "training": {"block_size": 128},
        }
    )
    with pytest.raises(ModelError, match="block_size 128 is longer than the model's context of 64"):
        train(spec, corpus, tmp_path)


def test_a_stride_that_would_leave_text_out_is_refused_where_the_block_is_the_bases(
    corpus: Path, trained: Path
):
    model, tokenizer = load_trained(trained / "final")
    written = {"name": "m", "corpus": "tales", "preset": "gpt2", "base": str(trained / "final")}
    longest, beyond = (
        ModelSpec.model_validate(written | {"training": {"stride": stride}}) for stride in (64, 65)
    )
    assert read_blocks(longest, corpus, model, tokenizer).train.shape[1] == 64
    with pytest.raises(ModelError, match="stride 65 is longer than the block of 64 tokens"):
        read_blocks(beyond, corpus, model, tokenizer)


def test_a_prompt_that_leaves_no_room_is_refused_before_the_first_step(
    corpus: Path, make_spec: Callable[..., ModelSpec], tmp_path: Path
):
    seen: list[Progress] = []
    with pytest.raises(ModelError, match=r"'mill mill.*leaves no room for a story within 64"):
        train(make_spec(prompts=["mill " * 99]), corpus, tmp_path, report=seen.append)
    assert seen == []


def test_a_base_is_tuned_further(corpus: Path, trained: Path, tmp_path: Path):
    spec = ModelSpec.model_validate(
        {
            "name": "m",
            "corpus": "tales",
            "preset": "gpt2",
            "base": str(trained / "final"),
            "training": {"steps": 10, "batch_size": 4, "learning_rate": 1e-3},
        }
    )
    figures = train(spec, corpus, tmp_path)
    before = json.loads((trained / "training.json").read_text("utf-8"))
    assert figures["validation_loss"] < before["validation_loss"]


def reached(resume: Path, step: int) -> None:
    """A complete checkpoint, as far as it is looked at before it is loaded."""
    checkpoint = resume / f"checkpoint-{step}"
    checkpoint.mkdir()
    complete_checkpoint(resume, step, 1.0, limit=1)


def test_checkpoints_of_another_training_are_not_taken_for_its_own(
    corpus: Path, make_spec: Callable[..., ModelSpec], tmp_path: Path
):
    note = tmp_path / "resume" / "training.json"
    note.parent.mkdir()
    note.write_text(json.dumps({"inputs": {"size": "mini"}, "data_version": None}))
    reached(note.parent, 7)
    with pytest.raises(ModelError, match="another configuration, base or corpus; delete it"):
        train(make_spec(), corpus, tmp_path)


def test_checkpoints_of_a_base_that_was_replaced_are_not_gone_on_with(corpus: Path, tmp_path: Path):
    base = tmp_path / "base"
    base.mkdir()
    (base / "model.safetensors").write_bytes(b"one")
    spec = ModelSpec(name="m", corpus="tales", preset="gpt2", base=str(base))
    same_training(tmp_path / "resume", spec, corpus, "v1")
    reached(tmp_path / "resume", 7)
    same_training(tmp_path / "resume", spec, corpus, "v1")
    (base / "model.safetensors").write_bytes(b"two")
    with pytest.raises(ModelError, match="another configuration, base or corpus"):
        same_training(tmp_path / "resume", spec, corpus, "v1")


def test_a_training_that_got_nowhere_does_not_stand_in_the_way_of_a_mended_one(
    corpus: Path, make_spec: Callable[..., ModelSpec], tmp_path: Path
):
    with pytest.raises(ModelError, match="less than one block of 500000"):
        train(make_spec({"block_size": 500_000}), corpus, tmp_path)
    assert train(make_spec({"steps": 2}), corpus, tmp_path)["steps"] == 2


def test_the_command_line_answers_bad_input_in_one_line(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    spec = tmp_path / "spec.json"
    spec.write_text('{"name": "m", "corpus": "c", "preset": "gpt2", "size": "huge"}')
    assert main(["--spec", str(spec), "--corpus", str(corpus), "--folder", str(tmp_path)]) == 2
    assert "'huge' is unknown; allowed: nano" in capsys.readouterr().err
    spec.write_text('{"name": "m", "corpus": "c", "preset": "gpt2", "size": "nano"}')
    missing = tmp_path / "no-corpus"
    assert main(["--spec", str(spec), "--corpus", str(missing), "--folder", str(tmp_path)]) == 2
    assert str(missing) in capsys.readouterr().err


def test_a_run_after_the_end_trains_anew_to_the_same_weights(
    corpus: Path, trained: Path, tales_spec: ModelSpec, tmp_path: Path
):
    copy = tmp_path / "copy"
    shutil.copytree(trained, copy)
    train(tales_spec, corpus, copy, device="cpu", data_version="v1")
    for name in ("final", "steps/20"):
        weights = f"{name}/model.safetensors"
        assert (copy / weights).read_bytes() == (trained / weights).read_bytes()
    assert not list(copy.rglob(MARKER))
