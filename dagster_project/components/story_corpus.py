"""A corpus as an asset: `train.txt`, held-out text, and where every byte of them comes from."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import BaseModel

from dagster_project import checks
from dagster_project.changes_page import corpus_changes, corpus_since
from dagster_project.corpus_index import index_asset
from dagster_project.corpus_page import CorpusPage, write_corpus_page
from dagster_project.presentation import OWNERS, group_name, png, result, table
from dagster_project.resources import DataStore
from dagster_project.step import build, in_one_line
from pipeline.artifact import Artifact, code_version, fingerprint
from pipeline.corpus import RECORD, build_corpus, leaks_in, record_sha256
from pipeline.corpus.spec import CorpusConfig, StoryCorpusSpec
from pipeline.takedown.documents import SIGNATURES

#: Among the figures: what the record of sides added to the fingerprint.
_RECORD_PART = "record_part"


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
        """The corpus and its index."""
        corpus = corpus_asset(
            self.name, self.spec.title, self.spec.franchises, self.spec.config(), self.written_in
        )
        index = index_asset(self.name, self.spec.title, self.written_in)
        return dg.Definitions(assets=[corpus, index])


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
        check_specs=[
            dg.AssetCheckSpec("split_disjoint", asset=key, blocking=True),
            dg.AssetCheckSpec("no_leak", asset=key, blocking=True),
        ],
    )
    def corpus(context: dg.AssetExecutionContext, data: DataStore) -> dg.MaterializeResult:
        documents = {
            franchise: data.load("documents", franchise, made_by=f"{franchise}/documents")
            for franchise in franchises
        }
        root = data.path("corpora", name)
        recorded = root / RECORD
        known_by = _record_part(recorded, Artifact.load(root))

        def make(folder: Path) -> dict[str, Any]:
            texts, signatures = (
                {franchise: made.folder / file for franchise, made in documents.items()}
                for file in ("documents.parquet", SIGNATURES)
            )
            figures = build_corpus(texts, signatures, config, folder, recorded=recorded)
            since = corpus_since(Artifact.load(root))
            return figures | {
                "leaks": leaks_in(folder),
                _RECORD_PART: known_by,
                "config": config.model_dump(mode="json"),
                "since": since,
            }

        artifact = build(
            root,
            fingerprint(
                documents={name: made.data_version for name, made in documents.items()},
                config=config.model_dump(),
                record=known_by,
                code=code_version(
                    "pipeline.corpus",
                    "pipeline.dedup",
                    "pipeline.licences",
                    "pipeline.schema.documents",
                    "pipeline.schema.corpus",
                ),
            ),
            make,
            written_in=written_in,
        )
        figures = artifact.figures
        with in_one_line(written_in):
            page = write_corpus_page(Path(data.root), name, title, artifact, documents)
        return result(
            context,
            artifact,
            {
                "documents": figures["documents"],
                "works": figures["works"],
                "characters": figures["characters"],
                "words": figures["words"],
                "duplicates": figures["duplicates"],
                "dropped_by_reason": _counts(figures, "dropped_by_reason", "reason"),
                "matches": _counts(figures, "matches", "kind"),
                "excluded_by_licence": _counts(figures, "excluded_by_licence", "licence"),
                "layout": figures["layout"],
                "record_of_sides": dg.MetadataValue.path(str(recorded)),
                "non_commercial": figures["non_commercial"],
                "splits": _by(figures, "split"),
                "sources": _by(figures, "source"),
                "licences": _by(figures, "licence"),
                **_statistics(data, page),
                **corpus_changes(data, name, title, artifact).metadata(data),
            },
            [
                checks.split_disjoint(artifact.folder / "manifest.parquet", figures["split_by"]),
                checks.no_leak(figures["leaks"]),
            ],
        )

    return corpus


def _record_part(recorded: Path, last: Artifact | None) -> str | None:
    """What the record of sides adds to the fingerprint: as the last good corpus left it, what it
    added to that one's, and otherwise something new.

    Whoever removed it or put another back wants a new corpus, once. So does who was killed between
    the record and the manifest.
    """
    found = record_sha256(recorded)
    if last is None:
        return found
    before = last.figures.get(_RECORD_PART)
    left = last.figures.get("record_sha256")
    return before if found == left else fingerprint(found=found, left=left, before=before)


def _statistics(data: DataStore, page: CorpusPage) -> dict[str, Any]:
    """The link to the page that shows the corpus in figures, and the first of them."""
    from pipeline.reports.corpus import lengths_png

    said = page.figures
    return {
        "statistics": dg.MetadataValue.url(data.report_url(page.path)),
        "statistics_file": dg.MetadataValue.path(str(page.path)),
        "tokens": said["tokens"],
        "median_words": said["median_words"],
        "left_out": said["left_out"],
        "lengths": png(lengths_png(said["statistics"]), "documents by length in words"),
    }


def _counts(figures: Mapping[str, Any], name: str, of: str) -> dg.MetadataValue[Any]:
    return table([of, "number"], [list(row) for row in figures[name].items()])


def _by(figures: Mapping[str, Any], name: str) -> dg.MetadataValue[Any]:
    columns = ["documents", "works", "bytes", "words"]
    return table(
        [name, *columns],
        [
            [group, *(tally[column] for column in columns)]
            for group, tally in figures[f"by_{name}"].items()
        ],
    )
