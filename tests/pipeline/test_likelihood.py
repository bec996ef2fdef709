"""Nats of documents, against a plain computation with nothing clever in it."""

from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline import likelihood
from pipeline.likelihood import negative_log_likelihoods
from pipeline.model_spec import ModelError
from pipeline.models.framing import frame_of
from pipeline.models.initial import load_trained
from pipeline.models.tokenizers import end_token
from tests.pipeline.plain_likelihood import in_one_pass, naive


@pytest.mark.parametrize("stride", [None, 1, 20, 64])
@pytest.mark.parametrize("room", [likelihood.LOGITS_BYTES, 1, 100_000])
def test_it_equals_the_plain_computation(
    trained: Path, stride: int | None, room: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(likelihood, "LOGITS_BYTES", room)  # rows of logits: all, one, a few
    monkeypatch.setattr(likelihood, "PASS_BYTES", 10 * room)  # batches of all, one, a few
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
