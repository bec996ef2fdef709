"""What a person may write about a model, and what they are told where it is wrong."""

import math
import subprocess
import sys
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from pipeline.model_spec import DEFAULT_STEPS, ModelSpec

FRESH: dict[str, Any] = {"name": "m", "corpus": "c", "preset": "gpt2", "size": "mini"}


def test_the_example_of_the_plan_is_valid():
    spec = ModelSpec.model_validate(
        yaml.safe_load("""
            name: batman-gpt2
            corpus: batman
            preset: gpt2
            base: openai-community/gpt2
            samples:
              at_steps: [400, 800, 1600]
              prompts: ["Batman storms into the warehouse", "The Joker laughs"]
        """)
    )
    assert spec.steps == DEFAULT_STEPS
    assert spec.learning_rate == 5e-5
    assert spec.samples.at_steps == [400, 800, 1600]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"base": "gpt2"}, "exactly one of base"),
        ({"size": None}, "exactly one of base"),
        ({"size": "huge"}, "'huge' is unknown; allowed: nano, tiny, mini"),
        ({"size": None, "base": "gpt2", "tokenizer": {"vocabulary": 500}}, "a base brings its own"),
        ({"revision": "main"}, "revision belongs to a base"),
        ({"training": {"steps": 3, "epochs": 1}}, "steps or epochs, not both"),
        ({"training": {"steps": 100}, "samples": {"at_steps": [50, 200]}}, "ends at step 100"),
        ({"samples": {"prompts": ["a", "a"]}}, "'a' stands twice"),
        ({"samples": {"settings": [{"name": "x"}, {"name": "x"}]}}, "two settings are named 'x'"),
        ({"name": "Not A Slug"}, "name"),
        ({"tokenizer": {"vocabulary": 100}}, "greater than or equal to 257"),
        ({"colour": "red"}, "Extra inputs"),
        ({"training": {"epochs": math.inf}}, "finite number"),
        ({"training": {"weight_decay": math.nan}}, "finite number"),
        ({"samples": {"settings": [{"temperature": math.inf}]}}, "finite number"),
    ],
)
def test_a_mistake_is_named(changed: dict[str, Any], told: str):
    with pytest.raises(ValidationError, match=told):
        ModelSpec.model_validate(FRESH | changed)


def test_with_epochs_the_corpus_decides_on_the_steps():
    spec = ModelSpec.model_validate(
        FRESH | {"training": {"epochs": 2}, "samples": {"at_steps": [9000]}}
    )
    assert spec.steps is None


def test_the_spec_survives_json():
    spec = ModelSpec.model_validate(FRESH)
    assert ModelSpec.model_validate_json(spec.model_dump_json()) == spec


@pytest.mark.parametrize(
    ("changed", "trains_anew"),
    [
        ({"samples": {"prompts": ["Once"], "count": 9}}, False),
        ({"training": {"save_every": 5, "save_total_limit": 1}}, False),
        ({"samples": {"at_steps": [7]}}, True),
        ({"training": {"seed": 1}}, True),
        ({"tokenizer": {"vocabulary": 999}}, True),
    ],
)
def test_only_what_decides_the_model_asks_for_a_new_training(
    changed: dict[str, Any], trains_anew: bool
):
    before = ModelSpec.model_validate(FRESH).model_inputs()
    after = ModelSpec.model_validate(FRESH | changed).model_inputs()
    assert (before != after) == trains_anew


def test_the_spec_costs_no_torch():
    code = "import sys, pipeline.model_spec; print({'torch', 'transformers'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
