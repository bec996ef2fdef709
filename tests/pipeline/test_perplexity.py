"""Bits per byte, against a plain computation with nothing clever in it."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from pipeline import likelihood
from pipeline.corpus import read_split
from pipeline.likelihood import negative_log_likelihoods
from pipeline.model_spec import ModelError, ModelSpec
from pipeline.models.framing import frame_of
from pipeline.models.initial import load_initial, load_trained
from pipeline.models.tokenizers import encode, end_token
from pipeline.perplexity import score
from pipeline.schema import SCORES


def naive(model: torch.nn.Module, ids: list[int], end: int, context: int, stride: int) -> float:
    """Each token by itself, in a forward pass of its own, in the window that scores it."""
    stream = [end, *ids]
    nats = 0.0
    for position in range(1, len(stream)):
        if position <= context:
            start = 0
        else:
            steps = math.ceil((position - context) / stride)
            start = min(context + steps * stride, len(ids)) - context
        with torch.inference_mode():
            logits = model(input_ids=torch.tensor([stream[start:position]])).logits[0, -1]
        nats -= float(logits.double().log_softmax(0)[stream[position]])
    return nats


@pytest.mark.parametrize("stride", [None, 1, 20, 64])
@pytest.mark.parametrize("room", [likelihood.LOGITS_BYTES, 1, 100_000])
def test_it_equals_the_plain_computation(
    trained: Path, stride: int | None, room: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(likelihood, "LOGITS_BYTES", room)  # batches of all, one, a few
    model, tokenizer = load_trained(trained / "final")
    end = end_token(tokenizer)
    stream = np.random.default_rng(0)
    lengths = (0, 1, 5, 63, 64, 65, 66, 150)
    documents = [stream.integers(1, len(tokenizer), n).astype(np.int32) for n in lengths]
    found = negative_log_likelihoods(model, documents, [[end]] * len(documents), stride)
    for ids, nats in zip(documents, found, strict=True):
        expected = naive(model, ids.tolist(), end, 64, stride or 32)
        assert nats == pytest.approx(expected, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("room", [likelihood.LOGITS_BYTES, 1, 500_000])
def test_a_recurrent_model_reads_each_document_in_one_pass(
    trained_lstm: Path, room: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(likelihood, "LOGITS_BYTES", room)  # batches of all, one, a few
    model, tokenizer = load_trained(trained_lstm / "final")
    frame = frame_of(tokenizer)
    stream = np.random.default_rng(0)
    lengths = (0, 1, 127, 128, 129, 20, 600, 2, 385)
    documents = [stream.integers(5, len(tokenizer), n).astype(np.int32) for n in lengths]
    begins = [frame.begin("sci_fi" if n % 2 else None) for n in lengths]
    found = negative_log_likelihoods(model, documents, begins)
    for ids, begin, nats in zip(documents, begins, found, strict=True):
        assert nats == pytest.approx(in_one_pass(model, begin, ids.tolist()), rel=1e-6, abs=1e-9)


def in_one_pass(model: torch.nn.Module, begin: list[int], ids: list[int]) -> float:
    """A document under a model that nothing bounds, with nothing clever in it."""
    stream = torch.tensor([[*begin, *ids]])
    with torch.inference_mode():
        likely = model.eval()(input_ids=stream).logits[0].double().log_softmax(1)
    return -sum(
        float(likely[place - 1, stream[0, place]]) for place in range(len(begin), stream.shape[1])
    )


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
    rows = {(r["stage"], r["group_by"], r["group"]): r for r in table.to_pylist()}
    documents = list(read_split(corpus, "test"))
    assert told[-1] == ("trained", len(documents))

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
    rows = [row for row in rows if row["stage"] == "trained"]
    assert {row["split"] for row in rows} == {"validation"}
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


def test_likelihoods_that_are_no_numbers_are_no_figure(trained: Path):
    model, tokenizer = load_trained(trained / "final")
    with torch.no_grad():
        model.transformer.ln_f.bias.fill_(torch.nan)
    with pytest.raises(ModelError, match="not finite"):
        negative_log_likelihoods(model, [np.array([1, 2], np.int32)], [[end_token(tokenizer)]])


def test_a_stride_beyond_the_context_is_refused(trained: Path):
    model, tokenizer = load_trained(trained / "final")
    with pytest.raises(ModelError, match="stride 65 is not within 1 and the model's context of 64"):
        negative_log_likelihoods(model, [np.array([1], np.int32)], [[end_token(tokenizer)]], 65)
