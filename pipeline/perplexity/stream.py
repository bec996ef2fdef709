"""Nats of a stream of tokens that may be longer than memory, span by span.

The windows are those in which `pipeline.likelihood` reads a document as long as the stream, and a
recurrent model carries its state from the beginning to the end, so that the sum is the same.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from transformers import PreTrainedModel

from pipeline.likelihood import negative_log_likelihoods
from pipeline.model_spec import ModelError
from pipeline.models.initial import context_length
from pipeline.perplexity.long_text import Encoded
from pipeline.training.packing import Tokens, batched

#: Tokens fed to the model between one report of progress and the next.
TOKENS_AT_ONCE = 1 << 14
#: Tokens that a recurrent model reads at a time, and that are a span of its own.
CHUNK = 512

_Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Span:
    """Tokens one after the other that were scored together."""

    start: int  # byte of the text at which the first begins
    tokens: int
    nats: float


@dataclass(frozen=True)
class Reading:
    """How a model reads a long text. Raises ModelError where that does not fit the model."""

    context: int | None  # tokens that a token is foretold from at most; None: all before it
    stride: int | None  # tokens by which the window moves; None where there is no window

    @classmethod
    def of(cls, model: PreTrainedModel, context: int | None, stride: int | None) -> "Reading":
        """All that the model attends to, and half of it, where they are not said."""
        most = context_length(model)
        if context is None and most is None:
            if stride is not None:
                raise ModelError(
                    "a recurrent model reads a text in one pass and has no window to move by "
                    f"{stride} tokens; leave the stride out, or give a context too"
                )
            return cls(None, None)
        context = context or most
        assert context is not None
        if most is not None and context > most:
            raise ModelError(f"context {context} is beyond the model's, which is {most}")
        stride = stride or max(1, context // 2)
        if stride > context:
            raise ModelError(f"stride {stride} is not within 1 and the context of {context}")
        return cls(context, stride)


def spans(
    model: PreTrainedModel, text: Iterable[Encoded], begin: list[int], reading: Reading
) -> Iterator[Span]:
    """Every token of `text` once, after the control tokens `begin`, as soon as it is scored.

    Raises ModelError where the model's output is no number.
    """
    if reading.context is None or reading.stride is None:
        return _carried(model, text, begin)
    return _windowed(model, text, begin, reading.context, reading.stride)


@dataclass(frozen=True)
class _Window:
    start: int  # as of a span
    before: Tokens  # fed, and not scored in this window
    scored: Tokens


def _windowed(
    model: PreTrainedModel, text: Iterable[Encoded], begin: list[int], context: int, stride: int
) -> Iterator[Span]:
    for some in batched(_windows(text, begin, context, stride), max(1, TOKENS_AT_ONCE // context)):
        # Each is a document by itself, no longer than the context: one window, computed once.
        nats = negative_log_likelihoods(
            model,
            [window.scored for window in some],
            [window.before.tolist() for window in some],
            context=context,
        )
        for window, loss in zip(some, nats, strict=True):
            yield Span(window.start, len(window.scored), loss)


def _windows(
    text: Iterable[Encoded], begin: list[int], context: int, stride: int
) -> Iterator[_Window]:
    ids = np.asarray(begin, np.int32)  # of the stream, what a window to come may need
    starts: _Places = np.zeros(len(begin), np.int64)
    dropped = 0  # tokens of the stream before these
    scored = len(begin) - 1  # the last one that is scored, counted in the stream
    for part in text:
        ids, starts = np.concatenate([ids, part.ids]), np.concatenate([starts, part.starts])
        while (stop := max(context, scored + stride)) < dropped + len(ids):
            yield _window(ids, starts, dropped, scored, stop, context)
            scored = stop
        past = max(0, scored + 1 - context - dropped)
        ids, starts, dropped = ids[past:], starts[past:], dropped + past
    if (stop := dropped + len(ids) - 1) > scored:
        yield _window(ids, starts, dropped, scored, stop, context)


def _window(
    ids: Tokens, starts: _Places, dropped: int, scored: int, stop: int, context: int
) -> _Window:
    """The window that feeds what stands before `stop` and scores what comes after `scored`."""
    first = max(0, stop - context) - dropped
    after = scored + 1 - dropped
    return _Window(int(starts[after]), ids[first:after], ids[after : stop + 1 - dropped])


@torch.inference_mode()
def _carried(model: PreTrainedModel, text: Iterable[Encoded], begin: list[int]) -> Iterator[Span]:
    model.eval()
    state = None
    fed = torch.tensor([begin[:-1]], dtype=torch.long)
    if len(begin) > 1:
        state = model(input_ids=fed.to(model.device), use_cache=True).past_key_values
    last = begin[-1]
    for part in text:
        for at in range(0, len(part.ids), CHUNK):
            targets = torch.from_numpy(part.ids[at : at + CHUNK].astype(np.int64))
            fed = torch.cat([torch.tensor([last]), targets[:-1]])[None]
            output = model(input_ids=fed.to(model.device), past_key_values=state, use_cache=True)
            state, last = output.past_key_values, int(targets[-1])
            losses = torch.nn.functional.cross_entropy(
                output.logits[0].float(), targets.to(model.device), reduction="none"
            )
            nats = float(losses.double().sum())
            if not math.isfinite(nats):
                raise ModelError(
                    "the model's likelihoods are not finite; its training failed, train anew"
                )
            yield Span(int(part.starts[at]), len(targets), nats)
