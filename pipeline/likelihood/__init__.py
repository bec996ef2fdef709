"""The negative log-likelihood of documents under a causal language model, in nats.

A document's tokens are scored each once, after the control tokens that stand before a document in
training. What is longer than a model's context is read with a sliding window
(https://huggingface.co/docs/transformers/perplexity), so that nothing is truncated and each token
still sees at least context - stride tokens before it; the last window reaches back as far as the
others do, as lm-eval has it. With a stride of the whole context the windows are those of lm-eval. A
recurrent model has no such bound: it reads every document from its beginning to its end, in chunks
between which its state is carried.

No window is computed twice; windows of about one length share a forward pass; logits are made only
where a token is scored, and few at a time, so that they stay within the processor's cache.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from transformers import PreTrainedModel

from pipeline.likelihood.head import Parts, in_parts
from pipeline.likelihood.products import quick_products
from pipeline.model_spec import ModelError
from pipeline.models.initial import context_length
from pipeline.training.packing import Tokens

#: Bytes of logits held at once where the model makes them itself.
LOGITS_BYTES = 256 * 2**20

#: Bytes of logits held at once where they are made apart, and of what else a forward pass holds, as
#: estimated below: on a CPU about what its caches hold, on a GPU what keeps it busy.
PASS_BYTES = {"cpu": 16 * 2**20, "cuda": 2**30, "mps": 2**28}

#: Widths of a token's activations that are alive at once: a feed-forward layer's four, in and out
#: of its nonlinearity, and what attention takes.
_WIDTHS = 16

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
    context: int | None = None,
) -> list[float]:
    """Nats of each document, given as token ids, after the control tokens it begins with.

    `context`: the most tokens that any token is foretold from, by default all that the model
    attends to; a recurrent model then reads in windows too, each from an empty state. `stride`:
    tokens by which the window advances, by default half of the context. Raises ModelError where
    they do not fit the model, or where its output is no number.
    """
    model.eval()
    most = context_length(model)
    if context is None and most is None:
        nats = _carried(model, documents, begins)
    else:
        context = context or most
        assert context is not None
        if most is not None and context > most:
            raise ModelError(f"context {context} is beyond the model's, which is {most}")
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
    nats = [0.0] * len(documents)
    if not windows:
        return nats
    windows.sort(key=lambda window: len(window.ids), reverse=True)
    longest = torch.from_numpy(windows[0].ids.astype(np.int64))[None].to(model.device)
    parts = in_parts(model, longest)
    with quick_products(model, longest):
        for batch in _batches(windows, _room_of_a_token(model, parts)):
            for window, loss in zip(batch, _score_batch(model, parts, batch), strict=True):
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


def _room_of_a_token(model: PreTrainedModel, parts: Parts | None) -> float:
    """A token's share of what a pass may hold; without parts that is all of its logits."""
    if parts is None:
        return int(model.config.vocab_size) * 4 / LOGITS_BYTES
    return _WIDTHS * parts.width * 4 / PASS_BYTES[model.device.type]


def _batches(windows: list[_Window], room_of_a_token: float) -> Iterator[list[_Window]]:
    """Neighbours in length together, as many as there is room for, one at least."""
    start = 0
    while start < len(windows):
        size = max(1, int(1 / (len(windows[start].ids) * room_of_a_token)))
        yield windows[start : start + size]
        start += size


def _score_batch(model: PreTrainedModel, parts: Parts | None, batch: list[_Window]) -> list[float]:
    """Nats of each window's targets."""
    longest = max(len(window.ids) for window in batch)
    fed = torch.zeros(len(batch), longest, dtype=torch.long)
    for row, window in enumerate(batch):  # padded on the right, where no token looks
        fed[row, : len(window.ids)] = torch.from_numpy(window.ids.astype(np.int64))
    rows = np.repeat(np.arange(len(batch)), [len(window.targets) for window in batch])
    places = np.concatenate([np.arange(window.first, len(window.ids)) for window in batch])
    targets = np.concatenate([window.targets for window in batch]).astype(np.int64)
    scored = torch.from_numpy(rows * longest + places).to(model.device)
    if parts is None:
        made = model(input_ids=fed.to(model.device), use_cache=False).logits
        found = _nats(made.flatten(0, 1)[scored], targets)
    else:
        hidden = parts.hidden(fed.to(model.device)).flatten(0, 1)[scored]
        at_once = max(1, PASS_BYTES[model.device.type] // (int(model.config.vocab_size) * 4))
        found = np.concatenate(
            [
                _nats(parts.head(hidden[at : at + at_once]), targets[at : at + at_once])
                for at in range(0, len(hidden), at_once)
            ]
        )
    summed: list[float] = np.bincount(rows, found, minlength=len(batch)).tolist()
    return summed


def _nats(logits: Tensor, targets: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Of each target, from logits (targets, vocabulary)."""
    losses = torch.nn.functional.cross_entropy(
        logits.float(), torch.from_numpy(targets).to(logits.device), reduction="none"
    )
    return np.asarray(losses.double().cpu().numpy())


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
