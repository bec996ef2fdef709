"""What a person may write about a model, and what they are told where it is wrong."""

import math
import subprocess
import sys
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from pipeline.model_spec import PRESETS, ModelSpec, TokenizerSettings
from pipeline.model_spec.training import DEFAULT_STEPS

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
        ({"samples": {"prompts": [" "] * 5}}, "' ' stands 5 times"),
        (
            {"samples": {"prompts": ["Once", "a\0b"]}},
            r"'a\\x00b' has the character U\+0000 at .* 2",
        ),
        ({"samples": {"prompts": ["a\ud83d"]}}, r"the character U\+D83D at place 2.*take it out"),
        ({"samples": {"settings": [{"name": "x"}, {"name": "x"}]}}, "two settings are named 'x'"),
        ({"name": "Not A Slug"}, "name"),
        ({"tokenizer": {"vocabulary": 100}}, "greater than or equal to 257"),
        ({"colour": "red"}, "Extra inputs"),
        ({"training": {"seed": 2**32}}, "less than or equal to 4294967295"),
        ({"training": {"epochs": 1e308}}, "less than or equal to 1000000"),
        ({"training": {"steps": 2**31}}, "less than or equal to 2147483647"),
        ({"training": {"block_size": 10**9}}, "less than or equal to 1048576"),
        ({"training": {"block_size": 64, "stride": 65}}, "stride 65 is longer .* at most 64"),
        ({"size": None, "recurrent": {"cell": "gru", "layers": [10**7]}}, "equal to 16384"),
        ({"training": {"batch_size": 0}}, r"from 1, or auto \(found 0\)"),
        ({"training": {"eval_every": "week"}}, r"from 1, or epoch \(found 'week'\)"),
        ({"preset": "char-gru"}, "size has no part in; leave size out, or .* gpt2 or gpt2-genre"),
        ({"samples": {"seed": 2**63}}, "less than or equal to 4294967295"),
        ({"samples": {"count": 10**9}}, "less than or equal to 10000"),
        ({"samples": {"settings": [{"max_length": 10**9}]}}, "less than or equal to 100000"),
        ({"samples": {"settings": [{"temperature": 1e-40}]}}, "is 0, .* or 0.001 to 100"),
        ({"samples": {"settings": [{"top_p": 1e-50}]}}, "greater than or equal to 0.001"),
        ({"samples": {"settings": [{"repetition_penalty": 1e39}]}}, "less than or equal to 100"),
        ({"samples": {"genres": ["Sci-fi", "sci fi"]}}, "'sci fi' is 'Sci-fi' again.*<sci_fi>"),
        ({"samples": {"genres": ["fable", "fable"]}}, "'fable' stands twice"),
        ({"samples": {"genres": [" -"]}}, "' -' has no letter"),
        ({"tokenizer": {"source": "x", "kind": "words"}}, "leave them out, or source"),
        ({"tokenizer": {"source": "x", "vocabulary": 500}}, "leave them out, or source"),
        ({"tokenizer": {"source": "x", "min_count": 2}}, "leave them out, or source"),
        ({"tokenizer": {"kind": "characters", "min_count": 2}}, "min_count belongs to kind: words"),
        ({"tokenizer": {"revision": "main"}}, "revision belongs to a source"),
        ({"training": {"epochs": math.inf}}, "finite number"),
        ({"training": {"weight_decay": math.nan}}, "finite number"),
        ({"samples": {"settings": [{"temperature": math.inf}]}}, "finite number"),
    ],
)
def test_a_mistake_is_named(changed: dict[str, Any], told: str):
    with pytest.raises(ValidationError, match=told):
        ModelSpec.model_validate(FRESH | changed)


def test_a_preset_stands_below_what_is_written():
    written = {
        "name": "m",
        "corpus": "c",
        "preset": "char-gru",
        "recurrent": {"layers": [16]},
        "training": {"batch_size": 8, "patience": None},
    }
    spec = ModelSpec.model_validate(written)
    assert spec.recurrent is not None
    assert (spec.recurrent.cell, spec.recurrent.embedding) == ("gru", 300)
    assert spec.recurrent.layers == [16]
    assert (spec.training.batch_size, spec.training.patience) == (8, None)
    assert (spec.training.epochs, spec.training.block_size) == (50, 100)
    assert spec.tokenizer.kind == "characters"
    assert [setting.temperature for setting in spec.samples.settings] == [0.5]
    # A list is written whole, or not at all.
    spec = ModelSpec.model_validate(written | {"samples": {"settings": [{"name": "mine"}]}})
    assert [setting.name for setting in spec.samples.settings] == ["mine"]


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_is_valid_and_survives_json(preset: str):
    begun = {} if "recurrent" in PRESETS[preset] else {"size": "nano"}
    spec = ModelSpec.model_validate({"name": "m", "corpus": "c", "preset": preset, **begun})
    assert ModelSpec.model_validate_json(spec.model_dump_json()) == spec


@pytest.mark.parametrize("preset", ["char-lstm", "word-lstm", "char-gru", "char-lstm2"])
@pytest.mark.parametrize("begun", [{"base": "gpt2"}, {"size": "mini"}])
def test_a_recurrent_preset_has_no_other_beginning(preset: str, begun: dict[str, str]):
    with pytest.raises(ValidationError, match=f"preset {preset} is a fresh recurrent model"):
        ModelSpec.model_validate({"name": "m", "corpus": "c", "preset": preset, **begun})


def test_the_ends_of_what_is_allowed_are_allowed():
    settings = [{"name": "cold", "temperature": 0.001}, {"name": "greedy", "temperature": 0}]
    spec = ModelSpec.model_validate(
        FRESH
        | {"training": {"seed": 2**32 - 1, "epochs": 1e6, "block_size": 64, "stride": 64}}
        | {"samples": {"count": 10_000, "seed": 2**32 - 1, "settings": settings}}
    )
    assert [setting.temperature for setting in spec.samples.settings] == [0.001, 0]


def test_who_writes_another_tokenizer_gets_nothing_of_the_presets():
    written = {"name": "m", "corpus": "c", "preset": "word-lstm", "vectors": None}

    def tokenizer(**own: Any) -> TokenizerSettings:
        return ModelSpec.model_validate(written | {"tokenizer": own}).tokenizer

    assert tokenizer() == tokenizer(kind="words") == TokenizerSettings(kind="words", min_count=2)
    assert tokenizer(vocabulary=900).min_count == 2
    assert tokenizer(kind="characters") == TokenizerSettings(kind="characters")
    assert tokenizer(source="x", revision="v1") == TokenizerSettings(source="x", revision="v1")


def test_an_unknown_preset_names_those_there_are():
    with pytest.raises(ValidationError, match="'lstm' is unknown; allowed: gpt2, gpt2-genre, char"):
        ModelSpec.model_validate(FRESH | {"preset": "lstm"})


@pytest.mark.parametrize(
    ("training", "steps", "epochs"),
    [({}, None, 10), ({"steps": 70}, 70, None), ({"epochs": 2}, None, 2)],
)
def test_who_writes_steps_does_not_get_the_presets_epochs(training, steps, epochs):
    spec = ModelSpec.model_validate(FRESH | {"preset": "gpt2-genre", "training": training})
    assert (spec.steps, spec.training.epochs) == (steps, epochs)


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
        ({"training": {"batch_size": 2, "gradient_accumulation": 4}}, False),
        ({"training": {"batch_size": "auto", "gradient_checkpointing": True}}, False),
        ({"training": {"batch_size": 4, "gradient_accumulation": 1}}, True),
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
