"""The asset of a model's report."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow.parquet as pq

from dagster_project import checks
from dagster_project.presentation import OWNERS, group_name, png, result, table
from dagster_project.resources import DataStore
from dagster_project.step import build, in_one_line
from dagster_project.story_model.inputs import (
    asset_key,
    load_corpus,
    load_memorisation,
    load_model,
    load_perplexity,
    load_quality,
    load_samples,
)
from dagster_project.story_model.origin import notice, refuse_outdated
from pipeline.artifact import code_version, fingerprint
from pipeline.model_spec import ModelSpec
from pipeline.ratings.tally import Tally, tallies
from pipeline.ratings.versions import versions
from pipeline.ratings.votes import path_of, read
from pipeline.reports.summary import key_figures


def report_asset(spec: ModelSpec, written_in: Path) -> dg.AssetsDefinition:
    """One page of what the model learned."""

    key = asset_key(spec, "report")

    @dg.asset(
        key=key,
        deps=[
            asset_key(spec, stage) for stage in ("samples", "perplexity", "quality", "memorisation")
        ],
        description=f"What {spec.name} learned, on one page that opens without a server: bits per "
        "byte, stories and what they copied, the corpus and its licences; and its model card.",
        group_name=group_name(spec.name),
        kinds={"html", "huggingface"},
        owners=OWNERS,
        # The report is written all the same; what would publish the model does not begin.
        check_specs=[dg.AssetCheckSpec("no_copy_above_bound", asset=key, blocking=True)],
    )
    def report(context: dg.AssetExecutionContext, data: DataStore) -> dg.MaterializeResult:
        from pipeline.reports import CARD, REPORT, write_report
        from pipeline.reports.entrance import ENTRANCE, write_entrance
        from pipeline.reports.material import Inputs
        from pipeline.reports.plots import bits_per_byte_png
        from pipeline.reports.sections.memorisation import copying_png

        outputs = {
            "model": load_model(spec, data),
            "samples": load_samples(spec, data),
            "perplexity": (perplexity := load_perplexity(spec, data)),
            "quality": load_quality(spec, data),
            "memorisation": (memorisation := load_memorisation(spec, data)),
        }
        refuse_outdated(spec.name, outputs)
        corpus = load_corpus(spec, data)
        inputs = Inputs(**outputs, corpus=corpus)
        told = notice(outputs, corpus)
        with in_one_line(written_in):
            rated = _rated(spec, Path(data.root).absolute())
        artifact = build(
            data.path("reports", spec.name),
            fingerprint(
                # What a step says of its files may change where they do not: a bound, a verdict.
                figures={name: made.figures for name, made in vars(inputs).items()},
                notice=told,
                **({"rated": [one.as_dict() for one in rated]} if rated else {}),
                code=code_version(
                    "pipeline.reports",
                    "pipeline.ratings",
                    "pipeline.licences",
                    "pipeline.intervals",
                    "pipeline.corpus.markdown",
                ),
            ),
            lambda folder: write_report(spec.name, inputs, folder, told, rated),
            written_in=written_in,
            made_from={**outputs, "corpus": corpus},
        )
        page, figures = artifact.folder / REPORT, artifact.figures
        write_entrance(artifact.root, page)
        scores = pq.read_table(perplexity.folder / "scores.parquet")
        differences = pq.read_table(perplexity.folder / "differences.parquet")
        copying = copying_png(pq.read_table(memorisation.folder / "memorisation.parquet"))
        return result(
            context,
            artifact,
            {
                "report": dg.MetadataValue.url(data.report_url(artifact.root / ENTRANCE)),
                "model_card": dg.MetadataValue.path(str(artifact.folder / CARD)),
                "file": dg.MetadataValue.path(str(page)),
                "verdict": figures["verdict"],
                "copying": figures["copying_verdict"],
                **({"notice": told} if told else {}),
                "figures": table(["figure", "value", "from", "to"], _rows(figures)),
                "plot": png(bits_per_byte_png(scores, differences), "bits per byte"),
                **({"copying_plot": png(copying, "copied by training step")} if copying else {}),
                "bits_per_byte": figures["bits_per_byte_after"],
                "stories": figures["samples"],
            },
            [checks.no_copy_above_bound(memorisation.figures)],
        )

    return report


def _rated(spec: ModelSpec, root: Path) -> list[Tally]:
    """What people said of its stories, as far as anybody did. Raises ModelError as `read`."""
    votes = read(path_of(root, spec.corpus))
    return [one for one in tallies(votes, versions(root, spec.corpus)) if one.is_of(spec.name)]


def _rows(figures: Mapping[str, Any]) -> list[list[str]]:
    """The key figures with their intervals."""
    return [
        [name, *("" if value is None else say(value) for value in values)]
        for name, values, say in key_figures(figures)
    ]
