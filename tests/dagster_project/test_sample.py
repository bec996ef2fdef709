"""`loremill sample` as it is run: which model, how it draws, how mistakes are told."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from dagster_project.cli import app
from pipeline.artifact import MANIFEST, Artifact, materialize
from pipeline.corpus.files import SplitWriter, manifest_writer
from pipeline.corpus.layout import make_layout
from pipeline.model_spec import ModelSpec
from pipeline.takedown.models import MARKS, mark

Sample = Callable[..., Result]

_TALES = (
    "The weaver mended a sail for the harbour master. Then it tore again, and she laughed.",
    "Nobody rowed to the far shore but Ilse. There she found the oar that she had lost.",
    "A lantern went out on the pier. The watchman lit another, and a third behind it.",
)
_SPEC: dict[str, Any] = {
    "name": "quay-char-lstm",
    "corpus": "quay",
    "preset": "char-lstm",
    "recurrent": {"layers": [16]},
    "samples": {
        "settings": [
            {"name": "brief", "temperature": 0.8, "top_k": 0, "max_length": 30},
            {"name": "never", "temperature": 0.1, "max_length": 9},
        ]
    },
}


def _document(number: int, text: str) -> dict[str, Any]:
    names = ("doc_id", "work_id", "url", "title", "attribution_url")
    return {
        **dict.fromkeys(names, f"quay/{number}"),
        "franchise": "quay",
        "source": "files",
        "revision": None,
        "section": None,
        "genre": "Science fiction" if number % 2 else "drama",
        "language": "en",
        "licence": "CC0-1.0",
        "text": text,
        "text_sha256": sha256(text.encode()).hexdigest(),
    }


_SAMPLES = {"at_steps": [3], "prompts": ["Ilse"], "genres": ["drama"], "include_prompt": False}


def _drawn(model: Path, folder: Path) -> dict[str, Any]:
    """Its sample set: two stories brief and two cold, at step 3 and at the end."""
    from pipeline.sampling import sample

    spec = ModelSpec.model_validate(_SPEC | {"samples": _SPEC["samples"] | _SAMPLES})
    return sample(model, spec, folder, device="cpu")


def _begun(folder: Path) -> dict[str, Any]:
    """A model as it is before its first step: it draws as one that has learned, only worse."""
    from pipeline.models.initial import load_initial

    corpus = folder / "corpus"
    corpus.mkdir(parents=True)
    layout = make_layout("lines", ["drama", "Science fiction"])
    with (
        manifest_writer(corpus, layout) as manifest,
        SplitWriter(corpus, "train", manifest, layout) as writer,
    ):
        for number, text in enumerate(_TALES):
            writer.write(_document(number, text))
    spec = ModelSpec.model_validate(_SPEC)
    model, tokenizer = load_initial(spec, corpus)
    tokenizer.save_pretrained(folder / "final")
    model.save_pretrained(folder / "steps" / "3")
    tokenizer.save_pretrained(folder / "steps" / "3")
    model.lm_head.weight.data.mul_(20)  # as if it had learned more
    model.save_pretrained(folder / "final")
    notes = {"spec": spec.model_dump(mode="json"), "steps": 8, "best_step": None}
    (folder / "training.json").write_text(json.dumps(notes), "utf-8")
    return {}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root with one model."""
    root = tmp_path_factory.mktemp("data")
    model = materialize(root / "models" / "quay-char-lstm", "0123456789abcdef", _begun).folder
    materialize(root / "samples" / "quay-char-lstm", "0123456789abcdef", partial(_drawn, model))
    return root


@pytest.fixture
def sample(root: Path, monkeypatch: pytest.MonkeyPatch) -> Sample:
    """Runs `loremill sample …` in that data root."""
    monkeypatch.setenv("LOREMILL_DATA", str(root))
    monkeypatch.setenv("LOREMILL_DEVICE", "cpu")
    return lambda *arguments: CliRunner().invoke(app, ["sample", *arguments])


def _stories(done: Result) -> list[dict[str, Any]]:
    assert done.exit_code == 0, done.output
    return list(json.loads(done.stdout))


