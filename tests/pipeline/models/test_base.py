"""A base is its content, wherever it lies."""

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.model_spec import ModelSpec
from pipeline.models.base import base_version

FILES = ("config.json", "model.safetensors", "tokenizer.json", "merges.txt")


def based_on(base: str | Path, revision: str | None = None) -> ModelSpec:
    return ModelSpec(name="m", corpus="c", preset="gpt2", base=str(base), revision=revision)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    folder = tmp_path / "base"
    folder.mkdir()
    for name in FILES:
        (folder / name).write_text(f"content of {name}")
    return folder


@pytest.mark.parametrize("name", FILES)
def test_a_replaced_file_is_another_base(base: Path, name: str) -> None:
    before = base_version(based_on(base))
    (base / name).write_text("replaced by others")
    assert base_version(based_on(base)) != before


def test_a_moved_or_described_base_is_the_same(base: Path) -> None:
    before = base_version(based_on(base))
    (base / "README.md").write_text("A base.")
    assert base_version(based_on(base.rename(base.with_name("moved")))) == before


def test_a_hub_base_is_its_revision_and_a_fresh_model_none() -> None:
    assert base_version(based_on("openai-community/gpt2", "607a30d")) == "607a30d"
    assert base_version(based_on("openai-community/gpt2")) is None
    assert base_version(ModelSpec(name="m", corpus="c", preset="gpt2", size="nano")) is None


def test_replaced_word_vectors_or_tokenizer_are_another_beginning(base: Path) -> None:
    words = base / "words.txt"
    words.write_text("lamp 0.5 0.25")
    recurrent = ModelSpec(name="m", corpus="c", preset="word-lstm", vectors={"file": str(words)})
    fresh = ModelSpec(
        name="m", corpus="c", preset="gpt2", size="nano", tokenizer={"source": str(base)}
    )
    before = base_version(recurrent), base_version(fresh)
    words.write_text("lamp 0.5 0.75")
    after = base_version(recurrent), base_version(fresh)
    assert None not in before
    assert after[0] != before[0]
    assert after[1] != before[1]  # the words lie in the tokenizer's folder


def test_it_costs_no_torch() -> None:
    code = "import sys, pipeline.models.base; print({'torch', 'transformers'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
