"""A story model as assets: trained, sampled, measured, and reported on."""

import json
import warnings
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import BaseModel

from dagster_project import checks
from dagster_project.child import run_child
from dagster_project.presentation import OWNERS, group_name, png, result, table
from dagster_project.resources import DataStore, Gpu
from dagster_project.step import build, in_one_line
from pipeline.artifact import Artifact, code_version, fingerprint
from pipeline.model_spec import ModelSpec
from pipeline.models.base import base_version
from pipeline.takedown.models import marks, notice

#: What a person wants to know of a training, in the order of asking; training.json has the rest.
_TRAINING_FIGURES = (
    "loss",
    "validation_loss",
    "steps",
    "parameters",
    "tokens_seen",
    "tokens_per_second",
    "minutes",
    "peak_memory_bytes",
)


class StoryModel(dg.Component):
    """A language model trained on a corpus, with its samples, perplexity and report."""

    def __init__(self, spec: ModelSpec, written_in: Path):
        self.spec = spec
        self.written_in = written_in

    @classmethod
    def get_model_cls(cls) -> type[BaseModel]:
        """What stands under `attributes:`."""
        return ModelSpec

    @classmethod
    def load(cls, attributes: BaseModel | None, context: dg.ComponentLoadContext) -> "StoryModel":
        """The model is named in its attributes: a corpus may have several."""
        assert isinstance(attributes, ModelSpec)
        return cls(attributes, context.path / "defs.yaml")

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Model, samples, perplexity, report."""
        make = [_model_asset, _samples_asset, _perplexity_asset, _report_asset]
        return dg.Definitions(assets=[asset(self.spec, self.written_in) for asset in make])


def _key(spec: ModelSpec, stage: str) -> dg.AssetKey:
    return dg.AssetKey([spec.name, stage])


def _load_corpus(spec: ModelSpec, data: DataStore) -> Artifact:
    return data.load("corpora", spec.corpus, made_by=f"{spec.corpus}/corpus")


def _load_model(spec: ModelSpec, data: DataStore) -> Artifact:
    return data.load("models", spec.name, made_by=f"{spec.name}/model")


def _model_asset(spec: ModelSpec, written_in: Path) -> dg.AssetsDefinition:
    @dg.asset(
        key=_key(spec, "model"),
        deps=[dg.AssetKey([spec.corpus, "corpus"])],
        description=f"{spec.name}, trained on the corpus {spec.corpus}: checkpoints at the steps "
        "that are sampled, a final folder that transformers loads, and how it came about.",
        group_name=group_name(spec.name),
        kinds={"pytorch", "huggingface"},
        owners=OWNERS,
        pool="gpu",
    )
    def model(context: dg.AssetExecutionContext, data: DataStore, gpu: Gpu) -> dg.MaterializeResult:
        from dagster_project.takedown.trained import mark_trained  # it loads this component
        from pipeline.reports.plots import loss_png  # matplotlib, like torch, takes its time

        corpus = _load_corpus(spec, data)

        def train(folder: Path) -> Any:
            device = gpu.pick()
            context.log.info("training on %s (%s)", device.kind, device.name)
            # Dagster warns of its own use of its own preview feature.
            warnings.simplefilter("ignore", dg.PreviewWarning)
            with dg.open_pipes_session(
                context,
                context_injector=dg.PipesEnvContextInjector(),
                message_reader=dg.PipesTempFileMessageReader(),
                extras={
                    "spec": spec.model_dump(mode="json"),
                    "corpus": str(corpus.folder),
                    "folder": str(folder),
                    "device": device.kind,
                    "data_version": corpus.data_version,
                },
            ) as session:
                run_child(
                    ["-m", "dagster_project.training_child"],
                    session.get_bootstrap_env_vars(),
                    context.log.debug,
                )
            return json.loads((folder / "training.json").read_text("utf-8"))

        artifact = build(
            data.path("models", spec.name),
            fingerprint(
                corpus=corpus.data_version,
                spec=spec.model_inputs(),
                base=base_version(spec),
                code=code_version(
                    "pipeline.training",
                    "pipeline.models",
                    "pipeline.corpus.files",
                    "pipeline.corpus.layout",
                ),
            ),
            train,
            written_in=written_in,
            resumable=True,
        )
        with in_one_line(written_in):
            mark_trained(data.path("models", spec.name).parents[1], artifact)
        loss = pq.read_table(artifact.folder / "loss.parquet")
        return result(
            context,
            artifact,
            {
                "loss_curve": png(loss_png(loss), "loss by step"),
                **{name: artifact.figures[name] for name in _TRAINING_FIGURES},
                "device": artifact.figures["device"]["name"],
                **({"taken_down": told} if (told := notice(marks(artifact))) else {}),
                "configuration": dg.MetadataValue.json(artifact.figures["spec"]),
            },
        )

    return model


def _samples_asset(spec: ModelSpec, written_in: Path) -> dg.AssetsDefinition:
    @dg.asset(
        key=_key(spec, "samples"),
        deps=[_key(spec, "model")],
        description=f"Stories {spec.name} wrote at the chosen steps: prompts x settings x seeds, "
        "none of them picked by hand.",
        group_name=group_name(spec.name),
        kinds={"pytorch", "parquet"},
        owners=OWNERS,
        pool="gpu",
    )
    def samples(
        context: dg.AssetExecutionContext, data: DataStore, gpu: Gpu
    ) -> dg.MaterializeResult:
        from pipeline.sampling import sample

        model = _load_model(spec, data)
        artifact = build(
            data.path("samples", spec.name),
            fingerprint(
                model=model.data_version,
                samples=spec.samples.model_dump(),
                code=code_version("pipeline.sampling", "pipeline.generation", "pipeline.models"),
            ),
            lambda folder: sample(
                model.folder,
                spec,
                folder,
                device=gpu.pick().kind,
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
                "shown_in": dg.MetadataValue.asset(_key(spec, "report")),
            },
        )

    return samples


def _perplexity_asset(spec: ModelSpec, written_in: Path) -> dg.AssetsDefinition:
    key = _key(spec, "perplexity")

    @dg.asset(
        key=key,
        deps=[_key(spec, "model"), dg.AssetKey([spec.corpus, "corpus"])],
        description=f"How well {spec.name} foretells held-out text, in bits per byte and "
        "perplexity, by source, beside the model before training.",
        group_name=group_name(spec.name),
        kinds={"pytorch", "parquet"},
        owners=OWNERS,
        pool="gpu",
        check_specs=[dg.AssetCheckSpec("tuned_better", asset=key)],
    )
    def perplexity(
        context: dg.AssetExecutionContext, data: DataStore, gpu: Gpu
    ) -> dg.MaterializeResult:
        from pipeline.perplexity import score
        from pipeline.reports.plots import bits_per_byte_png

        model, corpus = _load_model(spec, data), _load_corpus(spec, data)
        artifact = build(
            data.path("perplexity", spec.name),
            fingerprint(
                model=model.data_version,
                corpus=corpus.data_version,
                code=code_version(
                    "pipeline.perplexity",
                    "pipeline.likelihood",
                    "pipeline.models",
                    "pipeline.training.packing",
                    "pipeline.corpus.files",
                    "pipeline.corpus.layout",
                ),
            ),
            lambda folder: score(
                model.folder,
                spec,
                corpus.folder,
                folder,
                device=gpu.pick().kind,
                report=lambda stage, documents: context.log.info(
                    "%s model: %d documents scored", stage, documents
                ),
            ),
            written_in=written_in,
        )
        figures = artifact.figures
        scores = pq.read_table(artifact.folder / "scores.parquet")
        return result(
            context,
            artifact,
            {
                "plot": png(bits_per_byte_png(scores), "bits per byte, before and after"),
                "bits_per_byte": figures["bits_per_byte"],
                "bits_per_byte_before": figures["bits_per_byte_initial"],
                "perplexity_per_token": figures["perplexity_per_token"],
                "perplexity_per_token_before": figures["perplexity_per_token_initial"],
                "held_out": f"{figures['documents']:,} documents, {figures['bytes']:,} bytes "
                f"({figures['split']} split)",
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
            [checks.tuned_better(figures["bits_per_byte_initial"], figures["bits_per_byte"])],
        )

    return perplexity


def _report_asset(spec: ModelSpec, written_in: Path) -> dg.AssetsDefinition:
    @dg.asset(
        key=_key(spec, "report"),
        deps=[_key(spec, "samples"), _key(spec, "perplexity")],
        description=f"What {spec.name} learned, on one page that opens without a server: loss, "
        "bits per byte, stories, the corpus and its licences.",
        group_name=group_name(spec.name),
        kinds={"html"},
        owners=OWNERS,
    )
    def report(context: dg.AssetExecutionContext, data: DataStore) -> dg.MaterializeResult:
        from pipeline.reports import write_report
        from pipeline.reports.plots import bits_per_byte_png

        model, corpus = _load_model(spec, data), _load_corpus(spec, data)
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
