"""What a report is made from: the outputs of training, sampling, each measuring and of the corpus.

Tables are read with the columns of `pipeline.schema`; a file or column that is missing is named,
with the step that writes it, before anything is drawn.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.ratings.tally import Tally
from pipeline.schema import (
    CONTEXT,
    DIFFERENCES,
    LOSS,
    MANIFEST,
    MEMORISATION,
    NOVELTY,
    PASSAGES,
    QUALITY,
    QUALITY_MEANS,
    SAMPLES,
    SCORES,
)


class Output(Protocol):
    """What a step left: its files and its key figures; a `pipeline.artifact.Artifact` is one."""

    @property
    def folder(self) -> Path:
        """Holds the files."""

    @property
    def figures(self) -> Mapping[str, Any]:
        """As the step returned them."""


@dataclass(frozen=True)
class Inputs:
    """The outputs that a report is made from."""

    model: Output
    samples: Output
    perplexity: Output
    quality: Output
    memorisation: Output
    corpus: Output


@dataclass(frozen=True)
class Material:
    """The inputs of a report, read once. Tables have the schemas of `pipeline.schema`."""

    name: str  # the model's
    training: Mapping[str, Any]  # training.json: configuration, device, speed, versions
    loss: pa.Table
    samples: pa.Table
    scores: pa.Table
    differences: pa.Table
    context: pa.Table
    perplexity_figures: Mapping[str, Any]  # as `pipeline.perplexity.score` returns them
    quality: pa.Table
    quality_means: pa.Table
    quality_figures: Mapping[str, Any]  # as `pipeline.quality.measure` returns them
    passages: pa.Table
    novelty: pa.Table
    memorisation: pa.Table
    memorisation_figures: Mapping[str, Any]  # as `pipeline.memorisation.measure` returns them
    manifest: pa.Table
    corpus_figures: Mapping[str, Any]  # as `pipeline.corpus.build_corpus` returns them
    notice: str | None = None  # what stands before all else
    tallies: Sequence[Tally] = ()  # of the pairs of its stories that people rated


def read_material(
    name: str, inputs: Inputs, notice: str | None = None, tallies: Sequence[Tally] = ()
) -> Material:
    """Read the inputs' files.

    Raises FileNotFoundError or ValueError naming the file, what is wrong and what writes it.
    """
    model, samples, corpus = inputs.model.folder, inputs.samples.folder, inputs.corpus.folder
    scores, quality, copies = inputs.perplexity, inputs.quality, inputs.memorisation
    foretold, judged, found = "the perplexity step", "the quality step", "the memorisation step"
    return Material(
        name=name,
        training=_json(model / "training.json", "the training"),
        loss=read_table(model / "loss.parquet", LOSS, "the training"),
        samples=read_table(samples / "samples.parquet", SAMPLES, "the sampling"),
        scores=read_table(scores.folder / "scores.parquet", SCORES, foretold),
        differences=read_table(scores.folder / "differences.parquet", DIFFERENCES, foretold),
        context=read_table(scores.folder / "context.parquet", CONTEXT, foretold),
        perplexity_figures=scores.figures,
        quality=read_table(quality.folder / "quality.parquet", QUALITY, judged),
        quality_means=read_table(quality.folder / "means.parquet", QUALITY_MEANS, judged),
        quality_figures=quality.figures,
        passages=read_table(copies.folder / "passages.parquet", PASSAGES, found),
        novelty=read_table(copies.folder / "novelty.parquet", NOVELTY, found),
        memorisation=read_table(copies.folder / "memorisation.parquet", MEMORISATION, found),
        memorisation_figures=copies.figures,
        manifest=read_table(corpus / "manifest.parquet", MANIFEST, "the corpus step"),
        corpus_figures=inputs.corpus.figures,
        notice=notice,
        tallies=tallies,
    )


def read_table(path: Path, schema: pa.Schema, writer: str) -> pa.Table:
    """The schema's columns of a Parquet file, cast to it. Raises as `read_material`."""
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; {writer} writes it, so run that first")
    try:
        table = pq.read_table(path, partitioning=None)
        missing = [column for column in schema.names if column not in table.column_names]
        if missing:
            raise ValueError(f"{path} has no column {', '.join(missing)}; let {writer} run again")
        return table.select(schema.names).cast(schema)
    except pa.ArrowInvalid as error:
        raise ValueError(f"{path} cannot be read ({error}); let {writer} run again") from error


def _json(path: Path, writer: str) -> dict[str, Any]:
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; {writer} writes it, so run that first")
    try:
        value = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not JSON ({error}); let {writer} run again") from error
    if not isinstance(value, dict):
        raise ValueError(f"{path} is not a JSON object; let {writer} run again")
    return value
