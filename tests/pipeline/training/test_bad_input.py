"""What cannot be trained: one clear error each, before anything is lost."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from transformers import AutoModelForCausalLM, AutoTokenizer

from pipeline.model_spec import ModelError, ModelSpec
from pipeline.training import train
from pipeline.training.progress import Progress

Make = Callable[..., ModelSpec]
Write = Callable[[Path, dict[str, Any]], Path]

_THREE_LINES = [
    ("The ferryman sold his oars and waited.", "gutenberg", None),
    ("A fox learned the names of the winds.", "gutenberg", None),
    ("Nobody came back for the bell.", "gutenberg", None),
]


@pytest.mark.parametrize("kind", ["gpt2", "lstm"])
def test_three_lines_are_less_than_a_block_and_the_longest_that_fits_is_said(
    kind: str, of_kind: Make, write_corpus: Write, tmp_path: Path
):
    corpus = write_corpus(tmp_path / "three", {"train": _THREE_LINES})
    with pytest.raises(ModelError) as refused:
        train(of_kind(kind, block_size=512), corpus, tmp_path / "model", device="cpu")
    found = str(refused.value).split("write training.block_size: ")
    assert found[0].endswith("tokens, less than one block of 512; ")
    fits = int(found[1].split(",")[0])
    assert f"has {fits} tokens" in found[0]
    figures = train(
        of_kind(kind, block_size=fits, steps=2), corpus, tmp_path / "model", device="cpu"
    )
    assert figures["block_size"] == fits
    with pytest.raises(ModelError, match=f"less than one block of {fits + 1}; write"):
        train(of_kind(kind, block_size=fits + 1), corpus, tmp_path / "other", device="cpu")


def test_a_word_or_two_fill_no_block_at_all(of_kind: Make, write_corpus: Write, tmp_path: Path):
    corpus = write_corpus(tmp_path / "word", {"train": [("Mira", "gutenberg", None)]})
    with pytest.raises(ModelError, match=r"has \d tokens, less than one block of 32; add text$"):
        train(of_kind("lstm"), corpus, tmp_path / "model", device="cpu")


@pytest.mark.parametrize("train_split", [[], [(" \n ", "gutenberg", None)]])
def test_a_corpus_without_text_to_learn_from_is_refused(
    train_split: list[Any], of_kind: Make, write_corpus: Write, tmp_path: Path
):
    corpus = write_corpus(
        tmp_path / "none", {"train": train_split, "test": [("A mill turned.", "gutenberg", None)]}
    )
    with pytest.raises(ModelError, match="the train split of .*none is empty; add text"):
        train(of_kind("gpt2"), corpus, tmp_path / "model", device="cpu")


@pytest.mark.parametrize("kind", ["gpt2", "lstm"])
def test_a_genre_that_no_story_has_is_refused_before_the_first_step(
    kind: str, of_kind: Make, corpus: Path, tmp_path: Path
):
    asked = {"genres": ["western"]}
    spec = of_kind(kind).model_dump() | {"samples": asked}
    seen: list[Progress] = []
    with pytest.raises(ModelError, match="genre 'western' is not in the model's vocabulary; it kn"):
        train(ModelSpec.model_validate(spec), corpus, tmp_path, device="cpu", report=seen.append)
    assert seen == []


def test_an_empty_genre_is_refused_when_it_is_written(of_kind: Make):
    spec = of_kind("gpt2").model_dump() | {"samples": {"genres": [" "]}}
    with pytest.raises(ValidationError, match="has no letter; name it as the corpus does"):
        ModelSpec.model_validate(spec)


def test_a_gradient_that_is_no_number_stops_the_training_while_the_loss_still_is_one(
    corpus: Path, trained: Path, tmp_path: Path
):
    """The squares of such a base's gradients are more than a float32 holds."""
    base = overflowing(trained / "final", tmp_path / "base")
    spec = ModelSpec.model_validate(
        {
            "name": "tales",
            "corpus": "tales",
            "preset": "gpt2",
            "base": str(base),
            "training": {"steps": 8, "batch_size": 4, "save_every": 1, "precision": "fp32"},
        }
    )
    with pytest.raises(ModelError) as stopped:
        train(spec, corpus, tmp_path / "model", device="cpu")
    said = str(stopped.value)
    assert "the length of the gradient at step 1 is inf; lower training.learning_rate" in said
    assert "(it was 5e-05) or raise training.warmup_fraction" in said
    assert not list((tmp_path / "model").rglob("model.safetensors"))


def overflowing(base: Path, folder: Path) -> Path:
    """The same model to the eye: what one layer makes tiny the next makes large again."""
    model = AutoModelForCausalLM.from_pretrained(base)
    with torch.no_grad():
        model.lm_head.weight = torch.nn.Parameter(model.transformer.wte.weight * 1e25)
        for weight in model.transformer.ln_f.parameters():
            weight.mul_(1e-25)
    model.config.tie_word_embeddings = False
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(base).save_pretrained(folder)
    return folder


def test_a_folder_that_cannot_be_written_is_told(of_kind: Make, corpus: Path, tmp_path: Path):
    """Read-only for root as well: a file system of its own."""
    spec = tmp_path / "spec.json"
    spec.write_text(of_kind("gpt2", steps=2).model_dump_json())
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = f"mount -t tmpfs -o ro none {disk}"
    tried = subprocess.run(["unshare", "-rm", "sh", "-c", mount], capture_output=True, text=True)
    if tried.returncode:
        pytest.skip(f"no mount namespace of one's own here: {tried.stderr}")
    command = f"{sys.executable} -m pipeline.training --spec {spec} --corpus {corpus}"
    command = f"{mount} && {command} --folder {disk}/model --device cpu"
    ended = subprocess.run(["unshare", "-rm", "sh", "-c", command], capture_output=True, text=True)
    assert ended.returncode == 2, ended.stderr
    assert f"error: {disk}/model/resume: cannot be written (" in ended.stderr
    assert "Read-only file system" in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1
