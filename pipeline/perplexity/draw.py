"""Some of a split's text, drawn by work with a seed, where all of it would cost too much.

Works come in a random order, and of each the text that it begins with, up to a tenth of what is
wanted: so a long novel does not stand for all, and there are works enough for an interval. The same
corpus and seed give the same text.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.corpus import CorpusDocument, read_split

#: Works that a draw is of, at least, where there are so many.
WORKS_DRAWN = 10


def draw(corpus: Path, split: str, size: int, *, seed: int) -> Iterator[CorpusDocument]:
    """Documents of a split, about `size` bytes in all, in the split's order.

    Of a document of which not all was drawn, its beginning, cut between two characters. Raises
    ManifestError as `read_split`.
    """
    drawn = _bytes_of(corpus, split, size, seed)
    for index, document in enumerate(read_split(corpus, split)):
        if most := drawn.get(index):
            text = document.text.encode()
            if len(text) > most:
                document = replace(document, text=text[:most].decode(errors="ignore"))
            yield document


def _bytes_of(corpus: Path, split: str, size: int, seed: int) -> dict[int, int]:
    """The documents drawn, by their number in the split, and how many bytes of each."""
    rows = pq.read_table(
        corpus / "manifest.parquet",
        columns=["work_id", "start", "end"],
        filters=(pc.field("split") == split) & (pc.field("kind") == "document"),
    )
    lengths = pc.subtract(rows["end"], rows["start"]).to_pylist()
    documents: dict[str, list[int]] = {}
    for index, work in enumerate(rows["work_id"].to_pylist()):
        documents.setdefault(work, []).append(index)
    works = sorted(documents)
    share = -(-size // min(WORKS_DRAWN, len(works))) if works else 0
    drawn: dict[int, int] = {}
    rest = size
    for number in np.random.default_rng(seed).permutation(len(works)):
        if rest <= 0:
            break
        left = min(share, rest)
        for index in documents[works[number]]:
            if left <= 0:
                break
            drawn[index] = min(lengths[index], left)
            left -= drawn[index]
            rest -= drawn[index]
    return drawn
