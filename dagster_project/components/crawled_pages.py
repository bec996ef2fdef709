"""The pages of a franchise as an asset: a crawl, under which rules, and how it treated the site."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from crawlers.franchise import FranchiseSpec
from crawlers.outcome import CrawlOutcome
from crawlers.policy import SitePolicy, origins, policy_of
from crawlers.sources import FileSource, SiteSource, source_name
from dagster_project import checks
from dagster_project.child import ChildError
from dagster_project.crawl_page import ON_DISK, CrawlPage, load_outcome, name_crawl, write_page
from dagster_project.presentation import OWNERS, Link, group_name, png, table
from dagster_project.resources import Crawler, DataStore
from pipeline.reports.text import one_line

#: Failures and the like of a crawl that its metadata shows, and characters of each.
_FAILURES, _SAID = 20, 400


def pages_key(franchise: str, spider: str) -> dg.AssetKey:
    """The asset of what a spider crawls for a franchise."""
    return dg.AssetKey([franchise, f"{spider}_pages"])


def pages_asset(name: str, spec: FranchiseSpec, spider: str) -> dg.AssetsDefinition:
    """The asset `NAME/SPIDER_pages`."""
    key = pages_key(name, spider)
    has_sites = spider not in ON_DISK  # what reads files asks no site for anything
    promises = [dg.AssetCheckSpec("politeness_kept", asset=key, blocking=True)] if has_sites else []

    @dg.asset(
        key=key,
        description=f"Pages of {spec.title} as {spider} served them; never rewritten.",
        metadata=_rules(spec, spider),
        group_name=group_name(name),
        kinds={"scrapy", "parquet"},
        owners=OWNERS,
        pool=f"crawl_{spider}",
        # Both blocking. Broken politeness cannot be made good by stopping here, but a run that
        # fails is what alerts somebody before the schedule crawls that site again.
        check_specs=[
            dg.AssetCheckSpec("pages_arrived", asset=key, blocking=True),
            *promises,
        ],
    )
    def pages(
        context: dg.AssetExecutionContext, data: DataStore, crawler: Crawler
    ) -> dg.MaterializeResult:
        store = data.pages(name, spider)
        crawl_id = name_crawl(context.run.run_id)
        try:
            outcome = crawler.crawl(data, name, spider, context.log.info, crawl_id=crawl_id)
        except ChildError as error:
            raise _failure(error, data, load_outcome(store.root, crawl_id)) from None
        page = write_page(Path(data.root), outcome) if has_sites else None
        if has_sites and page is None:
            raise dg.Failure(f"{store.root}: the record of the crawl {crawl_id} is missing")
        if outcome.fetched == 0:
            context.log.info("unchanged: none of %d pages had to be fetched", outcome.listed)
        return dg.MaterializeResult(
            data_version=dg.DataVersion(store.data_version()),
            metadata={
                "pages": store.count(),
                "fetched": outcome.fetched,
                "unchanged": outcome.unchanged,
                "moved": outcome.moved,
                "gone": outcome.gone,
                **({"taken_down": outcome.taken_down} if outcome.taken_down else {}),
                **({"requests": outcome.requests} if has_sites else {}),
                "bytes": outcome.bytes,
                **(_treatment(data, outcome, page) if page else {}),
                "path": dg.MetadataValue.path(str(store.root)),
                "failures": table(
                    ["url", "what", "remedy"],
                    [
                        [one_line(failure[name], _SAID) for name in ("url", "what", "remedy")]
                        for failure in outcome.failures[:_FAILURES]
                    ],
                ),
            },
            check_results=[
                checks.pages_arrived(store.count(), outcome),
                *([checks.politeness_kept(page.said.figures)] if page else []),
            ],
        )

    return pages


def _failure(error: ChildError, data: DataStore, outcome: CrawlOutcome | None) -> dg.Failure:
    """The crawl's own errors, with the page that shows how the site was treated until then."""
    has_sites = outcome is not None and outcome.spider not in ON_DISK
    page = write_page(Path(data.root), outcome) if outcome is not None and has_sites else None
    if outcome is None or page is None:
        return dg.Failure(str(error), allow_retries=False)
    told = "\n".join([str(error), *page.said.figures["broken"]])
    return dg.Failure(
        f"{told}\nhow the site was treated: {data.report_url(page.path)}",
        metadata={"errors": told, **_treatment(data, outcome, page)},
        allow_retries=False,
    )


def _treatment(data: DataStore, outcome: CrawlOutcome, page: CrawlPage) -> dict[str, Any]:
    """How the sites were treated, in a few figures, and the link to the page that shows it all."""
    figures, image = page.said.figures, page.said.pace_png
    gap = {"shortest_gap": round(figures["shortest_gap"], 3)} if "shortest_gap" in figures else {}
    signals = _few(outcome.signals)
    return {
        "treatment": dg.MetadataValue.url(data.report_url(page.path)),
        "treatment_file": dg.MetadataValue.path(str(page.path)),
        "verdict": figures["verdict"],
        "busiest_minute": figures["busiest_minute"],
        **gap,
        "answers_429": figures["answers_429"],
        "answers_503": figures["answers_503"],
        "maxlag": figures["maxlag"],
        "refused": figures["refused"],
        "robots": table(["host", "robots.txt"], _few(outcome.robots)),
        **({"signals": table(["signal", "pages"], signals)} if signals else {}),
        **({"pace": png(image, "requests in the minute")} if image else {}),
    }


def _few(said: Mapping[str, object]) -> list[list[object]]:
    """Rows of what sites said, bounded: Dagster keeps metadata for good."""
    rows = list(said.items())[:_FAILURES]
    return [[one_line(name, _SAID), one_line(str(value), _SAID)] for name, value in rows]


def _rules(spec: FranchiseSpec, spider: str) -> dict[str, Any]:
    """Under which rule each site is crawled, or which files are read, under which licence."""
    sources = [source for source in spec.sources if source.spider == spider]
    files = [
        [source_name(source), source.path, source.licence or ""]
        for source in sources
        if isinstance(source, FileSource)
    ]
    if files:
        return {"files": table(["source", "path", "licence"], files)}
    policies = {
        origin: policy_of(source, origin)
        for source in reversed(sources)  # of two for one site the first has its way
        if isinstance(source, SiteSource)
        for origin in origins(source)
    }
    rows = zip(*(_told(policy) for policy in policies.values()), strict=True)
    named = [[what, *cells] for what, cells in zip(_TOLD, rows, strict=True)]
    return {"site_policy": table(["", *policies], named)}


_TOLD = (
    "uses",
    "rule",
    "read",
    "delay, s",
    "at a time",
    "a minute",
    "licence",
    "non-commercial",
    "attribution",
)


def _told(policy: SitePolicy) -> list[object]:
    return [
        policy.interface,
        Link(policy.rule, policy.rule_url),
        policy.checked,
        f"{policy.delay:g}",
        policy.concurrency,
        policy.requests_per_minute,
        policy.licence,
        "yes" if policy.non_commercial else "no",
        policy.attribution,
    ]
