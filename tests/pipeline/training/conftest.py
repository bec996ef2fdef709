"""The two kinds of model that one Trainer serves, as small as they go."""

from collections.abc import Callable
from typing import Any

import pytest

from pipeline.model_spec import ModelSpec

KINDS: dict[str, dict[str, Any]] = {
    "gpt2": {"size": "nano", "tokenizer": {"vocabulary": 300}},
    "lstm": {
        "recurrent": {"cell": "lstm", "embedding": 16, "layers": [32]},
        "tokenizer": {"kind": "characters"},
    },
}


@pytest.fixture(scope="session")
def of_kind() -> Callable[..., ModelSpec]:
    """A spec of a kind of model with these settings of `training`."""

    def make(kind: str, **training: Any) -> ModelSpec:
        settings = {"steps": 8, "batch_size": 4, "block_size": 32, "learning_rate": 0.01}
        return ModelSpec.model_validate(
            {
                "name": "tales",
                "corpus": "tales",
                "preset": "gpt2",
                **KINDS[kind],
                "training": settings | training,
            }
        )

    return make
