"""A franchise as assets: its pages, a crawl a spider; its documents; and a corpus of its own."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import BaseModel

from crawlers.franchise import FranchiseSpec
from crawlers.sources import source_name
from dagster_project import checks
from dagster_project.changes_page import documents_changes, refused_documents, standing_page
from dagster_project.components.crawled_pages import pages_asset, pages_key
from dagster_project.components.franchise_scaffold import FranchiseScaffolder
from dagster_project.components.story_corpus import corpus_asset
from dagster_project.corpus_index import index_asset
from dagster_project.documents_page import write_documents_page
from dagster_project.drift_alarm import DocumentsConfig, drifted, held_against, no_drift
from dagster_project.presentation import OWNERS, group_name, result, table
from dagster_project.resources import DataStore
from dagster_project.signing import sign_documents
from dagster_project.step import build, in_one_line
from pipeline.artifact import Artifact, code_version, fingerprint
from pipeline.corpus.spec import CorpusConfig
from pipeline.dedup.minhash import VERSION
from pipeline.drift import Drift, DriftError
from pipeline.extract import SourceRules
from pipeline.extract import extract as extract_documents


@dg.scaffold_with(FranchiseScaffolder)
class Franchise(dg.Component):
    """The lore of a franchise: crawled, cut into documents, milled into a corpus of its own."""

    def __init__(self, name: str, spec: FranchiseSpec, written_in: Path):
        self.name = name
        self.spec = spec
        self.written_in = written_in

    @classmethod
    def get_model_cls(cls) -> type[BaseModel]:
        """What stands under `attributes:`."""
        return FranchiseSpec

    @classmethod
    def load(cls, attributes: BaseModel | None, context: dg.ComponentLoadContext) -> "Franchise":
        """The franchise is named after its folder."""
        assert isinstance(attributes, FranchiseSpec)
        return cls(context.path.name, attributes, context.path / "defs.yaml")

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Pages a spider, documents, corpus, index; a job to crawl again, and its schedule."""
        pages = [pages_asset(self.name, self.spec, spider) for spider in self.spec.spiders()]
        documents = _documents_asset(self.name, self.spec, self.written_in)
        corpus = corpus_asset(
            self.name, self.spec.title, [self.name], CorpusConfig(), self.written_in
        )
        index = index_asset(self.name, self.spec.title, self.written_in)
        job = dg.define_asset_job(
            f"recrawl_{group_name(self.name)}",
            selection=dg.AssetSelection.assets(*pages, documents, corpus, index),
            description=f"Crawl {self.spec.title} again; what is unchanged is reused.",
        )
        schedules = []
        if self.spec.recrawl:
            schedules.append(
                dg.ScheduleDefinition(
                    job=job, cron_schedule=self.spec.recrawl, execution_timezone=self.spec.timezone
                )
            )
        return dg.Definitions(
            assets=[*pages, documents, corpus, index], jobs=[job], schedules=schedules
        )


def _documents_asset(name: str, spec: FranchiseSpec, written_in: Path) -> dg.AssetsDefinition:
    key = dg.AssetKey([name, "documents"])

    @dg.asset(
        key=key,
        deps=[pages_key(name, spider) for spider in spec.spiders()],
        description=f"The stories of {spec.title}: text cut out of the pages and cleaned, each "
        "with its page, revision and licence; and what was left out, with the reason.",
        group_name=group_name(name),
        kinds={"beautifulsoup", "parquet"},
        owners=OWNERS,
        check_specs=[
            dg.AssetCheckSpec("not_empty", asset=key, blocking=True),
            dg.AssetCheckSpec(
                "no_drift",
                asset=key,
                blocking=True,
                description="The same pages give what they gave at the last good extraction.",
            ),
        ],
    )
    def documents(
        context: dg.AssetExecutionContext, config: DocumentsConfig, data: DataStore
    ) -> dg.MaterializeResult:
        root = data.path("documents", name)
        stores = [data.pages(name, spider) for spider in spec.spiders()]
        rules = source_rules(spec)
        with in_one_line(written_in):
            versions = [store.data_version() for store in stores]

        def make(folder: Path) -> dict[str, Any]:
            figures = extract_documents(_all_pages(stores), rules, folder)
            last = Artifact.load(root)

            def refused(last_folder: Path, drift: Drift) -> None:
                refused_documents(data, name, spec.title, stores, last_folder, folder, drift)

            figures |= held_against(last, folder, accept=config.accept_drift, refused=refused)
            return figures | sign_documents(folder, last)

        try:
            artifact = build(
                root,
                fingerprint(
                    pages=versions,
                    rules={source: rule.__dict__ for source, rule in rules.items()},
                    signatures=VERSION,
                    code=code_version(
                        "pipeline.extract",
                        "pipeline.clean",
                        "pipeline.schema.crawl",
                        "pipeline.schema.documents",
                    ),
                ),
                make,
                written_in=written_in,
            )
            changes = documents_changes(data, name, spec.title, artifact, stores)
            check = no_drift(key, artifact.figures)
        except DriftError as error:
            artifact = data.load("documents", name, made_by=key.to_user_string())
            changes = standing_page(data, "documents", name)
            check = drifted(key, error.drift, data.report_url(changes.path))
            context.log.error("refused: %s", check.description)
        figures = artifact.figures
        page = write_documents_page(Path(data.root), name, spec.title, artifact)
        empty = checks.not_empty(figures)
        return result(
            context,
            artifact,
            {
                "documents": figures["documents"],
                "pages": figures["pages"],
                "characters": figures["characters"],
                "words": figures["words"],
                "dropped": figures["dropped"],
                "texts": figures["signatures"]["texts"],
                "texts_hashed": figures["signatures"]["hashed"],
                "dropped_by_reason": table(
                    ["reason", "documents"],
                    [list(row) for row in figures["dropped_by_reason"].items()],
                ),
                "changed_by_rule": table(
                    ["rule", "documents"],
                    [list(row) for row in figures["changed_by_rule"].items()],
                ),
                "what_was_left_out": dg.MetadataValue.url(data.report_url(page)),
                "what_was_left_out_file": dg.MetadataValue.path(str(page)),
                **changes.metadata(data),
            },
            [empty, check],
        )

    return documents


def source_rules(spec: FranchiseSpec) -> dict[str, SourceRules]:
    """What extraction needs to know of each source, by the source's name."""
    return {
        source_name(source): SourceRules(
            sections=tuple(sections) if (sections := getattr(source, "sections", None)) else None,
            genre=source.genre or spec.genre,
            language=source.language or spec.language,
            story=getattr(source, "story", None),
            columns=columns.model_dump() if (columns := getattr(source, "columns", None)) else None,
            genres=getattr(source, "genres", None),
        )
        for source in spec.sources
    }


def _all_pages(stores: Iterable[Any]) -> Iterable[Any]:
    for store in stores:
        yield from store.current()
