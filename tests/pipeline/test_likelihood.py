"""Nats of documents, against a plain computation with nothing clever in it."""

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers.modeling_outputs import CausalLMOutput

from pipeline import likelihood
from pipeline.likelihood import negative_log_likelihoods
from pipeline.likelihood.head import in_parts
from pipeline.likelihood.products import quick_products
from pipeline.model_spec import ModelError
from pipeline.models.framing import frame_of
from pipeline.models.initial import load_trained
from pipeline.models.tokenizers import end_token
from tests.pipeline.plain_likelihood import in_one_pass, naive


@pytest.mark.parametrize("stride", [None, 1, 20, 64])
@pytest.mark.parametrize("room", [2**28, 1, 100_000])
def test_it_equals_the_plain_computation(
    trained: Path, stride: int | None, room: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(likelihood.PASS_BYTES, "cpu", room)  # batches of all, one, a few
    model, tokenizer = load_trained(trained / "final")
    end = end_token(tokenizer)
    stream = np.random.default_rng(0)
    lengths = (0, 1, 5, 63, 64, 65, 66, 150)
    documents = [stream.integers(1, len(tokenizer), n).astype(np.int32) for n in lengths]
    found = negative_log_likelihoods(model, documents, [[end]] * len(documents), stride)
    for ids, nats in zip(documents, found, strict=True):
        expected = naive(model, ids.tolist(), end, 64, stride or 32)
        assert nats == pytest.approx(expected, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("room", [2**28, 1, 500_000])
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


@pytest.mark.parametrize("room", [2**28, 1])
def test_a_recurrent_model_with_a_bound_forgets_what_stands_before_it(
    trained_lstm: Path, room: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(likelihood, "LOGITS_BYTES", room)
    model, tokenizer = load_trained(trained_lstm / "final")
    (start,) = frame_of(tokenizer).begin(None)
    stream = np.random.default_rng(0)
    documents = [stream.integers(5, len(tokenizer), n).astype(np.int32) for n in (2, 3, 80)]
    found = negative_log_likelihoods(model, documents, [[start]] * 3, stride=1, context=3)
    whole = negative_log_likelihoods(model, documents, [[start]] * 3)
    for ids, nats, unbound in zip(documents, found, whole, strict=True):
        assert nats == pytest.approx(naive(model, ids.tolist(), start, 3, 1), rel=1e-6)
        assert (nats == pytest.approx(unbound, rel=1e-6)) is (len(ids) <= 3)


def test_a_context_beyond_the_models_is_refused(trained: Path):
    model, tokenizer = load_trained(trained / "final")
    document = [np.array([1], np.int32)]
    with pytest.raises(ModelError, match="context 65 is beyond the model's, which is 64"):
        negative_log_likelihoods(model, document, [[end_token(tokenizer)]], context=65)


def test_a_model_that_does_more_to_its_logits_is_taken_whole(trained: Path):
    model, tokenizer = load_trained(trained / "final")
    end = end_token(tokenizer)
    ids = np.random.default_rng(0).integers(1, len(tokenizer), 100).astype(np.int32)
    assert in_parts(model, torch.tensor([[end, 5, 9]])) is not None
    model.register_forward_hook(_capped)
    assert in_parts(model, torch.tensor([[end, 5, 9]])) is None
    (found,) = negative_log_likelihoods(model, [ids], [[end]])
    assert found == pytest.approx(naive(model, ids.tolist(), end, 64, 32), rel=1e-6)


def _capped(model: torch.nn.Module, given: object, output: CausalLMOutput) -> CausalLMOutput:
    """As Gemma 2 caps its logits, but lower, for a tiny model's are small."""
    output.logits = torch.tanh(output.logits)
    return output


def test_products_of_matrices_are_quick_within_a_measurement_and_as_before_after_it(trained: Path):
    model, tokenizer = load_trained(trained / "final")
    ids = torch.tensor([[end_token(tokenizer), 5, 9, 7]])
    products = torch.backends.mkldnn.matmul
    before = products.fp32_precision
    with torch.inference_mode():
        exact = model(input_ids=ids).logits
        with quick_products(model, ids):
            assert torch.allclose(model(input_ids=ids).logits, exact, rtol=1e-5, atol=1e-5)
        with pytest.raises(KeyboardInterrupt), quick_products(model, ids):
            raise KeyboardInterrupt
    assert products.fp32_precision == before
    assert all("forward" not in vars(part) for part in model.modules())


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
