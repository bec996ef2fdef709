"""Documents, corpora and models without a page: what stays fits together, what goes is gone."""

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.artifact import Artifact, discard, materialize, prune
from pipeline.corpus import CorpusConfig, read_split
from pipeline.corpus.files import SplitWriter, manifest_writer
from pipeline.corpus.layout import make_layout
from pipeline.schema import CHANGED, DOCUMENTS, DROPPED, MATCHES, SIGNATURES, TRAINED_ON
from pipeline.takedown import Removal, corpus, documents, models
from pipeline.training.trained_on import write_trained_on
from tests.corpus_documents import build, document, story, write_documents

_GONE = Removal(("tales/wiki/2#",), frozenset({"http://w/2"}))


def _row(number: int, part: str = "Plot", **columns: Any) -> dict[str, Any]:
    text = f"Once upon a time, story {number} was told in {part}."
    return {
        "doc_id": f"tales/wiki/{number}#{part}", "work_id": f"wiki:w/{number}",
        "franchise": "tales", "source": "wiki", "url": f"http://w/{number}#{part}",
        "title": f"Tale {number}", "section": part, "licence": "CC0-1.0", "text": text,
        "text_sha256": sha256(text.encode()).hexdigest(), "characters": len(text),
        "words": len(text.split()), "genre": "Tale", **columns,
    }  # fmt: skip


def _write(path: Path, rows: list[dict[str, Any]], schema: pa.Schema) -> None:
    known = [{name: row.get(name) for name in schema.names} for row in rows]
    pq.write_table(pa.Table.from_pylist(known, schema), path)


def _everything(root: Path) -> bytes:
    files = [path for path in root.rglob("*") if path.is_file()]
    tables = [pq.read_table(path) for path in files if path.suffix == ".parquet"]
    return (
        b"".join(path.read_bytes() for path in files)
        + str([table.to_pylist() for table in tables]).encode()
    )


def test_a_row_whose_name_goes_on_with_a_mark_is_another_page() -> None:
    row = Removal(("tales/csv/t.csv/A#",), frozenset({"file:t.csv#A"}))
    assert row.has("tales/csv/t.csv/A#text", "file:t.csv#A")
    assert row.has("tales/csv/t.csv/A#text", "https://its.own/page#top")
    assert not row.has("tales/csv/t.csv/A#b#text", "file:t.csv#A%23b")
    assert not row.has("tales/csv/t.csv/A#b#text", "https://its.own/page#top")
    assert row.has("tales/csv/t.csv/A#", "file:t.csv#A")
    other = Removal(("tales/csv/t.csv/A#b#",), frozenset({"file:t.csv#A#b"}))
    assert other.has("tales/csv/t.csv/A#b#text", "file:t.csv#A%23b")
    assert not other.has("tales/csv/t.csv/A#text", "file:t.csv#A")
    # A heading may have the mark, which its address escapes.
    assert _GONE.has("tales/wiki/2#Part_#1", "http://moved/2#Part_%231")
    assert _GONE.has("tales/wiki/2#Part_#1", None)


@pytest.fixture
def extracted(tmp_path: Path) -> Path:
    """Documents of three pages, as extraction and signing leave them, and an unfinished build."""
    rows = [_row(1), _row(2), _row(2, "End"), _row(3)]
    left_out = [
        _row(2, "Note", stage="clean", reason="too short", figure=1.0),
        _row(3, "Note", stage="clean", reason="too short", figure=1.0),
        {**_row(2), "doc_id": None, "url": "http://w/2", "stage": "extract", "reason": "no plot"},
    ]
    changes = [
        {**_row(n), "rule": "citations", "before": f"story {n} was [1]", "after": "was"}
        for n in (1, 2)
    ]

    def build(folder: Path) -> dict[str, Any]:
        _write(folder / "documents.parquet", rows, DOCUMENTS)
        _write(folder / "dropped.parquet", left_out, DROPPED)
        _write(folder / "changed.parquet", changes, CHANGED)
        signed = [{**row, "signature": b"0" * 504} for row in rows]
        _write(folder / "signatures.parquet", signed, SIGNATURES)
        return {
            "documents": 4, "dropped": 3, "dropped_by_reason": {"too short": 2, "no plot": 1},
            "characters": sum(row["characters"] for row in rows),
            "words": sum(row["words"] for row in rows),
        }  # fmt: skip

    root = tmp_path / "documents/tales"
    materialize(root, "a" * 64, build)
    (root / "killed").mkdir()
    (root / "killed" / "documents.parquet").write_bytes(b"story 2 was told")
    return root


