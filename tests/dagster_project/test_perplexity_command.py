"""`loremill perplexity` as it is run: which model, which text, how mistakes are told."""

import json
import math
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from dagster_project.cli import app
from pipeline.artifact import MANIFEST, Artifact, materialize
from pipeline.corpus.files import SplitWriter, manifest_writer
from pipeline.corpus.layout import make_layout
from pipeline.model_spec import ModelSpec
from pipeline.schema import DOCUMENTS

Perplexity = Callable[..., Result]

_TALES = (
    "Ilse rowed to the quay before dawn and found the crate that nobody had ordered.",
    "The harbour master counted the gulls, then the sailors, then the missing barrels.",
    "A lantern went out on the pier. The watchman lit another, and a third behind it.",
)
_SPEC: dict[str, Any] = {
    "name": "quay",
    "corpus": "quay",
    "preset": "gpt2",
    "size": "nano",
    "tokenizer": {"vocabulary": 300},
    "training": {"block_size": 32, "steps": 40},
    "measures": {"stride": 24},
}
_BOOK = "".join(f"Chapter {n}. {_TALES[n % 3]} “Aye,” said Édda.\r\n" for n in range(30))


def _begun(folder: Path) -> dict[str, Any]:
    """A model as it is before its first step, and another seed's as its kept checkpoint."""
    from pipeline.models.initial import load_initial

    corpus = folder / "corpus"
    corpus.mkdir(parents=True)
    layout = make_layout("lines", ["drama"])
    with (
        manifest_writer(corpus, layout) as manifest,
        SplitWriter(corpus, "train", manifest, layout) as writer,
    ):
        for number, text in enumerate(_TALES):
            names = dict.fromkeys(("doc_id", "work_id", "title"), f"quay/{number}")
            writer.write(
                dict.fromkeys(DOCUMENTS.names)
                | names
                | {"franchise": "quay", "source": "files", "genre": "drama", "text": text}
                | {"text_sha256": sha256(text.encode()).hexdigest()}
            )
    for seed, where in ((0, "final"), (1, "steps/10")):
        spec = ModelSpec.model_validate(_SPEC | {"training": _SPEC["training"] | {"seed": seed}})
        model, tokenizer = load_initial(spec, corpus)
        model.save_pretrained(folder / where)
        tokenizer.save_pretrained(folder / where)
    notes = {"spec": ModelSpec.model_validate(_SPEC).model_dump(mode="json")}
    notes |= {"best_step": None, "steps": 40}
    (folder / "training.json").write_text(json.dumps(notes), "utf-8")
    return {}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root with one model."""
    root = tmp_path_factory.mktemp("data")
    materialize(root / "models" / "quay", "0123456789abcdef", _begun)
    return root


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A text of some three thousand bytes."""
    path = tmp_path / "book.txt"
    path.write_bytes(_BOOK.encode())
    return path


@pytest.fixture
def perplexity(root: Path, monkeypatch: pytest.MonkeyPatch) -> Perplexity:
    """Runs `loremill perplexity …` in that data root."""
    monkeypatch.setenv("LOREMILL_DATA", str(root))
    monkeypatch.setenv("LOREMILL_DEVICE", "cpu")
    return lambda *arguments, **more: CliRunner().invoke(
        app, ["perplexity", *map(str, arguments)], **more
    )


def _told(done: Result) -> dict[str, Any]:
    assert done.exit_code == 0, done.output
    return dict(json.loads(done.stdout))


def test_a_text_has_its_figures(perplexity: Perplexity, book: Path):
    told = _told(perplexity("quay", "--text", book, "--json"))
    (text,) = told["texts"]
    assert (told["context"], told["stride"], told["device"]) == (32, 24, "cpu")  # as its recipe
    assert (text["name"], text["bytes"]) == (str(book), len(_BOOK.encode()))
    assert text["words"] == len(_BOOK.split())
    # Before its first step it knows nothing: every token is about as likely as any other.
    assert text["perplexity_per_token"] == pytest.approx(300, rel=0.25)
    assert text["bits_per_byte"] == pytest.approx(text["nats"] / math.log(2) / text["bytes"])
    assert 0 < text["xz_bits_per_byte"] < 3
    assert told["together"]["nats"] == text["nats"]
    shown = perplexity("quay", "--text", book).stdout
    assert "quay, windows of 32 tokens that move by 24, on cpu" in shown
    assert f"{text['bits_per_byte']:.4f}" in shown
    assert f"{text['tokens']:,}" in shown


