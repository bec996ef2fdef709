"""Perplexity on held-out text, as bits per UTF-8 byte, beside perplexity per token and per word.

Perplexity per token does not compare models whose tokens differ; the bits a model needs for a byte
of the text do (Gao et al. 2020, The Pile, section 3.1). A document's tokens are scored each once,
the first after the end token that stands before every document in training. That end token, like
the one that would close the document, is no part of the text and is not scored. What is longer
than the context is read with a sliding window (https://huggingface.co/docs/transformers/perplexity),
so that nothing is truncated and each token still sees at least context - stride tokens before it.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from transformers import AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from pipeline.corpus import read_split
from pipeline.device import pick_device
from pipeline.model_spec import ModelError, ModelSpec
from pipeline.models.initial import context_length, load_initial, load_trained
from pipeline.models.tokenizers import encode, end_token
from pipeline.packing import Tokens, batched
from pipeline.schema import SCORES

#: Bytes of logits held at once; they dwarf everything else (GPT-2: 50,257 x 4 bytes a token).
LOGITS_BYTES = 256 * 2**20

#: Documents whose windows are sorted by length and scored together.
DOCUMENTS_AT_ONCE = 128

Totals = dict[tuple[str, str], "Total"]


@dataclass
class Total:
    """Summed over the documents of a group."""

    documents: int = 0
    bytes: int = 0  # UTF-8
    tokens: int = 0
    words: int = 0  # runs of non-space characters
    nats: float = 0.0  # negative log-likelihood

    def add(self, text: str, tokens: int, nats: float) -> None:
        """Count one document."""
        self.documents += 1
        self.bytes += len(text.encode())
        self.tokens += tokens
        self.words += len(text.split())
        self.nats += nats

    @property
    def bits_per_byte(self) -> float:
        """nats / ln 2 / bytes."""
        return self.nats / math.log(2) / self.bytes


def score(
    model_folder: Path,
    spec: ModelSpec,
    corpus: Path,
    folder: Path,
    *,
    split: str = "test",
    stride: int | None = None,
    device: str | None = None,
    report: Callable[[str, int], None] = lambda stage, documents: None,
) -> dict[str, Any]:
    """Score the model before and after training on a held-out split of `corpus`.

    Writes `scores.parquet` (SCORES) into `folder`, grouped by all, franchise, source and genre
    (documents without a genre count in the others). The default split is the one that training
    never looked at. `report` is told the stage and the documents scored so far. Returns figures:
    bits per byte of both, overall and by source. Raises ModelError where the split is empty or the
    model's output is no number.
    """
    on = pick_device(device)
    rows: list[dict[str, Any]] = []
    totals: dict[str, Totals] = {}
    for stage in ("initial", "trained"):
        if stage == "trained":
            model, tokenizer = load_trained(model_folder / "final")
        else:
            learned = AutoTokenizer.from_pretrained(model_folder / "final") if spec.size else None
            model, tokenizer = load_initial(spec, corpus, learned)
        totals[stage] = _score_split(
            model.to(on.kind),
            tokenizer,
            corpus,
            split,
            stride,
            partial(report, stage),
        )
        for (group_by, group), total in totals[stage].items():
            rows.append(_row(spec.name, stage, split, group_by, group, total))
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=SCORES), folder / "scores.parquet")
    whole = {stage: found["all", "all"] for stage, found in totals.items()}
    return {
        "split": split,
        "documents": whole["trained"].documents,
        "bytes": whole["trained"].bytes,
        "bits_per_byte_initial": whole["initial"].bits_per_byte,
        "bits_per_byte": whole["trained"].bits_per_byte,
        "perplexity_per_token_initial": _perplexity(whole["initial"].nats, whole["initial"].tokens),
        "perplexity_per_token": _perplexity(whole["trained"].nats, whole["trained"].tokens),
        "by_source": {
            source: {
                "bits_per_byte_initial": totals["initial"][group_by, source].bits_per_byte,
                "bits_per_byte": total.bits_per_byte,
            }
            for (group_by, source), total in totals["trained"].items()
            if group_by == "source"
        },
    }


def _score_split(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    corpus: Path,
    split: str,
    stride: int | None,
    report: Callable[[int], None],
) -> Totals:
    totals: Totals = defaultdict(Total)
    for documents in batched(read_split(corpus, split), DOCUMENTS_AT_ONCE):
        encoded = encode(tokenizer, [document.text for document in documents])
        nats = negative_log_likelihoods(model, encoded, end_token(tokenizer), stride)
        for document, ids, loss in zip(documents, encoded, nats, strict=True):
            groups = {
                "all": "all",
                "franchise": document.franchise,
                "source": document.source,
                "genre": document.genre,
            }
            for group_by, group in groups.items():
                if group is not None:
                    totals[group_by, group].add(document.text, len(ids), loss)
        report(totals["all", "all"].documents)
    if not totals:
        raise ModelError(
            f"the {split} split of {corpus} is empty, so nothing can be measured; give the corpus "
            "more works or a larger held-out share"
        )
    return totals


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


def _perplexity(nats: float, units: int) -> float:
    """exp(nats a unit); infinite where that is beyond a float."""
    try:
        return math.exp(nats / units)
    except OverflowError:
        return math.inf


def _row(
    name: str, stage: str, split: str, group_by: str, group: str, total: Total
) -> dict[str, Any]:
    return {
        "model": name,
        "stage": stage,
        "split": split,
        "group_by": group_by,
        "group": group,
        "documents": total.documents,
        "bytes": total.bytes,
        "tokens": total.tokens,
        "words": total.words,
        "nats": total.nats,
        "bits_per_byte": total.bits_per_byte,
        "perplexity_per_token": _perplexity(total.nats, total.tokens),
        "perplexity_per_word": _perplexity(total.nats, total.words),
    }
