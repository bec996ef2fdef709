"""Corpora to make pages of: built for real from stories written for it, two of them twice over."""

import random
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.corpus import CorpusConfig, build_corpus
from pipeline.dedup.sign import sign
from pipeline.reports.corpus import write_corpus_report
from pipeline.schema import DOCUMENTS

WIKI = "https://wiki.example/wiki"
_WHO = ("keeper", "ferryman", "fox", "miller", "queen", "clerk", "heron", "smith", "widow", "thief")
_DID = ("hid", "sold", "mended", "followed", "counted", "lost", "painted", "buried", "stole")
_WHAT = ("lamp", "bell", "key", "oar", "coat", "map", "ladder", "goose", "letter", "stair")


def tell(number: int, sentences: int) -> str:
    """A story of its own for each number; no two of them are alike."""
    draw = random.Random(number)
    return " ".join(
        f"The {draw.choice(_WHO)} of {draw.randrange(10**6)} {draw.choice(_DID)} the "
        f"{draw.choice(_WHAT)} and {draw.choice(_DID)} {draw.randrange(10**6)} of the "
        f"{draw.choice(_WHAT)}s."
        for _ in range(sentences)
    )


def document(number: int, text: str = "", **changes: Any) -> dict[str, Any]:
    """A row of DOCUMENTS."""
    text = text or tell(number, 4 + number % 9)
    return {
        "doc_id": f"lamps/wiki/{number}#Plot", "work_id": f"wiki/{number}", "franchise": "lamps",
        "source": "wiki", "url": f"{WIKI}/{number}#Plot", "revision": "7",
        "title": f"Lamp {number}", "section": "Plot",
        "genre": ("fable", "mystery", None)[number % 3], "language": "en",
        "licence": "CC-BY-SA-4.0", "attribution_url": f"{WIKI}/{number}", "text": text,
        "text_sha256": sha256(text.encode()).hexdigest(), "characters": len(text),
        "words": len(text.split()), **changes,
    }  # fmt: skip


@dataclass
class Corpus:
    """A corpus folder with what it was built from."""

    root: Path
    rows: list[dict[str, Any]]
    config: CorpusConfig = field(default_factory=CorpusConfig)
    title: str = "Lamps"
    figures: dict[str, Any] = field(default_factory=dict)
    said: dict[str, Any] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return self.root / "corpus"

    @property
    def page(self) -> Path:
        return self.root / "reports/lamps.html"

    def build(self) -> "Corpus":
        """Write documents, signatures and the corpus, as the steps of the line do."""
        documents, signatures = self.root / "documents.parquet", self.root / "signatures.parquet"
        pq.write_table(pa.Table.from_pylist(self.rows, DOCUMENTS), documents)
        sign(documents, None, signatures)
        self.folder.mkdir()
        self.figures = build_corpus(
            {"lamps": documents},
            {"lamps": signatures},
            self.config,
            self.folder,
            recorded=self.root / "assignments.parquet",
        )
        return self

    def write(self) -> "Corpus":
        """Write the page."""
        paths = {"lamps": self.root / "documents.parquet"}
        self.said = write_corpus_report(self.folder, self.title, self.figures, paths, self.page)
        return self
