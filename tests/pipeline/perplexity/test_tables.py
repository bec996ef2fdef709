"""What a measurement writes: sums by work, and all that is drawn from them."""

import math
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline import intervals
from pipeline.corpus import read_split
from pipeline.model_spec import ModelSpec
from pipeline.perplexity import score
from pipeline.perplexity.compression import xz_bits
from pipeline.perplexity.draw import draw
from pipeline.schema import CONTEXT, DIFFERENCES, SCORES, WORKS

Row = dict[str, Any]
SCHEMAS = {"works": WORKS, "scores": SCORES, "differences": DIFFERENCES, "context": CONTEXT}


@pytest.fixture(scope="session")
def measured(
    trained: Path, tales_spec: ModelSpec, corpus: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, pa.Table], dict[str, Any]]:
    """The tables of the small model, and its figures."""
    folder = tmp_path_factory.mktemp("measured")
    figures = score(trained, tales_spec, corpus, folder)
    assert {path.name for path in folder.iterdir()} == {f"{name}.parquet" for name in SCHEMAS}
    tables = {name: pq.read_table(folder / f"{name}.parquet") for name in SCHEMAS}
    for name, table in tables.items():
        assert table.schema.equals(SCHEMAS[name]), name
    return tables, figures


def only(rows: pa.Table, **wanted: str) -> list[Row]:
    return [row for row in rows.to_pylist() if all(row[k] == v for k, v in wanted.items())]


def test_every_held_out_work_has_its_sums_under_each_scorer(measured, corpus: Path):
    tables, _ = measured
    documents = list(read_split(corpus, "test"))
    for stage in ("initial", "trained", "ngram"):
        rows = only(tables["works"], stage=stage, split="test")
        assert [row["work_id"] for row in rows] == [document.work_id for document in documents]
        for row, document in zip(rows, documents, strict=True):
            assert (row["source"], row["genre"]) == (document.source, document.genre)
            assert row["licence"] == "CC0-1.0"
            assert row["bytes"] == len(document.text.encode())
            assert row["words"] == len(document.text.split())
            assert (row["tokens"] is None) == (stage == "ngram")


def test_scores_have_intervals_over_works_and_their_groups(measured, corpus: Path):
    tables, figures = measured
    works = only(tables["works"], stage="trained", split="test")
    (whole,) = only(tables["scores"], stage="trained", split="test", group_by="all")
    bits = [row["nats"] / math.log(2) for row in works]
    expected = intervals.ratio(bits, [row["bytes"] for row in works], seed=0)
    assert (whole["bits_per_byte"], whole["low"], whole["high"]) == pytest.approx(
        (expected.value, expected.low, expected.high)
    )
    assert figures["interval"] == {"low": whole["low"], "high": whole["high"]}
    groups = {row["group_by"] for row in only(tables["scores"], stage="ngram")}
    assert groups == {"all", "franchise", "source", "genre", "licence"}
    (xz,) = only(tables["scores"], stage="xz")
    texts = [document.text for document in read_split(corpus, "test")]
    assert xz["bits_per_byte"] == pytest.approx(xz_bits(texts) / whole["bytes"])
    assert (xz["low"], xz["tokens"], xz["perplexity_per_token"]) == (None, None, None)


def test_the_figures_are_those_of_the_tables(measured):
    tables, figures = measured
    by = {row["than"]: row for row in only(tables["differences"], group_by="all")}
    for than in ("initial", "ngram"):
        one, other = (
            only(tables["scores"], stage=stage, split="test", group_by="all")[0]["bits_per_byte"]
            for stage in ("trained", than)
        )
        assert by[than]["value"] == pytest.approx(one - other)
        assert figures["difference"][than]["value"] == by[than]["value"]
    assert figures["difference"]["initial"]["high"] < 0  # it has surely learned
    (seen,) = only(tables["scores"], stage="trained", split="train", group_by="all")
    assert figures["gap"]["value"] == pytest.approx(
        figures["bits_per_byte"] - seen["bits_per_byte"]
    )
    assert set(figures["baselines"]) == {"ngram", "xz"}


def test_more_context_foretells_the_same_tokens_better(measured):
    tables, figures = measured
    rows = tables["context"].to_pylist()
    assert [row["context"] for row in rows] == [16, 32, 64]
    assert {(row["tokens"], row["bytes"]) for row in rows} == {
        (rows[0]["tokens"], figures["bytes"])  # so little text is read whole
    }
    assert rows[-1]["bits_per_byte"] == pytest.approx(figures["bits_per_byte"], rel=1e-6)
    assert rows[0]["bits_per_byte"] != rows[-1]["bits_per_byte"]


def test_the_same_inputs_give_the_same_files(
    trained_gru: Path,
    recurrent_spec: Callable[..., ModelSpec],
    corpus: Path,
    tmp_path: Path,
):
    spec = recurrent_spec({"cell": "gru", "layers": [48]})
    for folder in ("one", "other"):
        score(trained_gru, spec, corpus, tmp_path / folder)
    for name in SCHEMAS:
        one, other = (
            sha256((tmp_path / folder / f"{name}.parquet").read_bytes()).hexdigest()
            for folder in ("one", "other")
        )
        assert one == other, name
    curve = pq.read_table(tmp_path / "one" / "context.parquet").to_pylist()
    longest = max(len(document.text) for document in read_split(corpus, "test"))
    assert [row["context"] for row in curve][-2] < longest <= curve[-1]["context"]


def test_a_draw_is_of_ten_works_at_least_and_of_no_more_than_was_asked(corpus: Path):
    drawn = list(draw(corpus, "train", 1500, seed=1))
    texts = {document.doc_id: document.text for document in read_split(corpus, "train")}
    assert len({document.work_id for document in drawn}) >= 10
    assert 1450 <= sum(len(document.text.encode()) for document in drawn) <= 1500
    assert all(texts[document.doc_id].startswith(document.text) for document in drawn)
    assert drawn == list(draw(corpus, "train", 1500, seed=1))
    assert drawn != list(draw(corpus, "train", 1500, seed=2))
    assert len(list(draw(corpus, "train", 10**6, seed=1))) == len(texts)
