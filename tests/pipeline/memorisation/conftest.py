"""Models that know their text by heart, and the text they know."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline.model_spec import ModelSpec
from tests.pipeline.clean.texts import prose

STEPS = 150


@dataclass(frozen=True)
class Learned:
    """A model, its spec and its corpus."""

    folder: Path
    spec: ModelSpec
    corpus: Path


def _learned(
    corpus: Path, folder: Path, training: dict[str, object], **sections: object
) -> Learned:
    from pipeline.training import train

    steps = {"steps": STEPS, "batch_size": 4, "block_size": 128, "eval_every": STEPS}
    spec = ModelSpec.model_validate(
        {"name": "heart", "corpus": "tales", "training": steps | training} | sections
    )
    train(spec, corpus, folder, device="cpu")
    return Learned(folder, spec, corpus)


@pytest.fixture(scope="session")
def tale_of_lamps(
    tmp_path_factory: pytest.TempPathFactory, write_corpus: Callable[..., Path]
) -> Path:
    """One long tale to learn by heart; eight others held out, which have no passage of it."""
    held_out = [(prose(90, seed), "wikipedia", None) for seed in range(1, 10)]
    splits = {"train": [(prose(600), "wikipedia", None)]}
    splits |= {"validation": held_out[:1], "test": held_out[1:]}
    return write_corpus(tmp_path_factory.mktemp("corpora") / "lamps", splits)


@pytest.fixture(scope="session")
def by_heart(tale_of_lamps: Path, tmp_path_factory: pytest.TempPathFactory) -> Learned:
    """A GPT-2 that has read the tale of lamps until it knew it."""
    return _learned(
        tale_of_lamps,
        tmp_path_factory.mktemp("models") / "heart",
        {"learning_rate": 0.01},
        preset="gpt2",
        size="nano",
        tokenizer={"vocabulary": 400},
        samples={
            "at_steps": [10],
            "prompts": ["", "The keeper"],
            "settings": [{"name": "greedy", "temperature": 0, "max_length": 120}],
        },
    )
