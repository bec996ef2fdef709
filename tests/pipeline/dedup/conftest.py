"""Documents on disk with near-duplicates planted at known similarity; original text."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.schema import DOCUMENTS

_SYLLABLES = [
    "bel",
    "cor",
    "dun",
    "fen",
    "gar",
    "hol",
    "kem",
    "lor",
    "mar",
    "nim",
    "pel",
    "ris",
    "sto",
    "tam",
    "vex",
    "zan",
]


@pytest.fixture(scope="session")
def words() -> Callable[[int, int], list[str]]:
    """So many made-up words, others for each seed."""

    def draw(count: int, seed: int) -> list[str]:
        chance = random.Random(seed)
        return ["".join(chance.choices(_SYLLABLES, k=3)) for _ in range(count)]

    return draw


def word_similarity(one: str, other: str) -> float:
    """The Jaccard similarity of word 5-shingles, as the definition says it."""
    sets = []
    for text in (one, other):
        parts = text.casefold().split()
        sets.append({tuple(parts[place : place + 5]) for place in range(max(len(parts) - 4, 1))})
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


@pytest.fixture(scope="session")
def similarity() -> Callable[[str, str], float]:
    return word_similarity


@dataclass
class Corpus:
    """Franchises' documents and their signatures."""

    folder: Path
    documents: dict[str, Path] = field(default_factory=dict)
    signatures: dict[str, Path] = field(default_factory=dict)

    def add(self, franchise: str, texts: Mapping[str, str], group: int = 1000) -> None:
        """Documents named WORK or WORK#CHAPTER, in the mapping's order; signed."""
        from pipeline.dedup.sign import sign

        rows = [_row(franchise, name, text) for name, text in texts.items()]
        path = self.folder / f"{franchise}.parquet"
        pq.write_table(pa.Table.from_pylist(rows, schema=DOCUMENTS), path, row_group_size=group)
        self.documents[franchise] = path
        self.signatures[franchise] = self.folder / f"{franchise}.signatures.parquet"
        sign(path, None, self.signatures[franchise])

    def matches(self, **bounds: float) -> pa.Table:
        from pipeline.dedup.matches import find_matches

        return find_matches(self.documents, self.signatures, **bounds)

    def table(self) -> pa.Table:
        """All documents, as `choose` wants them."""
        columns = ["doc_id", "work_id", "characters"]
        names = sorted(self.documents)
        return pa.concat_tables(pq.read_table(self.documents[n], columns=columns) for n in names)


def _row(franchise: str, name: str, text: str) -> dict[str, Any]:
    return {
        "doc_id": f"{franchise}/{name}",
        "work_id": f"{franchise}/{name.partition('#')[0]}",
        "franchise": franchise,
        "source": "books",
        "url": f"https://books.example/{name}",
        "title": name,
        "licence": "CC0-1.0",
        "text": text,
        "text_sha256": sha256(text.encode()).hexdigest(),
        "characters": len(text),
        "words": len(text.split()),
    }


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    return Corpus(tmp_path)


@pytest.fixture
def new_corpus(tmp_path: Path) -> Callable[[str], Corpus]:
    """Another corpus in a folder of its own."""

    def make(name: str) -> Corpus:
        (tmp_path / name).mkdir()
        return Corpus(tmp_path / name)

    return make