def test_documents_lose_the_page_and_their_figures_fit(extracted: Path) -> None:
    before = Artifact.load(extracted)
    assert documents.touched(before, _GONE) == {"documents": 2, "dropped": 2, "changed": 1}
    texts = list(documents.texts(before, _GONE))
    assert len(texts) == 6
    assert not [text for text in texts if "story 1" in text or "story 3" in text]
    documents.erase(extracted, _GONE, "t1")
    made = Artifact.load(extracted)
    assert b"story 2" not in _everything(extracted)
    assert made.fingerprint == before.fingerprint
    kept = pq.read_table(made.folder / "documents.parquet")
    assert kept["doc_id"].to_pylist() == ["tales/wiki/1#Plot", "tales/wiki/3#Plot"]
    assert made.figures["documents"] == 2
    assert made.figures["characters"] == sum(kept["characters"].to_pylist())
    assert made.figures["dropped_by_reason"] == {"too short": 1}
    signed = pq.read_table(made.folder / "signatures.parquet")["text_sha256"].to_pylist()
    assert sorted(signed) == sorted(kept["text_sha256"].to_pylist())
    assert [path.name for path in extracted.iterdir() if path.is_dir()] == [made.version]
    assert made.figures["taken_down"] == {"t1": 2}
    documents.erase(extracted, _GONE, "t1")  # twice is once
    assert Artifact.load(extracted).figures["taken_down"] == {"t1": 2}
    assert Artifact.load(extracted).data_version == made.data_version


@pytest.fixture
def milled(tmp_path: Path) -> Path:
    """A corpus, one story a line, in which page 2 stands in train and was dropped too."""

    def build(folder: Path) -> dict[str, Any]:
        layout = make_layout("lines", ["Tale"])
        deal = {"train": [_row(1), _row(2), _row(3)], "validation": [_row(4)], "test": [_row(5)]}
        with manifest_writer(folder, layout) as manifest:
            for split, rows in deal.items():
                with SplitWriter(folder, split, manifest, layout) as writer:
                    for row in rows:
                        writer.write({"language": None, "attribution_url": None,
                                      "revision": None, **row})  # fmt: skip
        same = [
            _row(6, stage="corpus", reason="near-duplicate", figure=0.9,
                 partner="tales/wiki/2#Plot"),
            _row(2, "End", stage="corpus", reason="near-duplicate", figure=0.8,
                 partner="tales/wiki/3#Plot"),
        ]  # fmt: skip
        _write(folder / "dropped.parquet", same, DROPPED)
        works = [{"kind": "work", "work_id": "wiki:w/2", "partner_work": "wiki:w/5",
                  "similarity": 0.7}]  # fmt: skip
        _write(folder / "matches.parquet", works, MATCHES)
        return {"documents": 5, "split_by": "work"}

    root = tmp_path / "corpora/tales"
    materialize(root, "b" * 64, build)
    return root


def test_a_corpus_loses_the_page_and_still_gives_every_other_text(milled: Path) -> None:
    before = Artifact.load(milled)
    size = len(_row(2)["text"])
    assert corpus.touched(before, _GONE) == {
        "train": {"documents": 1, "bytes": size},
        "dropped": {"documents": 1, "bytes": 0},
    }
    assert len(list(corpus.texts(before, _GONE))) == 2
    assert corpus.erase(milled, _GONE)
    made = Artifact.load(milled)
    assert b"story 2" not in _everything(milled)
    texts = [document.text for document in read_split(made.folder, "train")]
    assert texts == [_row(1)["text"], _row(3)["text"]]
    assert (made.folder / "train.txt").read_bytes().count(b"<EOS>") == 2


