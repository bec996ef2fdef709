"""Documents to make a corpus of, as extraction and signing leave them; the text is original."""

import random
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.corpus import CorpusConfig, build_corpus
from pipeline.schema import DOCUMENTS

_WORDS = [
    "lantern",
    "ferry",
    "miller",
    "harbour",
    "copper",
    "thimble",
    "orchard",
    "raven",
    "winter",
    "ladder",
    "kettle",
    "mirror",
    "saddle",
    "candle",
    "bridge",
    "garden",
    "whistle",
    "anchor",
    "velvet",
    "pepper",
    "trumpet",
    "basket",
    "feather",
    "goblin",
    "hollow",
    "island",
    "jacket",
    "kitchen",
    "lemon",
    "marble",
    "needle",
    "oyster",
    "pilgrim",
    "quarrel",
    "ribbon",
    "shepherd",
    "tunnel",
    "umbrella",
    "violin",
    "wagon",
    "yonder",
    "zephyr",
    "acorn",
    "blanket",
    "cellar",
    "dragon",
    "ember",
    "fiddle",
    "granite",
    "hammer",
]


def story(seed: int, words: int = 24) -> str:
    """Sentences of eight words; no two seeds share five words in a row but by chance."""
    drawn = random.Random(seed).choices(_WORDS, k=words)
    parts = [" ".join(drawn[start : start + 8]) for start in range(0, words, 8)]
    return " ".join(f"{part.capitalize()}." for part in parts)


def document(number: int, text: str | None = None, **changes: Any) -> dict[str, Any]:
    """A row of DOCUMENTS; a page of its own with a story of its own."""
    text = text if text is not None else story(number)
    row = {
        "doc_id": f"lamps/wikipedia/{number}#Plot",
        "work_id": f"wikipedia:wiki.example/{number}",
        "franchise": "lamps",
        "source": "wikipedia",
        "url": f"https://wiki.example/wiki/{number}#Plot",
        "revision": "7",
        "title": f"Page {number}",
        "section": "Plot",
        "genre": "fable",
        "language": "en",
        "licence": "CC-BY-SA-4.0",
        "attribution_url": f"https://wiki.example/wiki/{number}",
        "text": text,
        "text_sha256": sha256(text.encode()).hexdigest(),
        "characters": len(text),
        "words": text.count(" ") + 1,
    }
    return row | changes


def write_documents(folder: Path, franchise: str, rows: Sequence[Mapping[str, Any]]) -> Path:
    """`documents.parquet` of a franchise in a folder of its own."""
    path = folder / franchise / "documents.parquet"
    path.parent.mkdir(exist_ok=True)
    named = [{**row, "franchise": franchise} for row in rows]
    pq.write_table(pa.Table.from_pylist(named, schema=DOCUMENTS), path)
    return path


def signed(documents: Mapping[str, Path]) -> dict[str, Path]:
    """The signatures of each, beside it."""
    from pipeline.dedup.sign import sign

    result = {}
    for franchise, path in documents.items():
        result[franchise] = path.with_name("signatures.parquet")
        sign(path, None, result[franchise])
    return result


def build(
    folder: Path,
    documents: Mapping[str, Path],
    config: CorpusConfig | None = None,
    recorded: Path | None = None,
) -> dict[str, Any]:
    """Sign and build into `folder`; the record lies beside it where nothing else is said."""
    folder.mkdir(exist_ok=True)
    record = recorded or folder.with_name("assignments.parquet")
    return build_corpus(
        documents, signed(documents), config or CorpusConfig(), folder, recorded=record
    )
