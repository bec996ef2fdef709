"""docs/recipes.md and docs/train-on-a-gpu.md as written: YAML, tables of settings, commands."""

import re
import shlex
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import typer.main
import yaml

from dagster_project.cli import app
from dagster_project.registry import Registry, load_registry
from pipeline.model_spec import PRESETS, ModelSpec

ROOT = Path(__file__).parents[1]
RECIPES = (ROOT / "docs" / "recipes.md").read_text("utf-8")
GPU = (ROOT / "docs" / "train-on-a-gpu.md").read_text("utf-8")
_STAGES = (
    *("corpus", "index", "model", "samples", "perplexity"),
    *("quality", "memorisation", "report", "models"),
)
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SETTING = re.compile(r"`([a-z_]+(?:\.[a-z_0-9]+)*): ([^`]+)`")


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry(ROOT / "corpora")


def blocks(kind: str) -> list[str]:
    return [text for found, text in _BLOCK.findall(RECIPES + GPU) if found == kind]


def test_every_yaml_of_the_pages_is_valid(tmp_path: Path) -> None:
    fresh = {"name": "m", "corpus": "c", "preset": "gpt2", "base": "openai-community/gpt2"}
    for number, block in enumerate(blocks("yaml")):
        whole = block.startswith(("type:", "# corpora/"))
        if not whole:  # a few keys of a model
            ModelSpec.model_validate(fresh | yaml.safe_load(block))
            continue
        named = re.match(r"# corpora/(\w+)/defs.yaml\n", block)
        folder = tmp_path / (named[1] if named else f"block{number}")
        folder.mkdir()
        (folder / "defs.yaml").write_text(block, "utf-8")
        for document in yaml.safe_load_all(block):  # as `dg check yaml` holds it to the schema
            if document["type"].endswith("StoryModel"):
                jsonschema.validate(document["attributes"], ModelSpec.model_json_schema())
    for name in ("batman", "pokemon"):  # the corpora that the blocks are trained on
        (tmp_path / name).symlink_to(ROOT / "corpora" / name)
    models = load_registry(tmp_path).models
    assert {"batman-quick-lstm", "batman-glove-lstm", "my-series-char-gru"} <= set(models)


@pytest.mark.parametrize(
    "recipe",
    [
        "batman-char-lstm",
        "batman-word-lstm",
        "batman-gpt2",
        "pokemon-gpt2",
        "movies-gpt2-genre",
        "oz-char-gru",
        "shakespeare-char-lstm2",
    ],
)
def test_the_settings_of_a_table_are_those_in_force(registry: Registry, recipe: str) -> None:
    of_recipe = re.search(rf"`{recipe}`\]\(#([\w-]+)\)", RECIPES)
    assert of_recipe is not None, f"{recipe} has no row in the first table"
    sections = {
        re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-"): text
        for heading, _, text in (part.partition("\n") for part in RECIPES.split("\n## ")[1:])
    }
    section = sections[of_recipe[1]]
    assert f"""'+key:"{recipe}/report"'""" in section
    rows = re.findall(r"^\|.*\|.*\|(.*)\|$", section, re.MULTILINE)
    told = [setting for row in rows for setting in _SETTING.findall(row)]
    assert len(told) >= 5
    spec = registry.models[recipe]
    for key, value in told:
        assert _value(spec, key) == yaml.safe_load(value), key


def _value(spec: ModelSpec, key: str) -> Any:
    found: Any = spec
    for part in key.split("."):
        found = found[int(part)] if part.isdecimal() else getattr(found, part)
    return float(found) if isinstance(found, float) else found


def test_every_preset_and_every_model_that_is_named_exists(registry: Registry) -> None:
    table = re.findall(r"^\| \[`([\w-]+)`\]\S+ \| `(\S+)` \| `(\S+)` \|", RECIPES, re.MULTILINE)
    assert {preset for _, _, preset in table} == set(PRESETS)
    for name, corpus, preset in table:
        assert (registry.models[name].corpus, registry.models[name].preset) == (corpus, preset)


def test_every_command_is_one() -> None:
    group = typer.main.get_command(app)
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    loremill = [shlex.split(line, comments=True) for line in lines if line.startswith("loremill")]
    assert len(loremill) > 3
    for _, name, *arguments in loremill:
        command = group.get_command(None, name)  # type: ignore[attr-defined]
        assert command is not None, name
        command.make_context(name, arguments)  # raises where it knows an option not


def test_every_key_that_is_launched_is_an_asset(registry: Registry) -> None:
    known = {*registry.models, *registry.corpora, *registry.franchises, "my-series-char-gru"}
    keys = re.findall(r"""'\+?key:"([\w-]+)/(\w+)"'""", RECIPES + GPU)
    assert len(keys) > 8
    for name, stage in keys:
        assert name in known, name
        assert stage in _STAGES, stage


def test_every_variable_of_the_page_is_read() -> None:
    rooms = [
        path for room in ("dagster_project", "pipeline") for path in (ROOT / room).rglob("*.py")
    ]
    source = "\n".join(path.read_text("utf-8") for path in rooms)
    named = set(re.findall(r"`((?:LOREMILL|RAY)_[A-Z_]+)`", GPU))
    assert len(named) > 5
    assert [name for name in named if f'"{name}"' not in source] == []
