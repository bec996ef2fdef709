"""What the model read: how much of what, from which source, under which licence, by whom.

Bytes come from the manifest, words from the text it describes. The list of works is bounded; the
full one is ATTRIBUTION.md in the corpus folder.
"""

import mmap
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.reports.licences import licence
from pipeline.reports.material import Material
from pipeline.reports.sections.section import Section
from pipeline.reports.text import one_line, web_link

#: At most so many works in the folded list.
WORKS = 300
#: At most so many sources (or licences) in a table; the largest are shown.
ROWS = 40

Document = Mapping[str, Any]  # a row of the manifest, and `words`


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
    """The corpus in tables. Raises ValueError where manifest and text don't belong together."""
    documents = with_words(material)
    by_licence = shares(documents, lambda document: document["licence"] or "unknown")
    source = _source_namer(documents)
    by_source = shares(documents, source)
    works = _works(documents, source)
    whole = shares(documents, lambda _: "all")
    content = {
        "whole": whole[0] if whole else None,
        "by_split": shares(documents, lambda document: document["split"]),
        "by_source": by_source[:ROWS],
        "sources_left_out": max(0, len(by_source) - ROWS),
        "by_licence": [(part, licence(part.name)) for part in by_licence[:ROWS]],
        "works": works[:WORKS],
        "works_total": len(works),
        "works_left_out": max(0, len(works) - WORKS),
    }
    figures = {
        "corpus_documents": whole[0].documents if whole else 0,
        "corpus_words": whole[0].words if whole else 0,
        "corpus_bytes": whole[0].bytes if whole else 0,
        "corpus_works": len({document["work_id"] for document in documents}),
        "licences": sorted(part.name for part in by_licence),
    }
    return Section("corpus", "What it read", "corpus.html", content, figures)


def shares(documents: Sequence[Document], part: Callable[[Document], str]) -> list[Share]:
    """The parts of the corpus by size, the largest first."""
    counts: Counter[str] = Counter()
    words: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for document in documents:
        name = part(document)
        counts[name] += 1
        words[name] += document["words"]
        sizes[name] += document["end"] - document["start"]
    total = sum(sizes.values()) or 1
    return [
        Share(name, counts[name], words[name], size, size / total)
        for name, size in sorted(sizes.items(), key=lambda item: (-item[1], item[0]))
    ]


def with_words(material: Material) -> list[Document]:
    """The manifest's documents, each with its number of words. Raises as `section`."""
    by_split: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in material.manifest.to_pylist():
        if row["kind"] == "document":
            by_split[row["split"]].append(row)
    for split, rows in by_split.items():
        _count_words(material.corpus / f"{split}.txt", rows)
    return [row for rows in by_split.values() for row in rows]


def _count_words(path: Path, rows: list[dict[str, Any]]) -> None:
    """Add `words` to the rows: runs of non-space characters between `start` and `end`."""
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing though the manifest describes it; build again")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        for row in rows:
            if row["end"] > len(text):
                raise ValueError(f"{path} ends at {len(text)}, before a range of its manifest")
            row["words"] = len(text[row["start"] : row["end"]].decode("utf-8").split())


def _source_namer(documents: Sequence[Document]) -> Callable[[Document], str]:
    """Names a document's source, with its franchise where there are several."""
    if len({document["franchise"] for document in documents}) > 1:
        return lambda document: f"{document['franchise']} · {document['source']}"
    return lambda document: str(document["source"])


def _works(documents: Sequence[Document], name: Callable[[Document], str]) -> list[Work]:
    """Each work of each source once, by source and title."""
    works: dict[tuple[str, str], Work] = {}
    for document in documents:
        source = name(document)
        work = Work(
            title=one_line(document["title"] or document["work_id"], 120),
            link=web_link(document["attribution_url"]) or web_link(document["url"]),
            source=source,
            licence=document["licence"] or "unknown",
        )
        works.setdefault((source, document["work_id"]), work)
    return sorted(works.values(), key=lambda work: (work.source, work.title))
