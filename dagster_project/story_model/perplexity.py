"""The asset of a model's bits per byte."""

from collections.abc import Mapping
from pathlib import Path

import dagster as dg
import pyarrow.parquet as pq

from dagster_project import checks
from dagster_project.presentation import OWNERS, group_name, png, result, table
from dagster_project.resources import DataStore, Gpu
from dagster_project.step import build
from dagster_project.story_model.inputs import asset_key, load_corpus, load_model
from pipeline.artifact import code_version, fingerprint
from pipeline.model_spec import ModelSpec

#: The code that decides the figures: all of `pipeline.perplexity` but what scores a text that a
#: person brings.
MEASURES = (
    "pipeline.corpus.files",
    "pipeline.corpus.layout",
    "pipeline.intervals",
    "pipeline.likelihood",
    "pipeline.models",
    "pipeline.perplexity.compare",
    "pipeline.perplexity.compression",
    "pipeline.perplexity.context",
    "pipeline.perplexity.draw",
    "pipeline.perplexity.groups",
    "pipeline.perplexity.held_out",
    "pipeline.perplexity.ngram",
    "pipeline.perplexity.scoring",
    "pipeline.perplexity.works",
    "pipeline.schema.measures",
    "pipeline.statistics",
    "pipeline.training.packing",
)


def perplexity_asset(spec: ModelSpec, written_in: Path, pool: str) -> dg.AssetsDefinition:
    """Held-out text before and after the training; `pool` is the queue of its GPU."""
    key = asset_key(spec, "perplexity")

    @dg.asset(
        key=key,
        deps=[asset_key(spec, "model"), dg.AssetKey([spec.corpus, "corpus"])],
        description=f"How well {spec.name} foretells held-out text, in bits per byte and "
        "perplexity with intervals: by source, genre and licence, over the length of context, "
        "beside the model before training, its training text, n-grams and xz.",
        group_name=group_name(spec.name),
        kinds={"pytorch", "parquet"},
        owners=OWNERS,
        pool=pool,
        check_specs=[dg.AssetCheckSpec("tuned_better", asset=key)],
    )
    def perplexity(
        context: dg.AssetExecutionContext, data: DataStore, gpu: Gpu
    ) -> dg.MaterializeResult:
        from pipeline.perplexity import score
        from pipeline.reports.plots import bits_per_byte_png

        model, corpus = load_model(spec, data), load_corpus(spec, data)
        artifact = build(
            data.path("perplexity", spec.name),
            fingerprint(
                measures=spec.measures.model_dump(include={"stride", "seed"}),
                code=code_version(*MEASURES),
            ),
            lambda folder: score(
                model.folder,
                spec,
                corpus.folder,
                folder,
                device=gpu.pick(spec).kind,
                report=lambda scorer, documents: context.log.info(
                    "%s: %d documents scored", scorer, documents
                ),
            ),
            written_in=written_in,
            made_from={"model": model, "corpus": corpus},
        )
        figures = artifact.figures
        scores = pq.read_table(artifact.folder / "scores.parquet")
        return result(
            context,
            artifact,
            {
                "plot": png(bits_per_byte_png(scores), "bits per byte, before and after"),
                "bits_per_byte": figures["bits_per_byte"],
                "interval": _interval(figures["interval"]),
                "bits_per_byte_before": figures["bits_per_byte_initial"],
                "difference": _figure(figures["difference"]["initial"]),
                "from_n_grams": _figure(figures["difference"]["ngram"]),
                "gap": _figure(figures["gap"]),
                "n_grams": figures["baselines"]["ngram"],
                "xz": figures["baselines"]["xz"],
                "perplexity_per_token": figures["perplexity_per_token"],
                "perplexity_per_token_before": figures["perplexity_per_token_initial"],
                "held_out": f"{figures['works']:,} works, {figures['documents']:,} documents, "
                f"{figures['bytes']:,} bytes "
                f"({figures['split']} split)",
                "by_context": table(
                    ["tokens of context", "bits per byte", "95 % interval"],
                    [
                        [row["context"], f"{row['bits_per_byte']:.3f}", _interval(row)]
                        for row in pq.read_table(artifact.folder / "context.parquet").to_pylist()
                    ],
                ),
                "by_source": table(
                    ["source", "before", "after"],
                    [
                        [
                            source,
                            f"{score['bits_per_byte_initial']:.3f}",
                            f"{score['bits_per_byte']:.3f}",
                        ]
                        for source, score in figures["by_source"].items()
                    ],
                ),
            },
            [checks.tuned_better(figures)],
        )

    return perplexity


def _figure(figure: Mapping[str, float | None]) -> str:
    """A difference in bits per byte with its interval; below 0 is better."""
    return f"{figure['value']:+.3f} ({_interval(figure, '+.3f')})"


def _interval(figure: Mapping[str, float | None], form: str = ".3f") -> str:
    low, high = figure["low"], figure["high"]
    if low is None or high is None:
        return "no interval: one work, or all alike"
    return f"{low:{form}} to {high:{form}}"