def test_standard_input_and_pipes_do_as_well_as_a_file(perplexity: Perplexity, book: Path):
    expected = _told(perplexity("quay", "--text", book, "--json"))["together"]
    piped = _told(perplexity("quay", "--text", "-", "--json", input=_BOOK.encode()))
    assert piped["together"] == expected
    assert piped["texts"][0]["name"] == "standard input"
    pipe = book.with_name("pipe")
    os.mkfifo(pipe)
    with subprocess.Popen(["cp", str(book), str(pipe)]):  # waits until someone reads
        told = _told(perplexity("quay", "--text", pipe, "--json"))
    assert told["together"] == expected


def test_several_texts_have_a_row_each_and_one_together(perplexity: Perplexity, book: Path):
    other = book.with_name("other.txt")
    other.write_text(_TALES[1], "utf-8")
    asked = ("quay", "--text", book, "--text", other)
    told = _told(perplexity(*asked, "--json"))
    assert [text["name"] for text in told["texts"]] == [str(book), str(other)]
    assert told["together"]["bytes"] == sum(text["bytes"] for text in told["texts"])
    assert told["together"]["nats"] == pytest.approx(sum(text["nats"] for text in told["texts"]))
    rows = perplexity(*asked).stdout.splitlines()[3:6]
    assert ["book.txt" in rows[0], "other.txt" in rows[1], "together" in rows[2]] == [True] * 3
    for row, text in zip(rows, (*told["texts"], told["together"]), strict=True):
        assert f" {text['tokens']:,} " in row


def test_genre_context_stride_and_checkpoint_change_what_they_name(
    perplexity: Perplexity, book: Path
):
    def nats(*asked: object) -> float:
        told = _told(perplexity("quay", "--text", book, "--json", *asked))
        return float(told["together"]["nats"])

    plain = nats()
    for asked in (("--genre", "drama"), ("--context", 8), ("--stride", 32), ("--step", 10)):
        assert nats(*asked) != pytest.approx(plain, rel=1e-9), asked
    assert nats("--step", 40) == plain  # the last step is the model itself
    assert nats("--stride", 24, "--context", 32) == plain


def test_a_folder_does_as_well_as_a_name(perplexity: Perplexity, root: Path, book: Path):
    made = Artifact.load(root / "models" / "quay")
    assert made is not None
    named = _told(perplexity("quay", "--text", book, "--json"))
    for folder in (made.folder, made.folder / "final"):
        told = _told(perplexity(folder, "--text", book, "--json"))
        assert told["together"] == named["together"]


