"""Perplexity on held-out text, as bits per UTF-8 byte, beside perplexity per token and per word.

Perplexity per token does not compare models whose tokens differ; the bits a model needs for a byte
of the text do (Gao et al. 2020, The Pile, section 3.1). Every token of a document counts, each
once. The control tokens before it, a genre's among them, and the one that would close it are no
part of the text and do not.
"""

import json
import math
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from transformers import AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from pipeline.corpus import read_split
from pipeline.device import pick_device
from pipeline.likelihood import negative_log_likelihoods
from pipeline.model_spec import ModelError, ModelSpec
from pipeline.models.framing import frame_of
from pipeline.models.initial import load_initial, load_trained
from pipeline.models.tokenizers import encode
from pipeline.schema import SCORES
from pipeline.training.packing import batched

#: Documents whose windows are sorted by length and scored together.
DOCUMENTS_AT_ONCE = 128

Totals = dict[tuple[str, str], "Total"]


@dataclass
class Total:
    """Summed over the documents of a group."""

    works: set[str] = field(default_factory=set)
    documents: int = 0
    bytes: int = 0  # UTF-8
    tokens: int = 0
    words: int = 0  # runs of non-space characters
    nats: float = 0.0  # negative log-likelihood

    def add(self, work_id: str, text: str, tokens: int, nats: float) -> None:
        """Count one document."""
        self.works.add(work_id)
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
            model, tokenizer = _load_initial_again(model_folder, spec, corpus)
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


def _load_initial_again(
    model_folder: Path, spec: ModelSpec, corpus: Path
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """What the training began with: the same commit of a base, a fresh model's own vocabulary."""
    if spec.base is None:
        return load_initial(spec, corpus, AutoTokenizer.from_pretrained(model_folder / "final"))
    notes = json.loads((model_folder / "training.json").read_text("utf-8"))
    revision = notes["base_revision"] or spec.revision
    return load_initial(spec.model_copy(update={"revision": revision}), corpus)


def _score_split(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    corpus: Path,
    split: str,
    stride: int | None,
    report: Callable[[int], None],
) -> Totals:
    totals: Totals = defaultdict(Total)
    frame = frame_of(tokenizer)
    for documents in batched(read_split(corpus, split), DOCUMENTS_AT_ONCE):
        encoded = encode(tokenizer, [document.text for document in documents])
        begins = [frame.begin(document.genre) for document in documents]
        nats = negative_log_likelihoods(model, encoded, begins, stride)
        for document, ids, loss in zip(documents, encoded, nats, strict=True):
            groups = {
                "all": "all",
                "franchise": document.franchise,
                "source": f"{document.franchise}/{document.source}",
                "genre": document.genre,
            }
            for group_by, group in groups.items():
                if group is not None:
                    totals[group_by, group].add(document.work_id, document.text, len(ids), loss)
        report(totals["all", "all"].documents)
    if not totals:
        raise ModelError(
            f"the {split} split of {corpus} is empty, so nothing can be measured; give the corpus "
            "more works or a larger held-out share"
        )
    return totals


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
        "works": len(total.works),
        "documents": total.documents,
        "bytes": total.bytes,
        "tokens": total.tokens,
        "words": total.words,
        "nats": total.nats,
        "bits_per_byte": total.bits_per_byte,
        "perplexity_per_token": _perplexity(total.nats, total.tokens),
        "perplexity_per_word": _perplexity(total.nats, total.words),
    }
