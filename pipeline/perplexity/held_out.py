"""A model and its baselines on the held-out text of its corpus: all tables of the measurement.

Models are loaded one after the other, and each reads every text once.
"""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from transformers import AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from pipeline import intervals
from pipeline.corpus import read_split
from pipeline.device import pick_device
from pipeline.model_spec import ModelError, ModelSpec
from pipeline.models.initial import load_initial, load_trained
from pipeline.perplexity.compare import differences
from pipeline.perplexity.compression import xz_bits
from pipeline.perplexity.context import context_curve
from pipeline.perplexity.draw import draw
from pipeline.perplexity.groups import groups_of, perplexity, scores
from pipeline.perplexity.ngram import NgramModel
from pipeline.perplexity.scoring import ModelScorer, NgramScorer
from pipeline.schema import DIFFERENCES, SCORES

Row = dict[str, Any]
Report = Callable[[str, int], None]


@dataclass(frozen=True)
class _Measured:
    """WORKS of each scorer."""

    initial: pa.Table
    trained: pa.Table
    ngram: pa.Table
    training: pa.Table  # of the trained model, on a draw of its training text


def measure(
    model_folder: Path,
    spec: ModelSpec,
    corpus: Path,
    folder: Path,
    *,
    split: str,
    device: str | None,
    report: Report,
) -> dict[str, Any]:
    """As `pipeline.perplexity.score` says."""
    name, stride, seed = spec.name, spec.measures.stride, spec.measures.seed
    on = pick_device(device)

    def held_out(scorer: ModelScorer | NgramScorer, stage: str) -> pa.Table:
        sums = scorer.score(read_split(corpus, split), partial(report, stage))
        return _with_text(sums.table(name, stage, split), corpus, split)

    model, tokenizer = _load_initial_again(model_folder, spec, corpus)
    initial = held_out(ModelScorer(model.to(on.kind), tokenizer, stride), "initial")
    model, tokenizer = load_trained(model_folder / "final")
    scorer = ModelScorer(model.to(on.kind), tokenizer, stride)
    trained = held_out(scorer, "trained")
    size = sum(trained["bytes"].to_pylist())
    seen = scorer.score(
        draw(corpus, "train", size, seed=seed), partial(report, "trained, on training text")
    ).table(name, "trained", "train")
    curve = context_curve(
        scorer,
        *(corpus, split, size),
        name=name,
        seed=seed,
        report=lambda context, done: report(f"trained, context of {context}", done),
    )
    ngrams = NgramModel.learn(document.text for document in read_split(corpus, "train"))
    ngram = held_out(NgramScorer(ngrams), "ngram")
    measured = _Measured(initial, trained, ngram, _with_text(seen, corpus, "train"))
    xz = xz_bits(document.text for document in read_split(corpus, split))
    scored = [row for works in vars(measured).values() for row in scores(works, seed=seed)]
    whole = _whole(scored, "trained", split)
    scored.append(_xz_row(whole, xz))
    apart = [
        row
        for than, works in (("initial", initial), ("ngram", ngram))
        for row in differences(trained, works, model=name, than=than, seed=seed)
    ]
    folder.mkdir(parents=True, exist_ok=True)
    for file, table in {
        "works": pa.concat_tables(vars(measured).values()),
        "scores": pa.Table.from_pylist(scored, schema=SCORES),
        "differences": pa.Table.from_pylist(apart, schema=DIFFERENCES),
        "context": curve,
    }.items():
        pq.write_table(table, folder / f"{file}.parquet")
    return _figures(measured, scored, apart, split, seed)


def _load_initial_again(
    model_folder: Path, spec: ModelSpec, corpus: Path
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """What the training began with: the same commit of a base, a fresh model's own vocabulary."""
    if spec.base is None:
        return load_initial(spec, corpus, AutoTokenizer.from_pretrained(model_folder / "final"))
    notes = json.loads((model_folder / "training.json").read_text("utf-8"))
    revision = notes["base_revision"] or spec.revision
    return load_initial(spec.model_copy(update={"revision": revision}), corpus)


def _with_text(works: pa.Table, corpus: Path, split: str) -> pa.Table:
    if not any(works["bytes"].to_pylist()):
        raise ModelError(
            f"the {split} split of {corpus} is empty, so nothing can be measured; give the corpus "
            "more works or a larger held-out share"
        )
    return works


def _whole(scored: list[Row], stage: str, split: str) -> Row:
    """The row of all text under a scorer."""
    return next(
        row
        for row in scored
        if (row["stage"], row["split"], row["group_by"]) == (stage, split, "all")
    )


def _xz_row(whole: Row, bits: float) -> Row:
    """Of all text at once: a compressor gains from one work what it knows of the next."""
    nats = bits * math.log(2)
    return {
        **whole,
        "stage": "xz",
        "tokens": None,
        "nats": nats,
        "low": None,
        "high": None,
        "bits_per_byte": bits / whole["bytes"],
        "perplexity_per_token": None,
        "perplexity_per_word": perplexity(nats, whole["words"]),
    }


def _figures(
    measured: _Measured, scored: list[Row], apart: list[Row], split: str, seed: int
) -> dict[str, Any]:
    before, after = (_whole(scored, stage, split) for stage in ("initial", "trained"))
    sources = {
        stage: {
            row["group"]: row["bits_per_byte"]
            for row in scored
            if (row["stage"], row["split"], row["group_by"]) == (stage, split, "source")
        }
        for stage in ("initial", "trained")
    }
    held_out, seen = (
        (group.bits(), group.sums("bytes"))
        for group in (next(groups_of(works)) for works in (measured.trained, measured.training))
    )
    gap = intervals.unpaired_difference(held_out, seen, seed=seed)
    return {
        "split": split,
        "works": after["works"],
        "documents": after["documents"],
        "bytes": after["bytes"],
        "bits_per_byte_initial": before["bits_per_byte"],
        "bits_per_byte": after["bits_per_byte"],
        "interval": {"low": after["low"], "high": after["high"]},
        "perplexity_per_token_initial": before["perplexity_per_token"],
        "perplexity_per_token": after["perplexity_per_token"],
        "difference": {
            row["than"]: {bound: row[bound] for bound in ("value", "low", "high")}
            for row in apart
            if row["group_by"] == "all"
        },
        "gap": {"value": gap.value, "low": gap.low, "high": gap.high},
        "baselines": {
            stage: _whole(scored, stage, split)["bits_per_byte"] for stage in ("ngram", "xz")
        },
        "by_source": {
            source: {
                "bits_per_byte_initial": sources["initial"][source],
                "bits_per_byte": bits,
            }
            for source, bits in sources["trained"].items()
        },
    }
