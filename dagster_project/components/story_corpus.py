"""A corpus as an asset: `train.txt`, held-out text, and where every byte of them comes from."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import BaseModel

from dagster_project import checks
from dagster_project.presentation import OWNERS, group_name, result, table
from dagster_project.resources import DataStore
from dagster_project.step import build
from pipeline.artifact import code_version, fingerprint
from pipeline.corpus import build_corpus
from pipeline.corpus.spec import CorpusConfig, StoryCorpusSpec


class StoryCorpus(dg.Component):
    """A mix of franchises in one corpus. A franchise alone implies a corpus of its own name."""

    def __init__(self, name: str, spec: StoryCorpusSpec, written_in: Path):
        self.name = name
        self.spec = spec
        self.written_in = written_in

    @classmethod
    def get_model_cls(cls) -> type[BaseModel]:
        """What stands under `attributes:`."""
        return StoryCorpusSpec

    @classmethod
    def load(cls, attributes: BaseModel | None, context: dg.ComponentLoadContext) -> "StoryCorpus":
        """The corpus is named after its folder."""
        assert isinstance(attributes, StoryCorpusSpec)
        return cls(context.path.name, attributes, context.path / "defs.yaml")

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """One asset."""
        return dg.Definitions(
            assets=[
                corpus_asset(
                    self.name,
                    self.spec.title,
                    self.spec.franchises,
                    self.spec.config(),
                    self.written_in,
                )
            ]
        )


def corpus_asset(
    name: str, title: str, franchises: list[str], config: CorpusConfig, written_in: Path
) -> dg.AssetsDefinition:
    """The asset `NAME/corpus`, milled from the documents of these franchises."""
    key = dg.AssetKey([name, "corpus"])

    @dg.asset(
        key=key,
        deps=[dg.AssetKey([franchise, "documents"]) for franchise in franchises],
        description=f"{title}: train.txt, validation.txt and test.txt, split by work, with a "
        "manifest that traces every byte to its page, revision and licence.",
        group_name=group_name(name),
        kinds={"python", "parquet"},
        owners=OWNERS,
        check_specs=[dg.AssetCheckSpec("split_disjoint", asset=key, blocking=True)],
    )
    def corpus(context: dg.AssetExecutionContext, data: DataStore) -> dg.MaterializeResult:
        documents = {
            franchise: data.load("documents", franchise, made_by=f"{franchise}/documents")
            for franchise in franchises
        }
        artifact = build(
            data.path("corpora", name),
            fingerprint(
                documents={name: made.data_version for name, made in documents.items()},
                config=config.model_dump(),
                code=code_version("pipeline.corpus", "pipeline.licences", "pipeline.schema"),
            ),
            lambda folder: build_corpus(
                {
                    franchise: made.folder / "documents.parquet"
                    for franchise, made in documents.items()
                },
                config,
                folder,
            ),
            written_in=written_in,
        )
        figures = artifact.figures
        return result(
            context,
            artifact,
            {
                "documents": figures["documents"],
                "works": figures["works"],
                "characters": figures["characters"],
                "words": figures["words"],
                "duplicates": figures["duplicates"],
                "non_commercial": figures["non_commercial"],
                "splits": _by(figures, "split"),
                "sources": _by(figures, "source"),
                "licences": _by(figures, "licence"),
            },
            [checks.split_disjoint(artifact.folder / "manifest.parquet", figures["split_by"])],
        )

    return corpus


def _by(figures: Mapping[str, Any], name: str) -> dg.MetadataValue[Any]:
    columns = ["documents", "works", "bytes", "words"]
    return table(
        [name, *columns],
        [
            [group, *(tally[column] for column in columns)]
            for group, tally in figures[f"by_{name}"].items()
        ],
    )