def test_a_text_shorter_than_a_window_has_its_figure_and_a_word_about_it(
    perplexity: Perplexity, tmp_path: Path
):
    short = tmp_path / "short.txt"
    short.write_text("Ilse rowed.", "utf-8")
    done = perplexity("quay", "--text", short, "--json")
    assert done.exit_code == 0
    (text,) = json.loads(done.stdout)["texts"]
    assert (text["bytes"], text["windows"], text["low"]) == (11, 1, None)
    (line,) = done.stderr.splitlines()
    assert "fit into one window of 32" in line


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["quai", "--text", "BOOK"], "has no 'quai'; there are: quay"),
        (["quay", "--text", "nowhere.txt"], "nowhere.txt: no such file or directory"),
        (["quay", "--text", "FOLDER"], "is a folder"),
        (["quay", "--text", "EMPTY"], "is empty, so there is nothing to measure"),
        (["quay", "--text", "BLANK"], "holds only blanks"),
        (["quay", "--text", "LATIN"], "byte 4, in line 1, is no UTF-8; it reads as WINDOWS-1252"),
        (["quay", "--text", "WIDE"], "it reads as UTF-16"),
        (["quay", "--text", "BOOK", "--genre", "western"], "'western' is not in the model's"),
        (["quay", "--text", "BOOK", "--context", "33"], "context 33 is beyond the model's"),
        (["quay", "--text", "BOOK", "--stride", "33"], "stride 33 is not within 1 and"),
        (["quay", "--text", "BOOK", "--step", "7"], "no weights of step 7; there are: 10, 40"),
        (["FOLDER", "--text", "BOOK"], "has no weights in safetensors"),
    ],
)
def test_bad_input_is_one_line(
    perplexity: Perplexity, tmp_path: Path, book: Path, arguments: list[str], told: str
):
    folder = tmp_path / "folder"
    folder.mkdir()
    named = {"BOOK": book, "FOLDER": folder}
    for name, body in (
        ("EMPTY", b""),
        ("BLANK", b" \n\n\t "),
        ("LATIN", "La fée dit\u00a0: «\u00a0encore\u00a0».\n".encode("cp1252")),
        ("WIDE", _BOOK.encode("utf-16")),
    ):
        named[name] = tmp_path / f"{name}.txt"
        named[name].write_bytes(body)
    done = perplexity(*(named.get(argument, argument) for argument in arguments))
    assert done.exit_code == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert told in line
    assert done.stdout == ""


def test_of_many_models_the_nearest_names_are_told(
    tmp_path: Path, book: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("LOREMILL_DATA", str(tmp_path))
    for name in ("batman-gpt2", "batman-char-lstm", *(f"aa{n}-gru" for n in range(20))):
        (tmp_path / "models" / name).mkdir(parents=True)
        (tmp_path / "models" / name / MANIFEST).touch()
    done = CliRunner().invoke(app, ["perplexity", "batmn-gpt2", "--text", str(book)])
    assert done.exit_code == 2
    (line,) = done.stderr.splitlines()
    assert "there are: batman-gpt2, batman-char-lstm, aa" in line
    assert line.endswith("and 10 more")


def test_every_mistaken_text_is_told(perplexity: Perplexity, tmp_path: Path, book: Path):
    missing, empty = tmp_path / "missing.txt", tmp_path / "empty.txt"
    empty.touch()
    done = perplexity("quay", "--text", missing, "--text", book, "--text", empty)
    assert done.exit_code == 2
    assert [line.split(":")[1].strip() for line in done.stderr.splitlines()] == [
        str(missing),
        str(empty),
    ]


def test_a_mistaken_model_or_text_costs_no_torch(root: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LOREMILL_DATA", str(root))
    code = (
        "import sys, contextlib; from dagster_project.cli import app\n"
        "for asked in (['quai', '--text', __file__], ['quay', '--text', 'nowhere.txt']):\n"
        "    with contextlib.suppress(SystemExit): app(['perplexity', *asked])\n"
        "print({'torch', 'transformers', 'dagster', 'scrapy'} & set(sys.modules))"
    )
    code = code.replace("__file__", repr(__file__))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
    assert done.stderr.count("error: ") == 2


def test_an_interrupt_ends_it_with_no_trace(root: Path, tmp_path: Path):
    long = tmp_path / "long.txt"
    long.write_text(_BOOK * 200, "utf-8")
    environment = os.environ | {"LOREMILL_DATA": str(root), "LOREMILL_DEVICE": "cpu"}
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "import dagster_project.commands.perplexity as command\n"
        "command._PATIENCE = 0\n"
        "from dagster_project.cli import app\n"
        f"app(['perplexity', 'quay', '--text', {str(long)!r}])"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as child:
        assert child.stderr is not None
        assert "to go" in child.stderr.readline()  # it is scoring
        child.send_signal(signal.SIGINT)
        said, error = child.communicate(timeout=60)
    assert child.returncode not in (0, 2)
    assert said == ""
    assert "Traceback" not in error
