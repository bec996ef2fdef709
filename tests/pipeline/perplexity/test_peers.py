"""The figure is that of the field: lm-eval's rolling likelihood, and transformers' documentation.

Both have their windows, and ours can be the same: lm-eval's are apart, so the stride is the whole
context; the documentation's feed the last token too, which foretells nothing, so the context is one
less than their length.
"""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from pipeline.corpus import read_split
from pipeline.likelihood import negative_log_likelihoods
from pipeline.models.framing import frame_of
from pipeline.models.initial import load_trained
from pipeline.models.tokenizers import encode
from tests.real_model import play


def bits_apart(text: str, nats: float, other: float) -> float:
    """Bits per byte between two likelihoods of a text."""
    return abs(nats - other) / math.log(2) / len(text.encode())


def by_lm_eval(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, text: str, context: int
) -> float:
    """Nats of the text as `wikitext` and its like are scored."""
    rolling = HFLM(model, tokenizer=tokenizer, device="cpu", max_length=context)
    asked = Instance("loglikelihood_rolling", doc={}, arguments=(text,), idx=0)
    return -float(rolling.loglikelihood_rolling([asked], disable_tqdm=True)[0])


def by_documentation(
    model: PreTrainedModel, ids: list[int], max_length: int, stride: int
) -> tuple[float, int]:
    """Nats of all ids but the first, and how many, as the page "Perplexity of fixed-length models"
    of transformers' documentation computes them.
    """
    input_ids = torch.tensor([ids])
    nats, tokens, previous = 0.0, 0, 0
    for begin in range(0, len(ids), stride):
        end = min(begin + max_length, len(ids))
        target_ids = input_ids[:, begin:end].clone()
        target_ids[:, : previous - end] = -100
        with torch.no_grad():
            loss = model(input_ids[:, begin:end], labels=target_ids).loss
        scored = int((target_ids != -100).sum()) - (begin == 0)  # labels are shifted within
        nats += float(loss) * scored
        tokens += scored
        previous = end
        if end == len(ids):
            break
    return nats, tokens


def check_against_both(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    text: str,
    context: int,
    stride: int,
) -> None:
    """Our figure of the text on lm-eval's windows and on the documentation's, beside theirs."""
    (ids,), begin = encode(tokenizer, [text]), frame_of(tokenizer).begin(None)
    (ours,) = negative_log_likelihoods(model, [ids], [begin], stride=context, context=context)
    assert bits_apart(text, ours, by_lm_eval(model, tokenizer, text, context)) < 1e-4

    # Its last window may be shorter than ours, which reaches back as far as the others: here the
    # text ends with a window.
    ids = ids[: context + (len(ids) - context) // stride * stride]
    (ours,) = negative_log_likelihoods(model, [ids], [begin], stride, context)
    theirs, tokens = by_documentation(model, [*begin, *ids.tolist()], context + 1, stride)
    assert tokens == len(ids)
    assert bits_apart(tokenizer.decode(ids), ours, theirs) < 1e-4
    assert ours == pytest.approx(theirs, rel=1e-5)


@pytest.mark.parametrize("stride", [16, 32, 63])
def test_a_tiny_models_figure_is_that_of_lm_eval_and_of_the_documentation(
    trained: Path, corpus: Path, stride: int
) -> None:
    model, tokenizer = load_trained(trained / "final")
    text = "\n".join(document.text for document in read_split(corpus, "test"))
    check_against_both(model, tokenizer, text, 63, stride)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_real_models_figure_is_that_of_lm_eval_and_of_the_documentation(
    real_model: Path, real_books: Path
) -> None:
    model, tokenizer = load_trained(real_model)
    scene = play(real_books)[20_000:25_000]
    check_against_both(model, tokenizer, scene, 255, 128)
    (ids,) = encode(tokenizer, [scene])
    (nats,) = negative_log_likelihoods(model, [ids], [frame_of(tokenizer).begin(None)])
    assert nats / math.log(2) / len(scene.encode()) < 2  # it has read English: chance is 8
    assert np.isfinite(nats)
