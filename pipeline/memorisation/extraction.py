"""Extractable memorisation (Carlini et al. 2023, "Quantifying memorization").

A passage of the training text is extractable where the model, given its first 50 tokens, goes on
with the next 50 exactly, taking the likeliest token each time. One pass over all of them tells:
where each of the 50 is the likeliest after the true ones before it, greedy drawing would have drawn
them. Tokens are the model's own: 50 of a model of characters are 50 characters.

A passage lies within one document, and its prefix stands before the model as it stood in training:
at a document's beginning after the control tokens, its genre's among them, or where a block began
in the midst of a document, with nothing before it. A small model that knows its text by heart knows
it from there, not from anywhere: one of 2 layers that had seen 550 tokens 270 times over, and
foretold them with a loss of 0.01 nats, went on with 2 of 100 prefixes from other places.
"""

import heapq
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import count, groupby
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from pipeline.corpus import CorpusDocument
from pipeline.model_spec import ModelError
from pipeline.models.framing import frame_of
from pipeline.models.initial import context_length
from pipeline.models.tokenizers import encode
from pipeline.training.packing import Tokens, batched

#: Tokens that are given and tokens that must follow: Carlini et al.'s shortest prefix, and what
#: they call a continuation throughout.
PREFIX = CONTINUATION = 50
_LENGTH = PREFIX + CONTINUATION
#: Tokens of the continuation that are looked at: most models are wrong within a few, and then the
#: rest need not be read.
_LOOKS = (4, CONTINUATION)
#: Bytes of logits held at once.
_LOGITS_BYTES = 256 * 2**20
#: Passages of a pass at most, for what the layers hold beside the logits.
_ROWS = 64
#: Passages after which it is said how many were tried.
_REPORTED = 250
_DOCUMENTS_AT_ONCE = 64


@dataclass(frozen=True)
class Trial:
    """A passage that a model is tried on."""

    begin: list[int]  # the control tokens before it; none in the midst of a document
    tokens: Tokens  # shape (100,): prefix and continuation


def draw_passages(
    documents: Iterable[CorpusDocument],
    tokenizer: PreTrainedTokenizerBase,
    most: int,
    seed: int,
    stride: int,
) -> list[Trial]:
    """At most `most` passages of a split, each that there is as likely as any other, none twice.

    `documents` are all of the split, in order; `stride`: tokens by which one block of a training
    on it begins after another. Fewer, where there are no more; none where no document has 100
    tokens. The same for the same arguments; memory holds what is drawn and some documents.
    """
    frame = frame_of(tokenizer)
    rng = np.random.default_rng(seed)
    # Every place draws a number, and the lowest win; on top of the heap is the highest of them.
    drawn: list[tuple[float, int, Trial]] = []
    order = count()
    at = 0  # of the stream of documents that blocks are cut from
    for some in batched(documents, _DOCUMENTS_AT_ONCE):
        texts = encode(tokenizer, [document.text for document in some])
        for document, ids in zip(some, texts, strict=True):
            begin = frame.begin(document.genre)
            at += len(begin)
            places = np.array([0, *range(-at % stride or stride, len(ids), stride)])
            places = places[places + _LENGTH <= len(ids)]
            at += len(ids) + (frame.end != frame.start)
            numbers = rng.random(len(places))
            for nth in np.argsort(numbers)[:most]:
                if len(drawn) == most and numbers[nth] >= -drawn[0][0]:
                    break
                place = int(places[nth])
                tokens = ids[place : place + _LENGTH].copy()
                trial = Trial([] if place else begin, tokens)
                push = heapq.heappush if len(drawn) < most else heapq.heappushpop
                push(drawn, (-float(numbers[nth]), next(order), trial))
    return [trial for *_, trial in sorted(drawn, key=lambda entry: entry[:2])]


def no_extraction(model: PreTrainedModel, trials: list[Trial]) -> str | None:
    """Why the model cannot be tried on these passages; None where it can."""
    if not trials:
        return f"no document of the training text has {_LENGTH} tokens"
    context = context_length(model)
    needed = max(len(trial.begin) for trial in trials) + _LENGTH - 1
    if context is not None and context < needed:
        return (
            f"the model's context of {context} tokens is too short for {PREFIX} tokens and the "
            f"{CONTINUATION} after them"
        )
    return None


@torch.inference_mode()
def extracted(
    model: PreTrainedModel,
    trials: list[Trial],
    report: Callable[[int], None] = lambda tried: None,
) -> int:
    """How many of the passages the model goes on with token by token.

    `report` is told how many were tried. Raises ModelError where a logit is no number.
    """
    model.eval()
    rows = min(_ROWS, max(1, _LOGITS_BYTES // (CONTINUATION * int(model.config.vocab_size) * 4)))
    found = tried = 0
    by_frame = sorted(trials, key=lambda trial: len(trial.begin))
    for _, alike in groupby(by_frame, lambda trial: len(trial.begin)):  # so that nothing is padded
        for some in batched(alike, rows):
            ids = np.stack([[*trial.begin, *trial.tokens] for trial in some]).astype(np.int64)
            for tokens in _LOOKS:
                ids = ids[_goes_on(model, ids, tokens)]
                if not len(ids):
                    break
            found += len(ids)
            tried += len(some)
            if tried % _REPORTED < len(some) or tried == len(trials):
                report(tried)
    return found


def _goes_on(model: PreTrainedModel, ids: npt.NDArray[np.int64], tokens: int) -> Any:
    """Which rows' first `tokens` of the continuation are the likeliest; shape (rows,) of bool.

    `ids`: control tokens, prefix and continuation, shape (rows, tokens).
    """
    end = ids.shape[1] - CONTINUATION + tokens
    kept = {"logits_to_keep": tokens} if "logits_to_keep" in _parameters(model) else {}
    fed = torch.from_numpy(ids[:, : end - 1]).to(model.device)
    logits = model(input_ids=fed, use_cache=False, **kept).logits[:, -tokens:]
    if not torch.isfinite(logits).all():
        raise ModelError("the model's logits are not finite; its training failed, train anew")
    return (logits.argmax(-1).cpu().numpy() == ids[:, end - tokens : end]).all(1)


def _parameters(model: PreTrainedModel) -> Iterable[str]:
    return inspect.signature(model.forward).parameters
