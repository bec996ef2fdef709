"""The asset of what a model copies of the text that it was trained on."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow.parquet as pq

from dagster_project.corpus_index import index_key, load_index
from dagster_project.presentation import OWNERS, group_name, png, result, table
from dagster_project.resources import DataStore, Gpu
from dagster_project.step import build
from dagster_project.story_model.inputs import asset_key, load_corpus, load_model, load_samples
from dagster_project.story_model.origin import refuse_outdated
from pipeline.artifact import Artifact, code_version, fingerprint
from pipeline.model_spec import ModelSpec

#: The code that decides the tables. The verdict is judged from them, and is no part of it: another
#: bound or word of advice tries no checkpoint again.
MEASURES = (
    *(
        f"pipeline.memorisation.{name}"
        for name in (
            *("copied", "evidence", "extraction", "index", "measure", "novelty"),
            *("passages", "stories", "suffixes", "tables", "words"),
        )
    ),
    "pipeline.intervals",
    "pipeline.kept_checkpoints",
    "pipeline.models",
    "pipeline.quality.human",
    "pipeline.sentences",
    "pipeline.schema.measures",
    "pipeline.corpus.files",
    "pipeline.corpus.layout",
)


def memorisation_asset(spec: ModelSpec, written_in: Path, pool: str) -> dg.AssetsDefinition:
    """Its stories looked for in the training text; `pool` is the queue of its GPU.

    The check that it copies no more than its bound stands on the report, which is written first.
    """

    @dg.asset(
        key=asset_key(spec, "memorisation"),
        deps=[
            asset_key(spec, "samples"),
            asset_key(spec, "model"),
            dg.AssetKey([spec.corpus, "corpus"]),
            index_key(spec.corpus),
        ],
        description=f"What {spec.name} copies of its training text at each kept step, beside "
        "held-out human text: passages with their pages, novelty of n-grams, and training passages "
        "that it goes on with by itself.",
        group_name=group_name(spec.name),
        kinds={"pytorch", "parquet"},
        owners=OWNERS,
        pool=pool,
    )
    def memorisation(
        context: dg.AssetExecutionContext, data: DataStore, gpu: Gpu
    ) -> dg.MaterializeResult:
        from pipeline.memorisation.measure import measure
        from pipeline.memorisation.verdict import verdict_of
        from pipeline.reports.sections.memorisation import copying_png

        model, samples = load_model(spec, data), load_samples(spec, data)
        corpus, index = load_corpus(spec, data), load_index(spec.corpus, data)
        refuse_outdated(spec.name, {"model": model, "samples": samples})
        inputs = {"model": model, "samples": samples, "corpus": corpus, "index": index}
        duplicates = _duplicates(corpus.figures)
        root, written = data.path("memorisation", spec.name), spec.measures.copied
        measured = fingerprint(
            duplicates=duplicates,
            measures=spec.measures.model_dump(include={"passage", "prefixes", "seed"}),
            code=code_version(*MEASURES),
            made_from={name: made.data_version for name, made in inputs.items()},
        )

        def make(folder: Path) -> dict[str, Any]:
            last = Artifact.load(root)
            if last is not None and last.figures.get("measured") == measured:
                for name in last.files:
                    shutil.copyfile(last.folder / name, folder / name)
                figures = dict(last.figures)
            else:
                figures = measure(
                    model.folder,
                    spec,
                    samples.folder,
                    corpus.folder,
                    index.folder,
                    folder,
                    device=gpu.pick(spec).kind,
                    duplicates=duplicates,
                    report=lambda what, done, total: context.log.info(
                        "%s: %d of %d looked at", what, done, total
                    ),
                )
            return {**figures, **verdict_of(folder, written), "measured": measured}

        artifact = build(
            root,
            fingerprint(
                measured=measured,
                copied=written,
                code=code_version("pipeline.memorisation.verdict"),
            ),
            make,
            written_in=written_in,
            made_from=inputs,
        )
        figures = artifact.figures
        plot = copying_png(pq.read_table(artifact.folder / "memorisation.parquet"))
        told = "copied and extractable by training step"
        return result(
            context,
            artifact,
            {
                **({"plot": png(plot, told)} if plot else {}),
                "verdict": figures["verdict"],
                **({"advice": "\n".join(figures["advice"])} if figures["advice"] else {}),
                "figures": table(["figure", "value", "from", "to"], _rows(figures["intervals"])),
                "longest_words": figures["longest_words"],
                **_given("not_extracted", figures["extractable_reason"]),
                "shown_in": dg.MetadataValue.asset(asset_key(spec, "report")),
            },
        )

    return memorisation


def _duplicates(figures: Mapping[str, Any]) -> tuple[int, float]:
    """What the corpus left out as the same, and from which likeness on."""
    return figures["duplicates"], figures["config"]["duplicates"]["threshold"]


def _given(name: str, value: str | None) -> dict[str, str]:
    return {} if value is None else {name: value}


def _rows(intervals: Mapping[str, Mapping[str, float | None]]) -> list[list[str]]:
    return [
        [name.replace("_", " "), *(_said(name, figure[part]) for part in ("value", "low", "high"))]
        for name, figure in intervals.items()
    ]


def _said(name: str, value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.1f} words" if name.endswith("longest") else f"{value:.2%}"
