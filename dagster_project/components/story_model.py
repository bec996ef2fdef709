"""A story model as assets: trained, sampled, measured, and reported on."""

from pathlib import Path

import dagster as dg
from pydantic import BaseModel

from dagster_project.pools import pool_of
from dagster_project.story_model.memorisation import memorisation_asset
from dagster_project.story_model.model import model_asset
from dagster_project.story_model.perplexity import perplexity_asset
from dagster_project.story_model.quality import quality_asset
from dagster_project.story_model.report import report_asset
from dagster_project.story_model.samples import samples_asset
from pipeline.model_spec import ModelSpec


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
        pool = pool_of(self.spec, context.path.parent)
        make = [model_asset, samples_asset, perplexity_asset, quality_asset, memorisation_asset]
        assets = [asset(self.spec, self.written_in, pool) for asset in make]
        return dg.Definitions(assets=[*assets, report_asset(self.spec, self.written_in)])
