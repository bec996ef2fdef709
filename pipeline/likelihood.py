"""The negative log-likelihood of documents under a causal language model, in nats.

A document's tokens are scored each once, the first after the end token that stands before every
document in training. What is longer than the context is read with a sliding window
(https://huggingface.co/docs/transformers/perplexity), so that nothing is truncated and each token
still sees at least context - stride tokens before it. Windows of many documents share a forward
pass, as many as their logits have room for.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from transformers import PreTrainedModel

from pipeline.model_spec import ModelError
from pipeline.models.initial import context_length
from pipeline.training.packing import Tokens

#: Bytes of logits held at once; they dwarf everything else (GPT-2: 50,257 x 4 bytes a token).
LOGITS_BYTES = 256 * 2**20


@dataclass(frozen=True)
class _Window:
    document: int
    ids: Tokens  # the tokens fed
    first: int  # the first position whose next token is scored
    targets: Tokens  # the tokens scored, each after a position from `first` on


@torch.inference_mode()
def negative_log_likelihoods(
    model: PreTrainedModel, documents: list[Tokens], end: int, stride: int | None = None
) -> list[float]:
    """Nats of each document, given as token ids, after the `end` token.

    `stride`: tokens by which the window advances, by default half of the model's context.
    """
    model.eval()
    context = context_length(model)
    stride = stride or max(1, context // 2)
    if not 1 <= stride <= context:
        raise ModelError(f"stride {stride} is not within 1 and the model's context of {context}")
    windows = [
        window
        for index, ids in enumerate(documents)
        for window in _windows(index, ids, end, context, stride)
    ]
    windows.sort(key=lambda window: len(window.ids), reverse=True)
    nats = [0.0] * len(documents)
    for batch in _batches(windows, int(model.config.vocab_size)):
        for window, loss in zip(batch, _score_batch(model, batch), strict=True):
            nats[window.document] += loss
    if not all(map(math.isfinite, nats)):
        raise ModelError("the model's likelihoods are not finite; its training failed, train anew")
    return nats


def _windows(index: int, ids: Tokens, end: int, context: int, stride: int) -> Iterator[_Window]:
    stream = np.concatenate([np.asarray([end], ids.dtype), ids])
    scored = 0  # position in the stream up to which every token is scored
    while scored < len(ids):
        stop = min(max(context, scored + stride), len(ids))
        start = max(0, stop - context)
        yield _Window(index, stream[start:stop], scored - start, stream[scored + 1 : stop + 1])
        scored = stop


def _batches(windows: list[_Window], vocabulary: int) -> Iterator[list[_Window]]:
    """Neighbours in length together, as many as their logits have room for, one at least."""
    start = 0
    while start < len(windows):
        a_row = len(windows[start].ids) * vocabulary * 4
        size = max(1, LOGITS_BYTES // a_row)
        yield windows[start : start + size]
        start += size


def _score_batch(model: PreTrainedModel, batch: list[_Window]) -> list[float]:
    longest = max(len(window.ids) for window in batch)
    fed = torch.zeros(len(batch), longest, dtype=torch.long)
    targets = torch.full((len(batch), longest), -100)
    for row, window in enumerate(batch):  # padded on the right, where no token looks
        fed[row, : len(window.ids)] = torch.from_numpy(window.ids.astype(np.int64))
        targets[row, window.first : len(window.ids)] = torch.from_numpy(
            window.targets.astype(np.int64)
        )
    logits = model(input_ids=fed.to(model.device), use_cache=False).logits.float()
    losses = torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), targets.flatten().to(model.device), reduction="none"
    )
    summed: list[float] = losses.view(len(batch), longest).double().sum(1).tolist()
    return summed
