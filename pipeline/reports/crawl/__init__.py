"""The page of a crawl: one HTML file that proves, from its record, how each site was treated.

A site's owner may be shown it. It opens anywhere, loads nothing and runs no script, and what a site
said stays text.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.atomic import write_atomically
from pipeline.reports.crawl.definitions import DEFINITIONS
from pipeline.reports.crawl.record import read_record
from pipeline.reports.crawl.verdicts import judge


@dataclass(frozen=True)
class CrawlFigures:
    """What the page says, for elsewhere."""

    figures: dict[str, Any]  # JSON values; "kept" is the verdict on everything
    pace_png: bytes | None  # requests a minute over time; None where nothing was sent


def write_crawl_report(requests: Path, crawl: Mapping[str, Any], target: Path) -> CrawlFigures:
    """Write the page to `target`, and return what it says.

    `requests` is the record (schema REQUESTS); `crawl` the outcome with the policies in force, as
    `crawlers.outcome.CrawlOutcome` keeps it. Where its `finish_reason` is None the crawl did not
    end in order, and the page says only what the record does. Raises FileNotFoundError or
    ValueError naming the input that is missing or wrong.
    """
    from pipeline.reports.crawl import plots  # matplotlib takes its time
    from pipeline.reports.crawl.sections import Crawl, headline, sections
    from pipeline.reports.page import render

    record = read_record(requests)
    ended = crawl["finish_reason"] is not None
    made = Crawl(record, crawl, judge(record, crawl["policies"], ended=ended))
    head = headline(made)
    title = f"{head.title}: how the site was treated"
    target.parent.mkdir(parents=True, exist_ok=True)
    page = render(title, head, sections(made), DEFINITIONS)
    write_atomically(target, page.encode())
    png = plots.pace_png(record.hosts, made.policies) if record.hosts else None
    return CrawlFigures(dict(head.figures), png)
