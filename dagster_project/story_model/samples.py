"""The asset of a model's stories."""

from functools import partial
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dagster_project.presentation import OWNERS, group_name, result, table
from dagster_project.resources import DataStore, Gpu
from dagster_project.step import build
from dagster_project.story_model.inputs import asset_key, load_model
from pipeline.artifact import Artifact, code_version, fingerprint
from pipeline.model_spec import ModelSpec
from pipeline.takedown.models import marks, notice

_COUNTED = ["step", "setting", "finished", "tokens"]


def samples_asset(spec: ModelSpec, written_in: Path, pool: str) -> dg.AssetsDefinition:
    """Stories at the chosen steps and at the end; `pool` is the queue of its GPU."""

    @dg.asset(
        key=asset_key(spec, "samples"),
        deps=[asset_key(spec, "model")],
        description=f"Stories {spec.name} wrote at the chosen steps: prompts x settings x seeds, "
        "none of them picked by hand.",
        group_name=group_name(spec.name),
        kinds={"pytorch", "parquet"},
        owners=OWNERS,
        pool=pool,
    )
    def samples(
        context: dg.AssetExecutionContext, data: DataStore, gpu: Gpu
    ) -> dg.MaterializeResult:
        from pipeline.sampling import FILE, sample

        model = load_model(spec, data)
        artifact = build(
            data.path("samples", spec.name),
            fingerprint(
                samples=spec.samples.model_dump(),
                code=code_version(
                    "pipeline.sampling",
                    "pipeline.sample_journal",
                    "pipeline.kept_checkpoints",
                    "pipeline.generation",
                    "pipeline.sentences",
                    "pipeline.models",
                    "pipeline.schema.models",
                    "pipeline.corpus.layout",
                ),
            ),
            lambda folder: sample(
                model.folder,
                spec,
                folder,
                device=gpu.pick(spec).kind,
                report=partial(_tell, context.log),
            ),
            written_in=written_in,
            made_from={"model": model},
            resumable=True,
        )
        made = pq.read_table(artifact.folder / FILE, columns=_COUNTED)
        finished = pc.sum(made["finished"]).as_py() or 0
        return result(
            context,
            artifact,
            {
                "samples": made.num_rows,
                "tokens": pc.sum(made["tokens"]).as_py() or 0,
                "finished": finished,
                "finished_share": finished / made.num_rows,
                "drawn": table(["step", "setting", "stories", "finished", "tokens"], _drawn(made)),
                **_speed(artifact),
                **({"taken_down": said} if (said := notice(marks(model))) else {}),
                "shown_in": dg.MetadataValue.asset(asset_key(spec, "report")),
            },
        )

    return samples


def _tell(
    log: dg.DagsterLogManager, checkpoint: str, done: int, total: int, left: float | None
) -> None:
    rest = "" if left is None or done == total else f", {_in_words(left)} left"
    log.info("%s: %s of %s stories%s", checkpoint, f"{done:,}", f"{total:,}", rest)


def _drawn(made: pa.Table) -> list[list[object]]:
    """Step, setting, stories, how many of them are finished, and tokens; in the set's order."""
    counts = made.group_by(["step", "setting"], use_threads=False).aggregate(
        [([], "count_all"), ("finished", "sum"), ("tokens", "sum")]
    )
    names = ("step", "setting", "count_all", "finished_sum", "tokens_sum")
    return [[row[name] for name in names] for row in counts.to_pylist()]


def _speed(artifact: Artifact) -> dict[str, float]:
    """Nothing where all was drawn before an interruption."""
    speed = artifact.figures.get("tokens_per_second")
    return {} if speed is None else {"tokens_per_second": speed}


def _in_words(seconds: float) -> str:
    if seconds < 90:
        return f"about {seconds:,.0f} s"
    return f"about {seconds / 60:,.0f} min"
