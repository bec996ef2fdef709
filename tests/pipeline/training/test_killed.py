"""A training that is killed at its worst moments and run again ends with the same bits."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipeline.corpus import read_split
from pipeline.model_spec import ModelSpec
from pipeline.training import train
from pipeline.training.checkpoints import newest_checkpoint
from pipeline.training.progress import Progress
from tests.killed_training import train_and_die

#: Of a split: (text, source, genre) of each document.
Documents = list[tuple[str, str, str | None]]

#: Dropout, accumulation, overlapping blocks and an early end, since a model of a few stories soon
#: knows them by heart; what is kept is not what came last.
SETTINGS: dict[str, Any] = {
    "steps": 200,
    "batch_size": 4,
    "gradient_accumulation": 2,
    "dropout": 0.1,
    "schedule": "constant",
    "log_every": 3,
    "eval_every": 4,
    "save_every": 5,
    "save_total_limit": 1,
    "patience": 2,
}
MODELS: dict[str, dict[str, Any]] = {
    "gpt2": {
        "size": "nano",
        "tokenizer": {"vocabulary": 300},
        "training": SETTINGS | {"block_size": 64, "stride": 40, "learning_rate": 0.01},
    },
    "lstm": {
        "recurrent": {"cell": "lstm", "embedding": 16, "layers": [32, 32]},
        "tokenizer": {"kind": "characters"},
        "training": SETTINGS
        | {"block_size": 32, "stride": 20, "optimizer": "rmsprop", "learning_rate": 0.02},
    },
}


@pytest.fixture(scope="module", params=MODELS)
def spec(request: pytest.FixtureRequest) -> ModelSpec:
    return ModelSpec.model_validate(
        {
            "name": "tales",
            "corpus": "tales",
            "preset": "gpt2",
            **MODELS[request.param],
            "samples": {"at_steps": [3, 7], "settings": [{"max_length": 24}], "count": 1},
        }
    )


@pytest.fixture(scope="module")
def few(
    write_corpus: Callable[[Path, dict[str, Documents]], Path],
    corpus: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    splits = {
        split: [(one.text, one.source, one.genre) for one in read_split(corpus, split)][:6]
        for split in ("train", "validation")
    }
    return write_corpus(tmp_path_factory.mktemp("corpora") / "few", splits)


@pytest.fixture(scope="module")
def undisturbed(
    few: Path, spec: ModelSpec, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("undisturbed")
    return folder, train(spec, few, folder, device="cpu")


@pytest.mark.slow
def test_killed_again_and_again_it_ends_with_the_same_bits(
    few: Path, spec: ModelSpec, undisturbed: tuple[Path, dict[str, Any]], tmp_path: Path
):
    whole, figures = undisturbed
    assert 8 < figures["best_step"] < figures["steps"] < 200
    reached = 0
    # The fourth look is after 12 steps. A checkpoint's second file is the fifth that is saved where
    # one holds three. What the killed run left half is deleted first, and then the oldest.
    for moment, call in {"look": 4, "checkpoint": 5, "rotation": 2, "export": 1}.items():
        assert train_and_die(spec, few, tmp_path, moment, call) == -9, moment
        assert not (tmp_path / "final").exists()
        newest = newest_checkpoint(tmp_path / "resume")
        assert newest is not None
        assert newest.step >= reached
        reached = newest.step
    assert 10 <= reached < figures["steps"]
    seen: list[Progress] = []
    again = train(spec, few, tmp_path, device="cpu", report=seen.append)
    assert seen[0].step > reached  # it went on
    assert again["best_step"] == figures["best_step"]
    assert_same(tmp_path, whole)


def assert_same(one: Path, other: Path) -> None:
    for name in ("final", "steps/3", "steps/7"):
        weights = f"{name}/model.safetensors"
        assert (one / weights).read_bytes() == (other / weights).read_bytes(), name
    columns = ["step", "split", "loss", "bits_per_byte", "learning_rate"]
    tables = [pq.read_table(folder / "loss.parquet").select(columns) for folder in (one, other)]
    assert tables[0].equals(tables[1])
    for story in ("3.txt", "7.txt"):
        assert (one / "stories" / story).read_bytes() == (other / "stories" / story).read_bytes()
    assert {path.name for path in one.iterdir()} == {path.name for path in other.iterdir()}
