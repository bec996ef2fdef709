"""What a corpus holds, in figures that its manifest does not: lengths, tokens, similarities.

Documents, words and bytes by source, licence, genre and language are counted where the corpus is
made (`pipeline.corpus.figures`); what needs the texts once more is counted here, in one reading of
them. Some 30 bytes a document are held in memory, and the draw of `pipeline.tokens`.
"""

from array import array
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.corpus import CorpusDocument, read_split
from pipeline.corpus.split import SPLITS
from pipeline.dedup.policy import EXACT, NEAR, WORK
from pipeline.tokens import TokenCount, TokenDraw

#: Bars to a doubling of the length.
_BARS = 2
#: Bars of a similarity between 0 and 1.
_SIMILARITIES = 40
#: Characters that are split into words at a time: a book of 200 MB has 40 million of them.
_PIECE = 1 << 20

Whole = NDArray[np.int64]


@dataclass(frozen=True)
class Lengths:
    """How long documents are, in words: the quantiles are lengths that documents have."""

    documents: int
    shortest: int
    tenth: int  # one in ten is no longer
    median: int
    ninetieth: int
    longest: int
    mean: float


@dataclass(frozen=True)
class Histogram:
    """How many fall between each edge and the next: one edge more than counts."""

    edges: list[float]
    counts: list[int]


@dataclass(frozen=True)
class Similarities:
    """The pairs that say the same."""

    exact: int
    near: Histogram  # of documents
    works: Histogram


@dataclass(frozen=True)
class Statistics:
    """What `read_statistics` counts."""

    lengths: Lengths
    histogram: Histogram  # of the lengths; the edges double
    by_source: dict[str, Lengths]  # franchise/source
    by_genre: dict[str, Lengths]
    tokens: dict[str, TokenCount]  # by split
    vocabulary: int  # entries of the tokenizer they are counted with
    similarities: Similarities | None  # None where the corpus was made without looking

    def as_dict(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self)


def read_statistics(
    folder: Path, watch: Callable[[str, CorpusDocument], None] = lambda split, document: None
) -> Statistics:
    """Read a corpus folder; `watch` sees each document with its split, in the corpus's order.

    Raises ManifestError where manifest and texts do not fit together.
    """
    draw = TokenDraw({split: (folder / f"{split}.txt").stat().st_size for split in SPLITS})
    words = array("q")
    sources, genres = _Names(), _Names()
    for split in SPLITS:
        for document in read_split(folder, split):
            words.append(count_words(document.text))
            sources.add(f"{document.franchise}/{document.source}")
            genres.add(document.genre or "none")
            draw.add(split, document.doc_id, document.text)
            watch(split, document)
    found = np.frombuffer(words, np.int64) if words else np.zeros(0, np.int64)
    tokens, vocabulary = draw.count()
    return Statistics(
        lengths=_lengths(found),
        histogram=_histogram(found),
        by_source=sources.lengths(found),
        by_genre=genres.lengths(found),
        tokens=tokens,
        vocabulary=vocabulary,
        similarities=_similarities(folder / "matches.parquet"),
    )


def count_words(text: str) -> int:
    """Runs of characters without a space, as `len(text.split())`, in bounded memory."""
    words = 0
    for start in range(0, len(text), _PIECE):
        words += len(text[start : start + _PIECE].split())
        if start and not text[start - 1].isspace() and not text[start].isspace():
            words -= 1  # the cut went through one
    return words


class _Names:
    """Which of a few names each document has."""

    def __init__(self) -> None:
        self._number: dict[str, int] = {}
        self._of = array("i")

    def add(self, name: str) -> None:
        self._of.append(self._number.setdefault(name, len(self._number)))

    def lengths(self, words: Whole) -> dict[str, Lengths]:
        """By name, those with the most documents first."""
        of = np.frombuffer(self._of, np.int32) if self._of else np.zeros(0, np.int32)
        made = {name: _lengths(words[of == number]) for name, number in self._number.items()}
        return dict(sorted(made.items(), key=lambda pair: (-pair[1].documents, pair[0])))


def _lengths(words: Whole) -> Lengths:
    if not len(words):
        return Lengths(0, 0, 0, 0, 0, 0, 0.0)
    at = np.quantile(words, [0, 0.1, 0.5, 0.9, 1], method="inverted_cdf")
    shortest, tenth, median, ninetieth, longest = (int(value) for value in at)
    return Lengths(
        len(words), shortest, tenth, median, ninetieth, longest, round(float(words.mean()), 1)
    )


def _histogram(words: Whole) -> Histogram:
    """By length, a bar a factor of the square root of two; a document without words has one."""
    if not len(words):
        return Histogram([1.0, 2.0], [0])
    longer = np.maximum(words, 1)
    low = int(np.floor(np.log2(longer.min()) * _BARS))
    high = int(np.floor(np.log2(longer.max()) * _BARS)) + 1
    edges = 2.0 ** (np.arange(low, high + 1) / _BARS)
    counts, _ = np.histogram(longer, edges)
    return Histogram([round(edge, 3) for edge in edges.tolist()], counts.tolist())


def _similarities(path: Path) -> Similarities | None:
    if not path.is_file():
        return None
    edges = np.linspace(0, 1, _SIMILARITIES + 1)
    counts = {kind: np.zeros(_SIMILARITIES, np.int64) for kind in (EXACT, NEAR, WORK)}
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(columns=["kind", "similarity"]):
            kinds = np.asarray(batch["kind"].to_pylist(), object)
            similarity = batch["similarity"].to_numpy()
            for kind, count in counts.items():
                count += np.histogram(similarity[kinds == kind], edges)[0]
    rounded = [round(edge, 3) for edge in edges.tolist()]
    return Similarities(
        exact=int(counts[EXACT].sum()),
        near=Histogram(rounded, counts[NEAR].tolist()),
        works=Histogram(rounded, counts[WORK].tolist()),
    )
