"""The asset of a trained model: it is trained elsewhere, in a child, a pod or a job of Ray."""

import json
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow.parquet as pq

from dagster_project.launchers import TrainingLauncher
from dagster_project.launchers.job import TrainingJob
from dagster_project.presentation import OWNERS, group_name, png, result
from dagster_project.resources import DataStore, Gpu
from dagster_project.step import build, in_one_line
from dagster_project.story_model.inputs import asset_key, load_corpus
from pipeline.artifact import code_version, fingerprint
from pipeline.model_spec import ModelSpec
from pipeline.model_spec.code import DECIDES_THE_WEIGHTS
from pipeline.models.base import base_version
from pipeline.takedown.models import marks, notice

#: What a person wants to know of a training, in the order of asking; training.json has the rest.
_FIGURES = (
    "loss",
    "validation_loss",
    "bits_per_byte",
    "steps",
    "best_step",
    "parameters",
    "vocabulary",
    "block_size",
    "tokens_seen",
    "tokens_per_second",
    "mfu",
    "minutes",
    "peak_memory_bytes",
)
#: The same where it has parts.
_RECORDS = ("batch", "acceleration", "forecast")


def model_asset(spec: ModelSpec, written_in: Path, pool: str) -> dg.AssetsDefinition:
    """The training, watched while it runs; `pool` is the queue of its GPU."""

    @dg.asset(
        key=asset_key(spec, "model"),
        deps=[dg.AssetKey([spec.corpus, "corpus"])],
        description=f"{spec.name}, trained on the corpus {spec.corpus}: checkpoints at the steps "
        "that are sampled, a final folder that transformers loads, and how it came about.",
        group_name=group_name(spec.name),
        kinds={"pytorch", "huggingface"},
        owners=OWNERS,
        pool=pool,
    )
    def model(
        context: dg.AssetExecutionContext, data: DataStore, gpu: Gpu, launcher: TrainingLauncher
    ) -> dg.MaterializeResult:
        from dagster_project.takedown.trained import mark_trained  # it loads the components
        from pipeline.reports.learning_plots import (
            learning_png,
        )  # matplotlib, like torch, takes its time

        corpus = load_corpus(spec, data)

        def train(folder: Path) -> Any:
            job = TrainingJob(spec, corpus.folder, folder, gpu.device, corpus.data_version)
            launcher.train(context, job, Path(data.root).absolute())
            return json.loads((folder / "training.json").read_text("utf-8"))

        artifact = build(
            data.path("models", spec.name),
            fingerprint(
                corpus=corpus.data_version,
                spec=spec.model_inputs(),
                base=base_version(spec),
                code=code_version(*DECIDES_THE_WEIGHTS),
            ),
            train,
            written_in=written_in,
            resumable=True,
        )
        with in_one_line(written_in):
            mark_trained(data.path("models", spec.name).parents[1], artifact)
        figures = artifact.figures
        loss = pq.read_table(artifact.folder / "loss.parquet")
        return result(
            context,
            artifact,
            {
                "learning": png(learning_png(loss), "loss and bits per byte by step"),
                **{name: figures[name] for name in _FIGURES if figures.get(name) is not None},
                **{name: dg.MetadataValue.json(figures[name]) for name in _RECORDS
                   if figures.get(name) is not None},
                "device": figures["device"]["name"],
                "tensorboard": dg.MetadataValue.path(str(artifact.folder / "tensorboard")),
                **({"taken_down": told} if (told := notice(marks(artifact))) else {}),
                "configuration": dg.MetadataValue.json(figures["spec"]),
            },
        )  # fmt: skip

    return model