def test_a_story_can_be_drawn_again_by_its_seed(sample: Sample) -> None:
    asked = ("quay-char-lstm", "--prompt", "Ilse rowed", "--json")
    three = _stories(sample(*asked, "--count", "3", "--seed", "5"))
    assert [story["seed"] for story in three] == [5, 6, 7]
    assert len({story["text"] for story in three}) == 3
    assert _stories(sample(*asked, "--seed", "6")) == [three[1]]
    told = sample(*asked[:-1], "--seed", "6").stdout
    assert told.startswith(f"--- seed 6, {three[1]['tokens']} tokens")
    assert f"\nIlse rowed{three[1]['text']}" in told


def test_what_is_not_asked_for_is_as_the_recipe_has_it(sample: Sample) -> None:
    (story,) = _stories(sample("quay-char-lstm", "--json"))
    assert (story["temperature"], story["max_length"]) == (0.8, 30)
    assert story["tokens"] <= 30
    (story,) = _stories(sample("quay-char-lstm", "--max-length", "7", "--json"))
    assert (story["temperature"], story["max_length"]) == (0.8, 7)
    assert story["tokens"] <= 7


def test_a_genre_is_told_to_the_model(sample: Sample) -> None:
    asked = ("quay-char-lstm", "--json", "--genre")
    (story,) = _stories(sample(*asked, "science fiction"))
    (other,) = _stories(sample(*asked, "drama"))
    assert (story["genre"], other["genre"]) == ("science fiction", "drama")
    assert story["text"] != other["text"]


def test_a_kept_checkpoint_tells_its_own_story(sample: Sample, root: Path) -> None:
    asked = ("quay-char-lstm", "--json", "--prompt", "Nobody")
    (early,) = _stories(sample(*asked, "--step", "3"))
    (late,) = _stories(sample(*asked, "--step", "8"))
    assert early["text"] != late["text"]
    assert _stories(sample(*asked)) == [late]


def test_a_story_is_printed_after_its_prompt_or_without(sample: Sample) -> None:
    asked = ("quay-char-lstm", "--prompt", "Nobody rowed")
    (story,) = _stories(sample(*asked, "--json"))
    for option, prompt in (((), "Nobody rowed"), (("--with-prompt",), "Nobody rowed")):
        assert f"\n{prompt}{story['text']}" in sample(*asked, *option).stdout
    alone = sample(*asked, "--without-prompt").stdout
    assert f" tokens, cut\n{story['text']}" in alone
    assert "Nobody" not in alone


def test_a_sample_of_the_set_is_drawn_again(sample: Sample, root: Path) -> None:
    made = Artifact.load(root / "samples" / "quay-char-lstm")
    assert made is not None
    rows = pq.read_table(made.folder / "samples.parquet").to_pylist()
    for number in (1, 6):
        done = sample("quay-char-lstm", "--again", str(number), "--json")
        assert done.exit_code == 0, done.output
        told = json.loads(done.stdout)
        assert told["identical"] is True
        assert told.items() >= {name: rows[number][name] for name in told.keys() & rows[0]}.items()
        assert told["step"] == (3, 8)[number > 3]
    shown = sample("quay-char-lstm", "--again", "6").stdout  # the recipe leaves the prompt out
    assert shown.startswith("--- sample 6, step 8, as in the set, seed 0, drama, ")
    assert f"\n{rows[6]['text']}" in shown
    assert "\nIlse" in sample("quay-char-lstm", "--again", "6", "--with-prompt").stdout


@contextmanager
def _changed(root: Path, number: int) -> Iterator[str]:
    """The set with another story in the place of this one, which is yielded, for a while."""
    made = Artifact.load(root / "samples" / "quay-char-lstm")
    assert made is not None
    path, kept = made.folder / "samples.parquet", (made.root / MANIFEST).read_text("utf-8")
    before, table = path.read_bytes(), pq.read_table(path)
    rows = table.to_pylist()
    original = rows[number]["text"]
    rows[number]["text"] += "!"
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)
    try:
        manifest = json.loads(kept)
        manifest["files"]["samples.parquet"] = path.stat().st_size
        (made.root / MANIFEST).write_text(json.dumps(manifest), "utf-8")
        yield original
    finally:
        path.write_bytes(before)
        (made.root / MANIFEST).write_text(kept, "utf-8")


