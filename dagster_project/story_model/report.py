"""The asset of a model's report."""

from pathlib import Path

import dagster as dg
import pyarrow.parquet as pq

from dagster_project.presentation import OWNERS, group_name, png, result
from dagster_project.resources import DataStore
from dagster_project.step import build
from dagster_project.story_model.inputs import (
    asset_key,
    load_corpus,
    load_memorisation,
    load_model,
    load_perplexity,
    load_quality,
    load_samples,
)
from pipeline.artifact import code_version, fingerprint
from pipeline.model_spec import ModelSpec
from pipeline.takedown.models import marks, notice


def report_asset(spec: ModelSpec, written_in: Path) -> dg.AssetsDefinition:
    """One page of what the model learned."""

    @dg.asset(
        key=asset_key(spec, "report"),
        deps=[
            asset_key(spec, stage) for stage in ("samples", "perplexity", "quality", "memorisation")
        ],
        description=f"What {spec.name} learned, on one page that opens without a server: loss, "
        "bits per byte, stories and what they copied, the corpus and its licences.",
        group_name=group_name(spec.name),
        kinds={"html"},
        owners=OWNERS,
    )
    def report(context: dg.AssetExecutionContext, data: DataStore) -> dg.MaterializeResult:
        from pipeline.reports import write_report
        from pipeline.reports.material import Inputs
        from pipeline.reports.plots import bits_per_byte_png

        inputs = Inputs(
            model=(model := load_model(spec, data)),
            samples=load_samples(spec, data),
            perplexity=(perplexity := load_perplexity(spec, data)),
            quality=load_quality(spec, data),
            memorisation=load_memorisation(spec, data),
            corpus=load_corpus(spec, data),
        )
        told = notice(marks(model))
        artifact = build(
            data.path("reports", spec.name),
            fingerprint(
                inputs={name: made.data_version for name, made in vars(inputs).items()},
                notice=told,
                code=code_version("pipeline.reports", "pipeline.licences"),
            ),
            lambda folder: write_report(spec.name, inputs, folder, told),
            written_in=written_in,
        )
        page = artifact.folder / "report.html"
        return result(
            context,
            artifact,
            {
                "report": dg.MetadataValue.url(data.report_url(page)),
                "file": dg.MetadataValue.path(str(page)),
                "verdict": artifact.figures["verdict"],
                **({"taken_down": told} if told else {}),
                "plot": png(
                    bits_per_byte_png(pq.read_table(perplexity.folder / "scores.parquet")),
                    "bits per byte, before and after",
                ),
                "bits_per_byte": artifact.figures["bits_per_byte_after"],
                "stories": artifact.figures["samples"],
            },
        )

    return report
