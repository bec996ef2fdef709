"""What would be extracted from a few pages and what would be dropped, before any crawl.

The pages go through the same extraction as the asset `documents`, under the same rules, so that
what is shown is what a crawl would give.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

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
    looks = [Look(row, *_extracted(pages.slice(n, 1), rules)[:2]) for n, row in enumerate(rows)]
    return Preview(looks, _extracted(pages, rules)[2])


def _extracted(
    pages: pa.Table, rules: Mapping[str, SourceRules]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], dict[str, Any]]:
    """Documents, what was dropped, and the figures.

    Page by page it is known what came of which; only together do repeated pages show.
    """
    with TemporaryDirectory(prefix="loremill-preview-") as folder:
        figures = extract(pages.to_batches(), rules, Path(folder))
        documents = pq.read_table(Path(folder) / "documents.parquet").to_pylist()
        dropped = pq.read_table(Path(folder) / "dropped.parquet").to_pylist()
        return documents, dropped, figures
