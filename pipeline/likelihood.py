"""The negative log-likelihood of documents under a causal language model, in nats.

A document's tokens are scored each once, after the control tokens that stand before a document in
training. What is longer than a model's context is read with a sliding window
(https://huggingface.co/docs/transformers/perplexity), so that nothing is truncated and each token
still sees at least context - stride tokens before it. A recurrent model has no such bound: it reads
every document from its beginning to its end, in chunks between which its state is carried. Many
documents share a forward pass, as many as their logits have room for.
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

#: Tokens that a recurrent model reads of a document at a time.
CHUNK = 128

_UNSCORED = -100


@dataclass(frozen=True)
class _Window:
    document: int
    ids: Tokens  # the tokens fed
    first: int  # the first position whose next token is scored
    targets: Tokens  # the tokens scored, each after a position from `first` on


@torch.inference_mode()
def negative_log_likelihoods(
    model: PreTrainedModel,
    documents: list[Tokens],
    begins: list[list[int]],
    stride: int | None = None,
) -> list[float]:
    """Nats of each document, given as token ids, after the control tokens it begins with.

    `stride`: tokens by which the window advances, by default half of the model's context.
    """
    model.eval()
    context = context_length(model)
    if context is None:
        nats = _carried(model, documents, begins)
    else:
        nats = _windowed(model, documents, begins, context, stride or max(1, context // 2))
    if not all(map(math.isfinite, nats)):
        raise ModelError("the model's likelihoods are not finite; its training failed, train anew")
    return nats


def _windowed(
    model: PreTrainedModel,
    documents: list[Tokens],
    begins: list[list[int]],
    context: int,
    stride: int,
) -> list[float]:
    if not 1 <= stride <= context:
        raise ModelError(f"stride {stride} is not within 1 and the model's context of {context}")
    windows = [
        window
        for index, (ids, begin) in enumerate(zip(documents, begins, strict=True))
        for window in _windows(index, ids, begin, context, stride)
    ]
    windows.sort(key=lambda window: len(window.ids), reverse=True)
    nats = [0.0] * len(documents)
    for batch in _batches(windows, int(model.config.vocab_size)):
        for window, loss in zip(batch, _score_batch(model, batch), strict=True):
            nats[window.document] += loss
    return nats


def _windows(
    index: int, ids: Tokens, begin: list[int], context: int, stride: int
) -> Iterator[_Window]:
    stream = np.concatenate([np.asarray(begin, ids.dtype), ids])
    scored = len(begin) - 1  # position in the stream up to which every token is scored
    while scored < len(stream) - 1:
        stop = min(max(context, scored + stride), len(stream) - 1)
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
    targets = torch.full((len(batch), longest), _UNSCORED)
    for row, window in enumerate(batch):  # padded on the right, where no token looks
        fed[row, : len(window.ids)] = torch.from_numpy(window.ids.astype(np.int64))
        targets[row, window.first : len(window.ids)] = torch.from_numpy(
            window.targets.astype(np.int64)
        )
    logits = model(input_ids=fed.to(model.device), use_cache=False).logits
    return _summed(logits, targets)


def _carried(
    model: PreTrainedModel, documents: list[Tokens], begins: list[list[int]]
) -> list[float]:
    """Each document in one pass, however long, beside others of about its length."""
    nats = [0.0] * len(documents)
    streams = [
        np.concatenate([*pair]).astype(np.int64) for pair in zip(begins, documents, strict=True)
    ]
    order = sorted(range(len(streams)), key=lambda row: len(streams[row]), reverse=True)
    size = max(1, LOGITS_BYTES // (CHUNK * int(model.config.vocab_size) * 4))
    for start in range(0, len(order), size):
        rows = order[start : start + size]
        state = None
        for at in range(0, len(streams[rows[0]]) - 1, CHUNK):
            # Those that go on are the first, for they are the longest; the others are let go.
            rows = [row for row in rows if len(streams[row]) - 1 > at]
            if state is not None:
                state.reorder_cache(torch.arange(len(rows)))
            fed = torch.zeros(len(rows), CHUNK, dtype=torch.long)
            targets = torch.full((len(rows), CHUNK), _UNSCORED)
            for index, row in enumerate(rows):
                some = streams[row][at : at + CHUNK + 1]
                fed[index, : len(some) - 1] = torch.from_numpy(some[:-1])
                first = max(0, len(begins[row]) - 1 - at)  # after the control tokens
                targets[index, first : len(some) - 1] = torch.from_numpy(some[first + 1 :])
            output = model(input_ids=fed.to(model.device), past_key_values=state, use_cache=True)
            state = output.past_key_values
            for row, loss in zip(rows, _summed(output.logits, targets), strict=True):
                nats[row] += loss
    return nats


def _summed(logits: torch.Tensor, targets: torch.Tensor) -> list[float]:
    """Nats of each row's targets; shapes (rows, tokens, vocabulary) and (rows, tokens)."""
    losses = torch.nn.functional.cross_entropy(
        logits.float().flatten(0, 1),
        targets.flatten().to(logits.device),
        ignore_index=_UNSCORED,
        reduction="none",
    )
    summed: list[float] = losses.view(targets.shape).double().sum(1).tolist()
    return summed
