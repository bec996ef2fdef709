"""The asset of a model's stories."""

from pathlib import Path

import dagster as dg
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dagster_project.presentation import OWNERS, group_name, result
from dagster_project.resources import DataStore, Gpu
from dagster_project.step import build
from dagster_project.story_model.inputs import asset_key, load_model
from pipeline.artifact import code_version, fingerprint
from pipeline.model_spec import ModelSpec
from pipeline.takedown.models import marks, notice


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
        from pipeline.sampling import sample

        model = load_model(spec, data)
        artifact = build(
            data.path("samples", spec.name),
            fingerprint(
                model=model.data_version,
                samples=spec.samples.model_dump(),
                code=code_version(
                    "pipeline.sampling",
                    "pipeline.generation",
                    "pipeline.sentences",
                    "pipeline.models",
                ),
            ),
            lambda folder: sample(
                model.folder,
                spec,
                folder,
                device=gpu.pick(spec).kind,
                report=lambda checkpoint, done, total: context.log.info(
                    "%s: %d of %d stories", checkpoint, done, total
                ),
            ),
            written_in=written_in,
        )
        made = pq.read_table(artifact.folder / "samples.parquet", columns=["tokens", "finished"])
        return result(
            context,
            artifact,
            {
                "samples": made.num_rows,
                "tokens": pc.sum(made["tokens"]).as_py() or 0,
                "finished": pc.sum(made["finished"]).as_py() or 0,
                **({"taken_down": told} if (told := notice(marks(model))) else {}),
                "shown_in": dg.MetadataValue.asset(asset_key(spec, "report")),
            },
        )

    return samples
