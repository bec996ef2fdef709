"""What would be extracted from a few pages and what would be dropped, before any crawl.

The pages go through the same extraction as the asset `documents`, under the same rules, so that
what is shown is what a crawl would give.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urldefrag

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.extract import SourceRules, extract


@dataclass(frozen=True)
class Look:
    """A page, a row of PAGES, and the rows of DOCUMENTS and DROPPED that came of it, in order."""

    page: dict[str, Any]
    documents: list[dict[str, Any]]
    dropped: list[dict[str, Any]]


@dataclass(frozen=True)
class Preview:
    """All pages looked at, in their order, and the figures of the extraction."""

    looks: list[Look]
    figures: dict[str, Any]


class NoRulesError(ValueError):
    """A page is of a source that the franchise does not have."""


def look(pages: pa.Table, rules: Mapping[str, SourceRules]) -> Preview:
    """Extract the pages, a table of schema PAGES. Raises NoRulesError."""
    rows = pages.to_pylist()
    if unknown := sorted({row["source"] for row in rows} - set(rules)):
        there = ", ".join(rules)
        raise NoRulesError(f"there are pages of a source {unknown[0]!r}; its sources are: {there}")
    with TemporaryDirectory(prefix="loremill-preview-") as folder:
        figures = extract(pages.to_batches(), rules, Path(folder))
        documents = pq.read_table(Path(folder) / "documents.parquet").to_pylist()
        dropped = pq.read_table(Path(folder) / "dropped.parquet").to_pylist()
    looks = [Look(row, [], []) for row in rows]
    by_url = {urldefrag(one.page["url"]).url: one for one in looks}
    by_url |= {one.page["url"]: one for one in looks}

    def page_of(row: dict[str, Any]) -> Look:
        # A document of an HTML page leads to its heading: the page's url with a fragment.
        return by_url.get(row["url"]) or by_url[urldefrag(row["url"]).url]

    for document in documents:
        page_of(document).documents.append(document)
    for piece in dropped:
        page_of(piece).dropped.append(piece)
    return Preview(looks, figures)
