"""The asset of how well a model's stories are told."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dagster_project import checks
from dagster_project.presentation import OWNERS, group_name, png, progress, result, table
from dagster_project.resources import DataStore, Gpu
from dagster_project.step import build
from dagster_project.story_model.inputs import asset_key, load_corpus, load_model, load_samples
from dagster_project.story_model.origin import refuse_outdated
from pipeline.artifact import code_version, fingerprint
from pipeline.model_spec import ModelSpec
from pipeline.models.base import judge_version


def quality_asset(spec: ModelSpec, written_in: Path, pool: str) -> dg.AssetsDefinition:
    """Its stories measured beside human text; `pool` is the queue of its GPU, for the judge."""
    key = asset_key(spec, "quality")

    @dg.asset(
        key=key,
        deps=[
            asset_key(spec, "samples"),
            asset_key(spec, "model"),
            dg.AssetKey([spec.corpus, "corpus"]),
        ],
        description=f"How {spec.name} tells its stories at each kept step: distinct words, "
        "repetition, how alike they are, bits per byte under a judge, the genre asked for; beside "
        "held-out human text of like length.",
        group_name=group_name(spec.name),
        kinds={"pytorch", "scikitlearn", "parquet"},
        owners=OWNERS,
        pool=pool,
        check_specs=[dg.AssetCheckSpec("samples_sound", asset=key)],
    )
    def quality(
        context: dg.AssetExecutionContext, data: DataStore, gpu: Gpu
    ) -> dg.MaterializeResult:
        from pipeline.quality.measuring import measure
        from pipeline.reports.sections.quality import quality_png

        model, samples = load_model(spec, data), load_samples(spec, data)
        corpus = load_corpus(spec, data)
        refuse_outdated(spec.name, {"model": model, "samples": samples})
        inputs = {"model": model, "samples": samples, "corpus": corpus}
        artifact = build(
            data.path("quality", spec.name),
            fingerprint(
                judge=judge_version(spec),
                measures=spec.measures.model_dump(include={"judge", "judge_revision", "seed"}),
                code=code_version(
                    "pipeline.quality",
                    "pipeline.intervals",
                    "pipeline.likelihood",
                    "pipeline.memorisation.words",
                    "pipeline.models",
                    "pipeline.perplexity.ngram",
                    "pipeline.schema.measures",
                    "pipeline.sentences",
                    "pipeline.corpus.files",
                    "pipeline.corpus.layout",
                ),
            ),
            lambda folder: measure(
                model.folder,
                spec,
                samples.folder,
                corpus.folder,
                folder,
                device=gpu.pick(spec).kind,
                report=progress(context, "texts"),
            ),
            written_in=written_in,
            made_from=inputs,
        )
        figures = artifact.figures
        means = pq.read_table(artifact.folder / "means.parquet")
        measured = pq.read_table(artifact.folder / "quality.parquet")
        plot = quality_png(means)
        return result(
            context,
            artifact,
            {
                **({"plot": png(plot, "stories by training step")} if plot else {}),
                "last_step": table(
                    ["measure", "stories", f"{figures['human_texts']} held-out human passages"],
                    _last_step(means, figures["last_step"]),
                ),
                "judge": figures["judge"],
                "genre_classifier": _classifier(figures),
                "empty": figures["empty"],
                "looping": figures["looping"],
                "shown_in": dg.MetadataValue.asset(asset_key(spec, "report")),
            },
            [checks.samples_sound(_at_step(measured, figures["last_step"]))],
        )

    return quality


def _at_step(measured: pa.Table, step: int) -> pa.Table:
    return measured.filter(pc.equal(measured["step"], step))


def _last_step(means: pa.Table, step: int) -> list[list[str]]:
    """Each measure of all stories of the last step, beside that of people."""
    whole = means.filter(pc.field("setting").is_null() & pc.field("genre").is_null()).to_pylist()
    human = {row["measure"]: row for row in whole if row["writer"] == "human"}
    return [
        [row["measure"].replace("_", " "), _said(row), _said(human.get(row["measure"]))]
        for row in whole
        if row["writer"] == "model" and row["step"] == step
    ]


def _said(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return ""
    if row["low"] is None or row["high"] is None:
        return f"{row['value']:.3g}"
    return f"{row['value']:.3g} ({row['low']:.3g} to {row['high']:.3g})"


def _classifier(figures: Mapping[str, Any]) -> str:
    found = figures["genre_classifier"]
    if found is None:
        return f"none: {figures['genre_reason']}"
    blind = figures["genre_blind"]
    return (
        f"tells {found['accuracy']:.0%} ({found['low']:.0%} to {found['high']:.0%}) of "
        f"{found['works']} held-out works rightly among {found['genres']} genres; the commonest "
        f"alone would get {found['majority']:.0%}"
        + ("" if blind is None else f"; a model that heeds no genre would meet {blind:.0%}")
    )