def test_figures_attribution_and_card_are_those_of_a_corpus_built_without_the_page(
    tmp_path: Path,
) -> None:
    pytest.importorskip("daft")
    others = [document(number) for number in range(12)]
    others += [document(20, others[3]["text"]), document(21, licence="CC-BY-NC-4.0")]
    own = {
        "url": "https://wiki.example/wiki/99#Plot",
        "attribution_url": None,
        "genre": "myth",
        "title": "The goblin of ninety-nine",
        "work_id": "wikipedia:wiki.example/99",
    }
    page = [
        document(0, story(99, 40), **own, doc_id="lamps/wikipedia/99#Plot"),
        document(0, story(99, 40), **own, doc_id="lamps/wikipedia/99#End"),
        document(0, story(98), **own, doc_id="lamps/wikipedia/99#Note", licence="CC-BY-NC-4.0"),
    ]
    config = CorpusConfig.model_validate({"licences": {"exclude_non_commercial": True}})
    recorded = tmp_path / "assignments.parquet"
    root = tmp_path / "corpora/lamps"

    def make(name: str, rows: list[dict[str, Any]]) -> Callable[[Path], dict[str, Any]]:
        (tmp_path / name).mkdir()
        documents = {"lamps": write_documents(tmp_path / name, "lamps", rows)}
        return lambda folder: build(folder, documents, config, recorded)

    before = materialize(root, "a" * 64, make("with", [*others, *page]))
    kept = tmp_path / "ATTRIBUTION.md"
    os.link(before.folder / "ATTRIBUTION.md", kept)
    removal = Removal(("lamps/wikipedia/99#",), frozenset({"https://wiki.example/wiki/99"}))
    assert corpus.erase(root, removal, "t1")
    erased = Artifact.load(root)
    built = materialize(tmp_path / "fresh", "b" * 64, make("without", others))
    names = set(built.files) - {"matches.parquet"}  # names of documents, no text
    assert names == set(erased.files) - {"matches.parquet"}
    for name in names:
        one, other = erased.folder / name, built.folder / name
        if name.endswith(".parquet"):
            assert pq.read_table(one).to_pylist() == pq.read_table(other).to_pylist(), name
        else:
            assert one.read_bytes() == other.read_bytes(), name
    told = {"matches": None, "taken_down": {"t1": 1}}
    assert {**erased.figures, "matches": None} == built.figures | told
    assert "goblin" in kept.read_text("utf-8")  # not written into


def test_other_pages_that_say_the_same_are_named(milled: Path) -> None:
    twins = corpus.twins(Artifact.load(milled), _GONE)
    assert [(twin.title, twin.url, twin.similarity) for twin in twins] == [
        ("Tale 3", "http://w/3#Plot", 0.8),
        ("Tale 6", "http://w/6#Plot", 0.9),
        ("Tale 5", "http://w/5#Plot", 0.7),
    ]


def test_a_corpus_whose_files_do_not_fit_is_removed(milled: Path) -> None:
    made = Artifact.load(milled)
    path = made.folder / "train.txt"
    path.write_bytes(path.read_bytes().replace(b"story 3", b"story 9"))
    (milled / "assignments.parquet").write_bytes(b"the sides")
    assert not corpus.erase(milled, _GONE)
    assert [path.name for path in milled.iterdir()] == ["assignments.parquet"]


def test_a_model_is_marked_for_as_long_as_it_has_these_weights(milled: Path) -> None:
    of = Artifact.load(milled)

    def train(folder: Path) -> dict[str, Any]:
        write_trained_on(of.folder, folder)
        return {}

    root = milled.parents[1] / "models/m"
    made = materialize(root, "c" * 64, train)
    read = pq.read_table(made.folder / "trained_on.parquet")
    assert read.schema.equals(TRAINED_ON)
    assert read["split"].to_pylist() == ["train"] * 3 + ["validation"]
    assert models.trained_on(made, _GONE) == 1
    models.mark(made, "t1", "2026-01-01T00:00:00+00:00", 1)
    models.mark(made, "t1", "2026-01-01T00:00:00+00:00", 1)
    assert len(models.marks(made)) == 1
    assert "a text that was taken down since (on 2026-01-01)" in models.notice(models.marks(made))

    corpus.erase(milled, _GONE)
    of = Artifact.load(milled)
    again = materialize(root, "d" * 64, train)
    assert models.trained_on(again, _GONE) == 0
    assert models.marks(again) == []
    assert models.notice([]) is None
    (root / models.MARKS).write_text("{")
    with pytest.raises(ValueError, match=r"takedowns\.json: is damaged"):
        models.marks(again)


def test_pruned_is_without_earlier_versions_and_discarded_without_any(tmp_path: Path) -> None:
    root = tmp_path / "x"
    for version in "ab":
        materialize(root, version * 64, lambda folder: {"n": (folder / "f").write_text("text")})
    assert len([path for path in root.iterdir() if path.is_dir()]) == 2
    prune(root)
    assert [path.name for path in root.iterdir() if path.is_dir()] == ["b" * 12]
    assert Artifact.load(root).version == "b" * 12
    (root / "record").touch()
    discard(root)
    assert [path.name for path in root.iterdir()] == ["record"]
