"""docs/corpora.md tried as written: its YAML, layouts, commands and Python, and what it shows."""

import re
import shlex
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import datasets
import pytest
import typer
import yaml
from pydantic import BaseModel
from typer.testing import CliRunner

from crawlers.franchise import corpora_folder
from dagster_project.cli import COMMANDS, app
from pipeline.artifact import Artifact, materialize
from pipeline.corpus.files import SplitWriter, manifest_writer
from pipeline.corpus.layout import TextLayout, make_layout
from pipeline.corpus.spec import CorpusConfig, Duplicates, StoryCorpusSpec

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "corpora.md").read_text("utf-8")

_FILM = (
    "A surveyor comes to value the orchard for its metal. He counts the trees three times and gets "
    "three numbers, all of them too small. Oriel Thrupp lends him her ladder, and from the top of "
    "it he sees that the trees stand in the shape of a hand.\n\n"
    "He writes down the smallest number, takes off his boots, and walks home by the river. When "
    "the buyers come with their carts, they find an orchard of pears."
)
_TALE = "The bees of the orchard are wound every evening with a key the size of a comma."


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def section(heading: str) -> str:
    return PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]


def row(title: str, text: str, genre: str | None = None) -> dict[str, Any]:
    """A document as add-a-franchise.md's stand-in gives it."""
    page = "http://127.0.0.1:8148/wiki/" + title.replace(" ", "_")
    return {
        "doc_id": "brass_orchard/wikipedia/101#Plot",
        "work_id": page,
        "franchise": "brass_orchard",
        "source": "wikipedia",
        "url": f"{page}#Plot",
        "revision": "5001",
        "title": title,
        "section": "Plot",
        "genre": genre,
        "language": "en",
        "licence": "CC0-1.0",
        "attribution_url": page,
        "text": text,
        "text_sha256": sha256(text.encode()).hexdigest(),
    }


def write(
    folder: Path, layout: TextLayout, splits: dict[str, list[dict[str, Any]]]
) -> dict[str, Any]:
    with manifest_writer(folder, layout) as manifest:
        for split, rows in splits.items():
            with SplitWriter(folder, split, manifest, layout) as writer:
                for document in rows:
                    writer.write(document)
    return {}


@pytest.fixture
def brass_orchard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Artifact:
    """The corpus that the page asks about, under the data root `data/` of the working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOREMILL_DATA", "data")
    splits = {
        "train": [row("Brass Orchard", _FILM)],
        "validation": [row("The Grafter", _TALE)],
        "test": [row("The Tin Bees", _TALE)],
    }
    build: Callable[[Path], dict[str, Any]] = lambda folder: write(  # noqa: E731
        folder, make_layout("documents", []), splits
    )
    return materialize(Path("data/corpora/brass_orchard"), "a1872afd58b3", build)


def test_every_yaml_block_is_a_valid_corpus_of_franchises_there_are() -> None:
    found = [yaml.safe_load(block) for block in blocks("yaml")]
    assert len(found) == 4
    for block in found:
        assert block["type"] == "dagster_project.components.StoryCorpus"
        spec = StoryCorpusSpec.model_validate(block["attributes"])
        assert all((corpora_folder() / name / "defs.yaml").exists() for name in spec.franchises)


def test_the_first_example_has_every_key_and_says_each_default() -> None:
    written = yaml.safe_load(blocks("yaml")[0])["attributes"]
    assert written.keys() == StoryCorpusSpec.model_fields.keys()
    assert written["duplicates"].keys() == Duplicates.model_fields.keys()
    defaults = CorpusConfig()
    for name in ("validation", "test", "layout"):
        assert written[name] == getattr(defaults, name)
    assert written["duplicates"] == defaults.duplicates.model_dump()
    table = dict(re.findall(r"^\| (`.*?`) \| (.*?) \|", section("Configuration"), re.MULTILINE))
    assert table["`layout`"] == f"`{defaults.layout}`"
    assert table["`validation`, `test`"] == f"`{defaults.validation}` each"
    assert defaults.validation == defaults.test


def test_every_value_of_a_choice_is_told() -> None:
    for model, key, heading in (
        (CorpusConfig, "layout", "Layouts"),
        (Duplicates, "keep", "Duplicates"),
    ):
        assert issubclass(model, BaseModel)
        choices = model.model_fields[key].annotation.__args__  # type: ignore[union-attr]
        assert [c for c in choices if f"`{c}`" not in section(heading)] == []


def test_the_examples_of_layouts_are_what_is_written(tmp_path: Path) -> None:
    text = "The kiln keeper counts her tiles by moonlight.\n\nOne tile is warm, and hums."
    other = "A pilot lands on the frozen canal and asks for bread."
    told = re.findall(r"^```text\n(.*?)^```$", section("Layouts"), re.MULTILINE | re.DOTALL)
    for name, shown in zip(("documents", "stream", "lines"), told, strict=True):
        layout = make_layout(name, ["fable"])  # type: ignore[arg-type]
        write(tmp_path, layout, {"train": [row("A", text, "fable"), row("B", other)]})
        assert (tmp_path / "train.txt").read_text("utf-8").rstrip() == shown.rstrip()


def test_every_command_there_is_takes_the_options_that_the_page_gives() -> None:
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    ours = [shlex.split(line)[1:] for line in lines if line.startswith("loremill ")]
    assert {words[0] for words in ours} >= {"trace", "takedown"}
    group = typer.main.get_command(app)
    for words in ours:
        assert words[0] in COMMANDS
        group.get_command(None, words[0]).make_context(words[0], words[1:])  # type: ignore[attr-defined]


def test_trace_prints_what_the_page_shows(brass_orchard: Artifact) -> None:
    told = section("Where does this sentence come from?")
    (shown,) = re.findall(r"^```text\n(.*?)^```$", told, re.MULTILINE | re.DOTALL)
    commands = [
        line
        for block in re.findall(r"^```sh\n(.*?)^```$", told, re.MULTILINE | re.DOTALL)
        for line in block.splitlines()
    ]
    assert len(commands) == 3
    done = [CliRunner().invoke(app, shlex.split(command)[1:]) for command in commands]
    assert [one.exit_code for one in done] == [0, 0, 0]
    assert done[0].stdout.rstrip() == shown.rstrip()


def test_the_python_of_the_page_runs(
    brass_orchard: Artifact,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    for cache in ("HF_MODULES_CACHE", "HF_DATASETS_CACHE"):
        monkeypatch.setattr(datasets.config, cache, tmp_path / cache)
    load, read = blocks("python")
    exec(read, {})
    assert capsys.readouterr().out == f"Brass Orchard CC0-1.0 {len(_FILM)}\n"
    names: dict[str, Any] = {}
    exec(load.replace("BUILD", brass_orchard.version), names)
    assert set(names["lines"]) == {"train", "validation", "test"}
