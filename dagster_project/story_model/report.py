"""The asset of a model's report."""

from pathlib import Path

import dagster as dg
import pyarrow.parquet as pq

from dagster_project.presentation import OWNERS, group_name, png, result
from dagster_project.resources import DataStore
from dagster_project.step import build
from dagster_project.story_model.inputs import asset_key, load_corpus, load_model
from pipeline.artifact import code_version, fingerprint
from pipeline.model_spec import ModelSpec
from pipeline.takedown.models import marks, notice


def report_asset(spec: ModelSpec, written_in: Path) -> dg.AssetsDefinition:
    """One page of what the model learned."""

    @dg.asset(
        key=asset_key(spec, "report"),
        deps=[asset_key(spec, "samples"), asset_key(spec, "perplexity")],
        description=f"What {spec.name} learned, on one page that opens without a server: loss, "
        "bits per byte, stories, the corpus and its licences.",
        group_name=group_name(spec.name),
        kinds={"html"},
        owners=OWNERS,
    )
    def report(context: dg.AssetExecutionContext, data: DataStore) -> dg.MaterializeResult:
        from pipeline.reports import write_report
        from pipeline.reports.plots import bits_per_byte_png

        model, corpus = load_model(spec, data), load_corpus(spec, data)
        samples = data.load("samples", spec.name, made_by=f"{spec.name}/samples")
        scores = data.load("perplexity", spec.name, made_by=f"{spec.name}/perplexity")
        inputs = {"model": model, "samples": samples, "scores": scores, "corpus": corpus}
        told = notice(marks(model))
        artifact = build(
            data.path("reports", spec.name),
            fingerprint(
                inputs={name: made.data_version for name, made in inputs.items()},
                notice=told,
                code=code_version("pipeline.reports", "pipeline.licences"),
            ),
            lambda folder: write_report(
                name=spec.name,
                model=model.folder,
                samples=samples.folder,
                scores=scores.folder,
                corpus=corpus.folder,
                corpus_figures=corpus.figures,
                folder=folder,
                notice=told,
            ),
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
                    bits_per_byte_png(pq.read_table(scores.folder / "scores.parquet")),
                    "bits per byte, before and after",
                ),
                "bits_per_byte": artifact.figures["bits_per_byte_after"],
                "stories": artifact.figures["samples"],
            },
        )

    return report
