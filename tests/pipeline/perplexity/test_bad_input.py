"""What cannot be measured is no figure, and leaves nothing behind; what is short has one."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from pipeline.corpus import ManifestError, read_split
from pipeline.model_spec import ModelError, ModelSpec
from pipeline.perplexity import score


def rest(corpus: Path) -> list[tuple[str, str, str | None]]:
    return [(document.text, "wikipedia", None) for document in read_split(corpus, "train")]


def test_a_text_shorter_than_a_window_has_a_figure_and_a_single_work_no_interval(
    trained: Path,
    tales_spec: ModelSpec,
    corpus: Path,
    write_corpus: Callable[..., Path],
    tmp_path: Path,
):
    one = [("The bell rang twice.", "wikipedia", None)]
    short = write_corpus(tmp_path / "corpus", {"train": rest(corpus), "test": one})
    figures = score(trained, tales_spec, short, tmp_path / "scores")
    assert (figures["works"], figures["bytes"]) == (1, 20)
    assert 0 < figures["bits_per_byte"] < figures["bits_per_byte_initial"]
    assert figures["interval"] == {"low": None, "high": None}
    assert figures["difference"]["initial"]["high"] is None
    assert figures["gap"]["low"] is None


def test_a_text_without_a_byte_is_empty(
    trained: Path,
    tales_spec: ModelSpec,
    corpus: Path,
    write_corpus: Callable[..., Path],
    tmp_path: Path,
):
    blank = [("", "wikipedia", None)]
    empty = write_corpus(tmp_path / "corpus", {"train": rest(corpus), "test": blank})
    with pytest.raises(ModelError, match=r"the test split of .* is empty"):
        score(trained, tales_spec, empty, tmp_path / "scores")
    assert not (tmp_path / "scores").exists()


def test_a_model_whose_weights_are_no_numbers_has_no_figure(
    trained: Path, tales_spec: ModelSpec, corpus: Path, tmp_path: Path
):
    shutil.copytree(trained, tmp_path / "model")
    file = tmp_path / "model" / "final" / "model.safetensors"
    weights = load_file(file)
    weights["transformer.ln_f.bias"].fill_(float("nan"))
    save_file(weights, file, {"format": "pt"})
    with pytest.raises(ModelError, match="not finite; its training failed"):
        score(tmp_path / "model", tales_spec, corpus, tmp_path / "scores")
    assert not (tmp_path / "scores").exists()


def test_a_split_that_was_changed_has_no_figure(
    trained: Path, tales_spec: ModelSpec, corpus: Path, tmp_path: Path
):
    shutil.copytree(corpus, tmp_path / "corpus")
    text = tmp_path / "corpus" / "test.txt"
    text.write_text(text.read_text().replace("mill", "tomb", 1))
    with pytest.raises(ManifestError, match="changed after the corpus was built"):
        score(trained, tales_spec, tmp_path / "corpus", tmp_path / "scores")
    assert not (tmp_path / "scores").exists()


def test_a_measurement_that_is_interrupted_leaves_nothing(
    trained: Path, tales_spec: ModelSpec, corpus: Path, tmp_path: Path
):
    def stop(scorer: str, documents: int) -> None:
        if scorer == "ngram":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score(trained, tales_spec, corpus, tmp_path / "scores", report=stop)
    assert not (tmp_path / "scores").exists()
