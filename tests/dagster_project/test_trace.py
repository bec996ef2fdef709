"""`loremill trace` as it is run: what it prints, its exit status, and what it does not import."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from dagster_project.cli import COMMANDS, app
from pipeline.artifact import Artifact, materialize
from pipeline.corpus.files import SplitWriter, manifest_writer
from pipeline.corpus.layout import make_layout

Trace = Callable[..., Result]

_TALES = {
    "train": (
        "The kiln keeper counts her tiles by moonlight.\n\nOne tile is warm, and hums.",
        "A pilot \x1b[31mlands on the frozen\x1b[0m canal and asks for bread.",
    ),
    "validation": ("Nobody in Orrel Bay has seen the bell ringer’s face.",),
    "test": ("The kiln keeper counts her tiles by moonlight, and is one short.",),
}


def _document(number: int, text: str) -> dict[str, Any]:
    return {
        "doc_id": f"kilns/wikipedia/{number}#Plot",
        "work_id": f"wikipedia:wiki.example/{number}",
        "franchise": "kilns",
        "source": "wikipedia",
        "url": f"https://wiki.example/wiki/{number}#Plot",
        "revision": f"70{number}",
        "title": f"Kiln {number}\x1b]0;owned\x07",
        "section": "Plot",
        "genre": "fable",
        "language": "en",
        "licence": "CC-BY-SA-4.0",
        "attribution_url": f"https://wiki.example/wiki/{number}",
        "text": text,
        "text_sha256": sha256(text.encode()).hexdigest(),
    }


def _build(folder: Path) -> dict[str, Any]:
    number = 0
    layout = make_layout("documents", [])
    with manifest_writer(folder, layout) as manifest:
        for split, texts in _TALES.items():
            with SplitWriter(folder, split, manifest, layout) as writer:
                for text in texts:
                    writer.write(_document(number, text))
                    number += 1
    return {}


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Artifact:
    """The corpus `kilns` under a data root of its own."""
    monkeypatch.setenv("LOREMILL_DATA", str(tmp_path))
    return materialize(tmp_path / "corpora" / "kilns", "0123456789abcdef", _build)


@pytest.fixture
def trace(corpus: Artifact) -> Trace:
    """Runs `loremill trace kilns …`."""
    return lambda *arguments: CliRunner().invoke(app, ["trace", "kilns", *arguments])


def test_a_byte_leads_to_page_revision_and_licence(trace: Trace) -> None:
    done = trace("--byte", "3")
    assert done.exit_code == 0
    for told in (
        "Kiln 0]0;owned · Plot",
        "https://wiki.example/wiki/0#Plot",
        "700",
        "CC-BY-SA-4.0, Creative Commons Attribution-ShareAlike 4.0",
        "https://creativecommons.org/licenses/by-sa/4.0/",
        "kilns/wikipedia/0#Plot",
        "kilns, source wikipedia",
        "train.txt, byte 3, line 1",
        "bytes 0 to 75",
        "One tile is warm, and hums.",
    ):
        assert told in done.stdout


def test_a_sentence_is_looked_for_in_all_files_or_in_one(trace: Trace) -> None:
    wanted = "counts her tiles by moonlight"
    assert "2 places:" in trace("--text", wanted).stdout
    alone = trace("--text", wanted, "--split", "test").stdout
    assert "test.txt, byte 16, line 1" in alone
    assert "train.txt" not in alone


def test_other_quotes_and_blanks_are_found_and_said(trace: Trace) -> None:
    done = trace("--text", "seen  the bell ringer's face")
    assert done.exit_code == 0
    assert "Not letter by letter" in done.stdout
    assert "validation.txt, byte 24, line 1" in done.stdout


def test_a_text_that_is_nowhere_is_status_1_with_a_hint(trace: Trace) -> None:
    done = trace("--text", "the bell ringer sleeps")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "not in train.txt, validation.txt, test.txt of kilns" in done.stderr
    assert "dropped.parquet" in done.stderr
    empty = json.loads(trace("--text", "the bell ringer sleeps", "--json").stdout)
    assert (empty["count"], empty["places"]) == (0, [])


def test_a_separator_is_named_with_its_neighbours(trace: Trace) -> None:
    done = trace("--byte", "80")
    assert done.exit_code == 0
    assert r'A separator, "\n<|endoftext|>\n"' in done.stdout
    after, before = done.stdout.index("Kiln 0"), done.stdout.index("Kiln 1")
    assert done.stdout.index("  after ") < after < done.stdout.index("  before ") < before


def test_nothing_of_a_page_reaches_the_terminal_raw(trace: Trace) -> None:
    for arguments in (["--line", "5"], ["--line", "5", "--json"], ["--byte", "80"]):
        done = trace(*arguments)
        assert done.exit_code == 0
        assert "\x1b" not in done.stdout
        assert "\x07" not in done.stdout
    assert "lands on the frozen" in trace("--line", "5").stdout


def test_json_has_every_field_of_the_manifest(trace: Trace) -> None:
    whole = json.loads(trace("--line", "3", "--json").stdout)
    assert (whole["corpus"], whole["count"], whole["exact"]) == ("kilns", 1, True)
    (place,) = whole["places"]
    assert place["file"] == "train.txt"
    assert (place["byte"], place["line"], place["start"], place["end"]) == (48, 3, 0, 75)
    assert place["doc_id"] == "kilns/wikipedia/0#Plot"
    assert place["licence_name"] == "Creative Commons Attribution-ShareAlike 4.0"
    assert place["passage"] == _TALES["train"][0]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "give one of --byte, --line and --text"),
        (["--byte", "1", "--line", "1"], "give one of --byte, --line and --text"),
        (["--text", "  "], "--text is empty"),
        (["--byte", "999999"], r"train.txt: has no byte 999,999; there are 0 to"),
        (["--byte", "-1"], "has no byte -1"),
        (["--line", "0"], "has no line 0; there are 1 to"),
        (["--line", "7"], "has no line 7; there are 1 to 6"),
    ],
)
def test_a_wrong_question_is_one_line_and_status_2(
    trace: Trace, arguments: list[str], told: str
) -> None:
    done = trace(*arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert told in done.stderr


def test_an_unknown_corpus_names_those_there_are(trace: Trace) -> None:
    for name in ("kiln", "../corpora/kilns", ""):
        done = CliRunner().invoke(app, ["trace", name, "--byte", "0"])
        assert done.exit_code == 2
        assert f"has no {name!r}; there are: kilns" in done.stderr


@pytest.mark.parametrize("harm", ["longer", "shorter", "missing", "no manifest"])
def test_a_corpus_that_was_changed_is_refused_with_file_and_remedy(
    trace: Trace, corpus: Artifact, harm: str
) -> None:
    path = corpus.folder / ("manifest.parquet" if harm == "no manifest" else "train.txt")
    body = path.read_bytes()
    path.unlink()
    if harm in ("longer", "shorter"):
        path.write_bytes(body + b"x" if harm == "longer" else body[:-1])
    done = trace("--byte", "0")
    assert done.exit_code == 2
    assert done.stderr.count("\n") == 1
    assert str(path) in done.stderr
    assert "materialize its asset again" in done.stderr


def test_a_letter_that_was_changed_is_not_answered_for(trace: Trace, corpus: Artifact) -> None:
    path = corpus.folder / "train.txt"
    path.write_bytes(path.read_bytes().replace(b"kiln", b"mill", 1))
    done = trace("--line", "1")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "manifest.parquet does not match train.txt: bytes 0 to 75 are not" in done.stderr
    assert "build the corpus again" in done.stderr


def test_tracing_loads_neither_dagster_nor_torch_nor_daft_nor_scrapy(corpus: Artifact) -> None:
    program = (
        "import sys\nfrom dagster_project.cli import app\n"
        "app(['trace', 'kilns', '--line', '1'], standalone_mode=False)\n"
        "heavy = {'dagster', 'torch', 'transformers', 'daft', 'scrapy', 'matplotlib', 'pandas'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or None)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Kiln 0" in done.stdout
    assert (done.returncode, done.stderr) == (0, "")


def test_help_lists_every_command_with_its_own_words() -> None:
    shown = CliRunner().invoke(app, ["--help"])
    assert shown.exit_code == 0
    for name in COMMANDS:
        of_command = CliRunner().invoke(app, [name, "--help"]).stdout
        summary = of_command.split("\n\n")[1].strip().partition("\n")[0]
        assert f"  {name} " in shown.stdout
        assert summary[:40] in shown.stdout, name


def test_a_mistyped_command_names_the_nearest() -> None:
    done = CliRunner().invoke(app, ["trase"])
    assert done.exit_code == 2
    assert "Did you mean 'trace'" in done.stderr
