"""A corpus's files written straight from documents, each on the side that it is given to."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from pipeline.corpus.figures import Figures
from pipeline.corpus.files import SplitWriter, manifest_writer
from pipeline.corpus.layout import make_layout
from pipeline.corpus.spec import Layout
from pipeline.schema import DOCUMENTS

Rows = Sequence[Mapping[str, Any]]


def row(number: int, text: str, **changes: Any) -> dict[str, Any]:
    """A row of DOCUMENTS, a page of a wiki with this text."""
    return {
        **dict.fromkeys(DOCUMENTS.names),
        "doc_id": f"lamps/wiki/{number}#Plot",
        "work_id": f"wiki:{number}",
        "franchise": "lamps",
        "source": "wiki",
        "url": f"https://wiki.example/wiki/{number}#Plot",
        "revision": str(100 + number),
        "title": f"Page {number}",
        "section": "Plot",
        "language": "en",
        "licence": "CC-BY-SA-4.0",
        "attribution_url": f"https://wiki.example/wiki/{number}",
        "text": text,
        "text_sha256": sha256(text.encode()).hexdigest(),
        "characters": len(text),
        "words": len(text.split()),
        **changes,
    }


def write_files(folder: Path, splits: Mapping[str, Rows], layout: Layout) -> dict[str, Any]:
    """Texts and manifest in `folder`; the figures that `build_corpus` would give."""
    chosen = make_layout(layout, (row["genre"] for rows in splits.values() for row in rows))
    figures = Figures(duplicates=3, split_by=True)
    with manifest_writer(folder, chosen) as manifest:
        for split, rows in splits.items():
            with SplitWriter(folder, split, manifest, chosen) as writer:
                for document in rows:
                    figures.add(split, document, writer.write(document))
    excluded = {"CC-BY-NC-4.0": 2}
    dropped = {"licence": 2, "same text": 3}
    return figures.as_dict() | {"excluded_by_licence": excluded, "dropped_by_reason": dropped}
