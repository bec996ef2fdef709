"""Each document that came into a corpus, went or changed is told with its reason."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipeline.corpus import CorpusConfig
from pipeline.diff.changes import Changes, Reason
from pipeline.diff.corpus import EarlierManifestError, compare_corpora
from tests.corpus_documents import build, document, write_documents

Rows = list[dict[str, Any]]


@pytest.fixture
def corpus(tmp_path: Path):
    """Builds a corpus in a folder of that name, with the record of sides of those before it."""

    def make(name: str, rows: Rows, **config: Any) -> Path:
        folder = tmp_path / "corpus" / name
        folder.mkdir(parents=True)
        source = tmp_path / name
        source.mkdir()
        documents = {"lamps": write_documents(source, "lamps", rows)}
        build(folder, documents, CorpusConfig(**config))
        return folder

    return make


def _reasons(changes: Changes) -> dict[tuple[str, str], int]:
    return {(reason.kind, reason.name): reason.count for reason in changes.reasons}


def _reason(changes: Changes, name: str) -> Reason:
    (found,) = [reason for reason in changes.reasons if reason.name == name]
    return found


def test_the_same_corpus_made_twice(corpus) -> None:
    rows = [document(number) for number in range(40)]
    found = compare_corpora(corpus("a", rows), corpus("b", rows))
    assert (found.reasons, found.unchanged) == ([], 40)


def test_what_came_and_went(corpus) -> None:
    rows = [document(number) for number in range(40)]
    found = compare_corpora(corpus("a", rows), corpus("b", [*rows[1:], document(50)]))
    assert (found.before, found.now) == (40, 40)
    assert _reasons(found) == {
        ("came", "a new document"): 1,
        ("went", "it is no longer among the documents"): 1,
    }
    assert _reason(found, "a new document").rows[0]["doc_id"] == document(50)["doc_id"]


def test_what_is_kept_out_now_names_its_partner_and_comes_back(corpus) -> None:
    rows = [document(number) for number in range(40)]
    twins = [*rows[:39], document(39, rows[7]["text"])]
    before, after = corpus("a", rows), corpus("b", twins)
    found = compare_corpora(before, after)
    dropped = pq.read_table(after / "dropped.parquet").to_pylist()
    (gone,) = [row for row in dropped if row["stage"] == "corpus"]
    reason = _reason(found, f"kept out now: {gone['reason']}")
    (row,) = reason.rows
    assert {row["doc_id"], row["partner"]} == {rows[7]["doc_id"], rows[39]["doc_id"]}
    assert row["figure"] == 1.0
    back = compare_corpora(after, before)
    assert _reason(back, f"was kept out before: {gone['reason']}").count == 1


def test_what_a_licence_rule_keeps_out(corpus) -> None:
    rows = [document(number) for number in range(40)]
    rows[3] = {**rows[3], "licence": "CC-BY-NC-SA-2.5"}
    without = corpus("b", rows, licences={"exclude_non_commercial": True})
    found = compare_corpora(corpus("a", rows), without)
    assert _reasons(found) == {("went", "kept out now: licence"): 1}


def test_what_changed_and_that_no_document_changed_its_side(corpus) -> None:
    rows = [document(number) for number in range(40)]
    before = corpus("a", rows)
    edited = {**document(90), "doc_id": rows[5]["doc_id"], "work_id": rows[5]["work_id"]}
    edited["revision"] = "8"
    found = compare_corpora(before, corpus("b", [*rows[:5], edited, *rows[6:]]))
    assert _reasons(found) == {("changed", "its text changed"): 1}
    (row,) = found.reasons[0].rows
    assert (row["revision"], row["revision_now"]) == ("7", "8")
    moved = pq.read_table(before / "manifest.parquet").to_pydict()
    assert moved["split"][0] == "train"
    moved["split"][0] = "test"
    other = before.parent / "moved"
    other.mkdir()
    pq.write_table(_table(moved, before), other / "manifest.parquet")
    pq.write_table(pq.read_table(before / "dropped.parquet"), other / "dropped.parquet")
    told = compare_corpora(before, other)
    assert _reasons(told) == {("changed", "it changed its side"): 1}
    (row,) = told.reasons[0].rows
    assert (row["split"], row["split_now"]) == ("train", "test")


def test_a_corpus_of_an_earlier_version_is_refused_by_name(corpus) -> None:
    before, now = (corpus(name, [document(n) for n in range(9)]) for name in ("a", "b"))
    path = before / "manifest.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["text_sha256"]), path)
    with pytest.raises(EarlierManifestError, match="manifest.parquet"):
        compare_corpora(before, now)


def _table(columns: dict[str, list[Any]], like: Path) -> Any:
    return (
        pq.read_schema(like / "manifest.parquet")
        .empty_table()
        .from_pydict(columns, schema=pq.read_schema(like / "manifest.parquet"))
    )
