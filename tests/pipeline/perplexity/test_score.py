"""Bits per byte of a corpus's held-out text, against a plain computation."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipeline.corpus import read_split
from pipeline.model_spec import ModelError, ModelSpec
from pipeline.models.framing import frame_of
from pipeline.models.initial import load_initial, load_trained
from pipeline.models.tokenizers import encode, end_token
from pipeline.perplexity import score
from pipeline.schema import SCORES
from tests.pipeline.plain_likelihood import in_one_pass, naive


@pytest.mark.parametrize("folder", ["trained_lstm", "trained_gru"])
def test_a_document_is_scored_after_its_genre_where_the_model_knows_it(
    folder: str,
    request: pytest.FixtureRequest,
    genre_corpus: Path,
    tmp_path: Path,
):
    folder = request.getfixturevalue(folder)
    spec = ModelSpec.model_validate(json.loads((folder / "training.json").read_text())["spec"])
    figures = score(folder, spec, genre_corpus, tmp_path)
    model, tokenizer = load_trained(folder / "final")
    frame = frame_of(tokenizer)
    documents = list(read_split(genre_corpus, "test"))
    nats, genres = 0.0, 0
    for document, ids in zip(
        documents, encode(tokenizer, [d.text for d in documents]), strict=True
    ):
        begin = frame.begin(document.genre)
        genres += len(begin) - 1
        nats += in_one_pass(model, begin, ids.tolist())
    size = sum(len(document.text.encode()) for document in documents)
    assert figures["bits_per_byte"] == pytest.approx(nats / math.log(2) / size, rel=1e-6)
    assert genres == sum(d.genre is not None for d in documents) * bool(frame.genres)
    assert bool(genres) == (folder.name == "lstm")  # the other begins with its start token only
    assert figures["bits_per_byte_initial"] == pytest.approx(math.log2(len(tokenizer)), abs=0.3)
    assert figures["bits_per_byte"] < figures["bits_per_byte_initial"] - 2


def test_a_model_is_scored_before_and_after(
    trained: Path, tales_spec: ModelSpec, corpus: Path, tmp_path: Path
):
    told: list[tuple[str, int]] = []
    figures = score(trained, tales_spec, corpus, tmp_path, report=lambda *a: told.append(a))
    table = pq.read_table(tmp_path / "scores.parquet")
    assert table.schema.equals(SCORES)
    held_out = [row for row in table.to_pylist() if row["split"] == "test"]
    rows = {(r["stage"], r["group_by"], r["group"]): r for r in held_out}
    documents = list(read_split(corpus, "test"))
    for scorer in ("initial", "trained", "ngram", "trained, context of 16"):
        assert (scorer, len(documents)) in told

    model, tokenizer = load_trained(trained / "final")
    encoded = encode(tokenizer, [document.text for document in documents])
    initial, _ = load_initial(tales_spec, corpus)
    for stage, its in (("initial", initial), ("trained", model)):
        its.eval()
        nats = sum(naive(its, ids.tolist(), end_token(tokenizer), 64, 32) for ids in encoded)
        row = rows[stage, "all", "all"]
        size = sum(len(document.text.encode()) for document in documents)
        assert row["bytes"] == size
        assert row["tokens"] == sum(map(len, encoded))
        assert row["words"] == sum(len(document.text.split()) for document in documents)
        assert row["nats"] == pytest.approx(nats, rel=1e-6)
        assert row["bits_per_byte"] == pytest.approx(nats / math.log(2) / size, rel=1e-6)
        assert row["perplexity_per_token"] == pytest.approx(math.exp(nats / row["tokens"]), 1e-5)
        assert row["perplexity_per_word"] == pytest.approx(math.exp(nats / row["words"]), 1e-4)
    assert figures["bits_per_byte"] == rows["trained", "all", "all"]["bits_per_byte"]
    assert figures["bits_per_byte"] < figures["bits_per_byte_initial"] - 0.5
    assert set(figures["by_source"]) == {
        f"{document.franchise}/{document.source}" for document in documents
    }


def test_the_groups_add_up(trained: Path, tales_spec: ModelSpec, corpus: Path, tmp_path: Path):
    score(trained, tales_spec, corpus, tmp_path, split="validation")
    rows = pq.read_table(tmp_path / "scores.parquet").to_pylist()
    assert {row["split"] for row in rows} == {"validation", "train"}
    rows = [row for row in rows if (row["stage"], row["split"]) == ("trained", "validation")]
    whole = next(row for row in rows if row["group_by"] == "all")
    for group_by in ("franchise", "source"):
        for column in ("documents", "bytes", "tokens", "words", "nats"):
            parts = sum(row[column] for row in rows if row["group_by"] == group_by)
            assert parts == pytest.approx(whole[column])
    with_genre = [d for d in read_split(corpus, "validation") if d.genre is not None]
    fable = next(row for row in rows if row["group_by"] == "genre")
    assert (fable["group"], fable["documents"]) == ("fable", len(with_genre))


def test_an_empty_split_is_no_figure(
    trained: Path,
    tales_spec: ModelSpec,
    corpus: Path,
    write_corpus: Callable[..., Path],
    tmp_path: Path,
):
    texts = [(document.text, document.source, None) for document in read_split(corpus, "train")]
    without = write_corpus(tmp_path / "corpus", {"train": texts})
    with pytest.raises(ModelError, match=r"the test split of .* is empty"):
        score(trained, tales_spec, without, tmp_path / "scores")
    assert not (tmp_path / "scores").exists()