def test_a_sample_that_was_changed_is_told(sample: Sample, root: Path) -> None:
    with _changed(root, 2):
        done = sample("quay-char-lstm", "--again", "2")
    assert done.exit_code == 1
    assert "sample 2 has another story, though all" in done.stderr
    assert "not as in the set" in done.stdout


def test_what_a_takedown_took_out_of_a_story_is_not_drawn_again(sample: Sample, root: Path) -> None:
    model = Artifact.load(root / "models" / "quay-char-lstm")
    assert model is not None
    mark(model, "of-a-lantern", "2026-11-21T09:00:00+00:00", 1)
    try:
        with _changed(root, 2) as original:
            for option in ([], ["--json"]):
                done = sample("quay-char-lstm", "--again", "2", *option)
                assert (done.exit_code, done.stdout) == (1, "")
                assert "not shown" in done.stderr
                assert "taken down since" in done.stderr
                assert original not in done.stderr
        assert "as in the set" in sample("quay-char-lstm", "--again", "1").stdout
    finally:
        (model.root / MARKS).unlink()


def test_the_likeliest_story_is_but_one(sample: Sample) -> None:
    asked = ("quay-char-lstm", "--temperature", "0", "--json", "--count", "4")
    assert len(_stories(sample(*asked))) == 1


def test_a_folder_does_as_well_as_a_name(sample: Sample, root: Path) -> None:
    made = Artifact.load(root / "models" / "quay-char-lstm")
    assert made is not None
    (named,) = _stories(sample("quay-char-lstm", "--json"))
    for folder in (made.folder, made.folder / "final"):
        (story,) = _stories(sample(str(folder), "--json"))
        assert story["text"] == named["text"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["quay-gpt2"], "has no 'quay-gpt2'; there are: quay-char-lstm"),
        (["quay-char-lstm", "--genre", "western"], "'western' is not in the model's vocabulary"),
        (["quay-char-lstm", "--prompt", "o" * 40], "leaves no room"),
        (["quay-char-lstm", "--top-p", "2"], "--top-p: input should be less than or equal to 1"),
        (["quay-char-lstm", "--max-length", "1"], "--max-length: input should be greater"),
        (
            ["quay-char-lstm", "--prompt", "a\x07"],
            "--prompt: the prompt 'a\\x07' has the",
        ),
        (["quay-char-lstm", "--step", "4"], "has no weights of step 4; there are: 3, 8 (a"),
        (["quay-char-lstm", "--again", "8"], "has no sample 8; there are 0 to 7"),
        (["quay-char-lstm", "--again", "1", "--seed", "2"], "leave what decides it out"),
        (["quay-gpt2", "--again", "1"], "samples has no 'quay-gpt2'; there are: quay-char-lstm"),
        (["quay-char-lstm", "--temperature", "1e-40"], "a temperature is 0, which always takes"),
    ],
)
def test_bad_input_is_one_line(sample: Sample, arguments: list[str], told: str) -> None:
    done = sample(*arguments)
    assert done.exit_code == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert told in line
    assert done.stdout == ""


def test_a_folder_without_a_model_is_one_line(sample: Sample, tmp_path: Path) -> None:
    done = sample(str(tmp_path))
    assert done.exit_code == 2
    (line,) = done.stderr.splitlines()
    assert str(tmp_path) in line


def test_a_mistyped_name_costs_no_torch(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOREMILL_DATA", str(root))
    code = (
        "import sys, contextlib; from dagster_project.cli import app\n"
        "with contextlib.suppress(SystemExit): app(['sample', 'quay'])\n"
        "print({'torch', 'transformers', 'dagster', 'scrapy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
    assert done.stderr.startswith("error: ")
