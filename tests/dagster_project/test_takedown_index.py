"""A takedown and what has been found copied: no index, no row of a passage keeps the page."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.artifact import Artifact, materialize
from pipeline.memorisation.index import TrainIndex, is_of
from pipeline.memorisation.words import words_of
from pipeline.schema import SAMPLES
from pipeline.schema.measures import PASSAGES

_MODEL = "tales-gpt2"


@pytest.fixture
def tales(milled, load, materialize):
    """A corpus and its index."""
    project = milled()
    with dg.DagsterInstance.ephemeral() as instance:
        assert materialize(load(project), instance, "tales/index").success
    return project


def _documents(project) -> list[dict[str, Any]]:
    """The rows of train, with the first twelve words of each as they are folded."""
    corpus = Artifact.load(project.data / "corpora/tales").folder
    rows = pq.read_table(corpus / "manifest.parquet").to_pylist()
    text = (corpus / "train.txt").read_bytes()
    return [
        row | {"words": words_of(text[row["start"] : row["end"]].decode()).folded[:12]}
        for row in rows
        if row["split"] == "train" and row["kind"] == "document"
    ]


def _stories(project, texts: list[str]) -> None:
    """A sample set, and its passages as the index has them."""
    data, corpus = project.data, Artifact.load(project.data / "corpora/tales")

    def samples(folder: Path) -> dict[str, Any]:
        rows = [_of(SAMPLES) | {"sample": n, "text": text} for n, text in enumerate(texts)]
        pq.write_table(pa.Table.from_pylist(rows, SAMPLES), folder / "samples.parquet")
        return {}

    def passages(folder: Path) -> dict[str, Any]:
        rows = []
        index = Artifact.load(data / "indexes/tales")
        with TrainIndex(index.folder, corpus.folder) as opened:
            for sample, text in enumerate(texts):
                for passage in opened.passages(text, 8):
                    found = vars(passage) | passage.row
                    rows.append(_of(PASSAGES) | {"sample": sample, "longest": True} | found)
        table = pa.Table.from_pylist([{n: r[n] for n in PASSAGES.names} for r in rows], PASSAGES)
        pq.write_table(table, folder / "passages.parquet")
        return {"copied": 0.5}

    materialize(data / "samples" / _MODEL, "a" * 16, samples)
    materialize(data / "memorisation" / _MODEL, "b" * 16, passages)


def _of(schema: pa.Schema) -> dict[str, Any]:
    """A row of a schema with something in each of its columns."""
    empty = {"bool": False, "string": "", "large_string": ""}
    return {field.name: empty.get(str(field.type), 0) for field in schema}


def _passages(project) -> list[tuple[int, str]]:
    made = Artifact.load(project.data / "memorisation" / _MODEL)
    rows = pq.read_table(made.folder / "passages.parquet").to_pylist()
    return [(row["sample"], row["doc_id"]) for row in rows]


def _takedown(project, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["loremill", "takedown", *arguments, "--reason", "asked for", "--json"],
        cwd=project.folder, env=project.env | {"LOREMILL_CONTACT": "tester@example.org"},
        capture_output=True, text=True, timeout=250, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.mark.slow
def test_index_and_passages_go_with_the_page_and_the_index_comes_again(tales) -> None:
    page, other, *_ = _documents(tales)
    taken, left = " ".join(page["words"]), " ".join(other["words"])
    _stories(tales, [f"{taken}. Then: {left}.", f"Once {left}.", "Nobody said a word to the owl."])
    assert _passages(tales) == [
        (0, page["doc_id"]),
        (0, other["doc_id"]),
        (1, other["doc_id"]),
    ]
    root = tales.data / "indexes/tales"
    first = Artifact.load(root)
    shutil.copytree(first.folder, root / "of-last-week")
    shutil.copytree(root, tales.data / "indexes/a-corpus-that-is-no-more")

    looked = _takedown(tales, page["url"], "--dry-run")
    assert looked.returncode == 0, looked.stderr
    told = json.loads(looked.stdout)
    assert told["indexes"] == ["a-corpus-that-is-no-more", "tales"]
    assert (told["samples"], told["memorisation"]) == ({_MODEL: 1}, {_MODEL: 2})
    assert Artifact.load(root) == first

    done = _takedown(tales, page["url"], "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "tales/index" in json.loads(done.stdout)["made_anew"]
    # Of the other story that had both, no place is where it was.
    assert _passages(tales) == [(1, other["doc_id"])]
    for kind in ("memorisation", "samples"):
        made = Artifact.load(tales.data / kind / _MODEL)
        assert [path.name for path in made.root.iterdir() if path.is_dir()] == [made.version]
    index, corpus = Artifact.load(root), Artifact.load(tales.data / "corpora/tales")
    assert is_of(index.folder, corpus.folder)
    assert index.figures["documents"] == first.figures["documents"] - 1
    for path in (tales.data / "indexes").rglob("*"):
        assert not path.is_file() or taken.encode() not in path.read_bytes()
    assert left.encode() in (index.folder / "words.txt").read_bytes()
    with TrainIndex(index.folder, corpus.folder) as opened:
        assert opened.runs(taken).max() < len(page["words"])

    again = _takedown(tales, page["url"], "--yes")
    assert (again.returncode, json.loads(again.stdout)["state"]) == (0, "done")
