"""What the model read: how much of what, from which source, under which licence, by whom.

Counts are the corpus step's own figures. The list of works comes from the manifest and is bounded;
the full one is ATTRIBUTION.md in the corpus folder.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.licences import LICENCES
from pipeline.reports.material import Material
from pipeline.reports.sections.section import Section
from pipeline.reports.text import one_line, web_link

#: At most so many works in the folded list.
WORKS = 300
#: At most so many rows in a table; the largest are shown.
ROWS = 40
#: Groupings besides source and licence, told only where they divide the corpus.
_FURTHER = ("franchise", "genre", "language")


@dataclass(frozen=True)
class Share:
    """A part of the corpus."""

    name: str
    documents: int
    words: int
    bytes: int
    share: float  # of all bytes, 0 to 1


@dataclass(frozen=True)
class Work:
    """A work as its licence asks it to be named."""

    title: str
    link: str | None
    source: str
    licence: str


def section(material: Material) -> Section:
    """The corpus in tables. Raises ValueError where figures and manifest differ."""
    figures = material.corpus_figures
    documents = material.manifest.filter(pc.field("kind") == "document")
    if documents.num_rows != figures["documents"]:
        raise ValueError(
            f"manifest.parquet has {documents.num_rows} documents and the corpus figures "
            f"{figures['documents']}: they are of different builds; build the corpus again"
        )
    works = _works(documents)
    further = [name for name in _FURTHER if len(figures[f"by_{name}"]) > 1]
    content = {
        "figures": figures,
        "by_split": shares(figures["by_split"]),
        "groupings": [(name, shares(figures[f"by_{name}"])) for name in ("source", *further)],
        "by_licence": [(part, LICENCES.get(part.name)) for part in shares(figures["by_licence"])],
        "rows": ROWS,
        "works": works[:WORKS],
        "works_left_out": max(0, len(works) - WORKS),
    }
    told = {f"corpus_{name}": figures[name] for name in ("documents", "works", "words", "bytes")}
    return Section("corpus", "What it read", "corpus.html", content, told)


def shares(groups: Mapping[str, Mapping[str, int]]) -> list[Share]:
    """The parts of the corpus by size, the largest first."""
    total = sum(group["bytes"] for group in groups.values()) or 1
    parts = [
        Share(name, group["documents"], group["words"], group["bytes"], group["bytes"] / total)
        for name, group in groups.items()
    ]
    return sorted(parts, key=lambda part: (-part.bytes, part.name))


def _works(documents: pa.Table) -> list[Work]:
    """Each work of each source once, by source and title."""
    works: dict[tuple[str, str], Work] = {}
    columns = ["franchise", "source", "work_id", "title", "attribution_url", "url", "licence"]
    for row in documents.select(columns).to_pylist():
        work = _work(row)
        works.setdefault((work.source, row["work_id"]), work)
    return sorted(works.values(), key=lambda work: (work.source, work.title))


def _work(row: Mapping[str, Any]) -> Work:
    return Work(
        title=one_line(row["title"], 120),
        link=web_link(row["attribution_url"]) or web_link(row["url"]),
        source=f"{row['franchise']}/{row['source']}",
        licence=row["licence"],
    )
