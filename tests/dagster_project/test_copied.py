"""`loremill copied` as it is run: what it prints of a text that somebody may have copied."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from dagster_project.cli import app
from pipeline.artifact import Artifact, materialize
from pipeline.memorisation.index import build_index
from tests.corpus_files import row, write_files

Copied = Callable[..., Result]

_BELL = (
    "The bell-founder’s daughter kept the clapper under her bed, and every midnight it warmed her "
    "feet like a sleeping cat."
)
_FERRY = "A ferryman \x1b[31mwithout a river bought the rain\x1b[0m by the barrel and waited."


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Artifact:
    """The corpus `bells` and its index under a data root of its own."""
    monkeypatch.setenv("LOREMILL_DATA", str(tmp_path))

    def build(folder: Path) -> dict[str, Any]:
        rows = [
            row(0, _BELL, title="Bells \x1b]0;owned\x07"),
            row(1, _FERRY),
            row(2, "Held out: a heron read the will aloud and inherited the marsh itself."),
        ]
        return write_files(folder, {"train": rows[:2], "validation": [], "test": rows[2:]}, "lines")

    made = materialize(tmp_path / "corpora/bells", "0" * 16, build)
    index = tmp_path / "indexes/bells"
    materialize(index, "1" * 16, lambda folder: build_index(made.folder, folder))
    return made


def copied(*arguments: str, **options: Any) -> Result:
    """Runs `loremill copied bells …`."""
    return CliRunner().invoke(app, ["copied", "bells", *arguments], **options)


def test_a_passage_is_marked_and_its_page_named(corpus: Artifact, tmp_path: Path) -> None:
    story = tmp_path / "story.txt"
    story.write_text(
        "\ufeffAsh woke. KEPT the “clapper” under\nher bed, and every midnight it sang.", "utf-8"
    )
    done = copied("--text", str(story))
    assert done.exit_code == 0, done.stderr
    assert "1 passage of 8 words or more in train.txt of bells: 10 of 13 words, 77" in done.stdout
    assert (
        "Ash woke. ⟦KEPT the “clapper” under her bed, and every midnight it⟧ sang." in done.stdout
    )
    for told in (
        "10 words: Bells ]0;owned · Plot",
        "https://wiki.example/wiki/0#Plot",
        "100",
        "CC-BY-SA-4.0, Creative Commons Attribution-ShareAlike 4.0",
        "https://creativecommons.org/licenses/by-sa/4.0/",
        "lamps/wiki/0#Plot",
    ):
        assert told in done.stdout
    assert not {"\x1b", "\x07"} & set(done.stdout)


def test_a_script_gets_characters_of_the_text_and_all_of_the_row(corpus: Artifact) -> None:
    story = "He said: without a river bought the rain, by the barrel! \x1b[2J Then sang."
    done = copied("--json", "--least", "4", input=story)
    assert done.exit_code == 0, done.stderr
    told = json.loads(done.stdout)
    (passage,) = told["passages"]
    assert told["longest"] == passage
    assert passage["text"] == story[passage["start"] : passage["end"]]
    # On the page a word is `31mwithout`, and another follows that nobody sees either.
    assert passage["text"] == "a river bought the rain"
    assert (passage["words"], passage["places"], told["copied_words"]) == (5, 1, 5)
    assert (passage["doc_id"], passage["revision"]) == ("lamps/wiki/1#Plot", "101")
    assert passage["licence_url"] == "https://creativecommons.org/licenses/by-sa/4.0/"


def test_where_nothing_is_copied_the_longest_is_shown_with_status_1(corpus: Artifact) -> None:
    done = copied("--sentence", "a heron read the will aloud under her bed")  # the first held out
    assert done.exit_code == 1
    assert "no passage of 8 words or more in train.txt of bells, of 9 words; the longest:" in (
        done.stdout
    )
    assert "⟦under her bed⟧" in done.stdout
    assert "and none of its words" in copied("--sentence", "Zyx!").stdout


def test_a_model_stands_for_its_corpus(corpus: Artifact) -> None:
    def build(folder: Path) -> dict[str, Any]:
        (folder / "training.json").write_text(json.dumps({"spec": {"corpus": "bells"}}))
        return {}

    materialize(corpus.root.parents[1] / "models/bells-gpt2", "2" * 16, build)
    done = CliRunner().invoke(app, ["copied", "bells-gpt2", "--sentence", _BELL, "--json"])
    assert json.loads(done.stdout)["corpus"] == "bells"


def _latin(folder: Path) -> list[str]:
    (folder / "latin.txt").write_bytes("Die Fähre wartete".encode("latin-1"))
    return ["--text", str(folder / "latin.txt")]


def _wide(folder: Path) -> list[str]:
    (folder / "wide.txt").write_bytes(_BELL.encode("utf-16-le"))
    return ["--text", str(folder / "wide.txt")]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (_latin, "latin.txt: byte 5, in line 1, is no UTF-8; it reads as"),
        (_wide, "wide.txt: is no UTF-8; it reads as UTF-16LE; convert it with: iconv -f UTF-16LE"),
        (lambda folder: ["--text", str(folder / "none.txt")], "none.txt: no such file"),
        (lambda folder: ["--sentence", " –…! "], "--sentence: has no words"),
        (lambda folder: [], "standard input: has no words"),
        (lambda folder: ["--sentence", "a", "--text", "b"], "give one of"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    corpus: Artifact, tmp_path: Path, arguments: Callable[[Path], list[str]], told: str
) -> None:
    done = copied(*arguments(tmp_path), input="")
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert told in done.stderr


def test_an_index_that_is_missing_damaged_or_of_another_corpus_is_named(corpus: Artifact) -> None:
    def refused() -> str:
        done = copied("--sentence", _BELL)
        assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
        assert "materialize bells/index" in done.stderr
        return done.stderr

    root = corpus.root.parents[1] / "indexes/bells"
    index = Artifact.load(root)
    assert index
    words = index.folder / "words.txt"
    content = words.read_bytes()
    words.write_bytes(content[:-9])
    assert "words.txt: " in refused()
    words.write_bytes(content)

    def other(folder: Path) -> dict[str, Any]:
        rows = [row(0, _FERRY)]
        return write_files(folder, {"train": rows, "validation": [], "test": []}, "lines")

    materialize(corpus.root, "3" * 16, other)
    assert "another state of the corpus" in refused()
    (root / "manifest.json").unlink()
    assert "no index" in refused()
    unknown = CliRunner().invoke(app, ["copied", "gongs", "--sentence", "a"])
    assert (unknown.exit_code, "there are: bells" in unknown.stderr) == (2, True)
