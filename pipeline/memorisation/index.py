"""The index of a corpus's training text: which runs of words stand in it, and in which document.

All documents of train.txt as folded words parted by single blanks, a line each, and of the blanks
before words the suffix array (Manber and Myers 1993; built by Yuta Mori's divsufsort): a run of
words is a string that begins and ends with a blank, so that questions are exact at the bounds of
words, and a line end stands in no run, so that none goes over from one document into the next. Of
other suffixes nobody asks, and without them the array is a sixth of its size. The longest run at
each word of a text is found by bisection, as in the matching statistics of Chang and Lawler 1994.
"""

import json
import mmap
from collections.abc import Callable
from contextlib import ExitStack
from hashlib import file_digest
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.corpus import CorpusError, read_split
from pipeline.memorisation.passages import COLUMNS, Passage, maximal
from pipeline.memorisation.suffixes import Suffixes, memory_need, sorted_suffixes
from pipeline.memorisation.words import Words, joined_words, words_of
from pipeline.reports.text import size

WORDS, SUFFIXES, STARTS, ABOUT = "words.txt", "suffixes.npy", "starts.npy", "index.json"
_VERSION = 1

#: Bytes of a text that are looked for at once, more than most runs have; where all of them stand
#: there, so many times as many.
_WIDTH, _WIDER = 256, 16
_REPORTED = 5_000  # documents


def build_index(
    corpus: Path, folder: Path, *, report: Callable[[str], None] = lambda line: None
) -> dict[str, Any]:
    """Write the index of the corpus in `corpus` into `folder` and return its figures.

    Takes five bytes of memory for a byte of words, nine from two gigabytes on. The same corpus
    gives the same files. Raises ManifestError; CorpusError where the training text has no words,
    or where memory is short, before anything is sorted.
    """
    begun = monotonic()
    starts, words = _write_words(corpus, folder / WORDS, report)
    if not words:
        raise CorpusError(
            f"{corpus / 'train.txt'}: has no words to be found again; add sources to the corpus"
        )
    _write_suffixes(folder, len(starts), words, report)
    _save(folder / STARTS, np.array(starts, np.int64))
    length = (folder / WORDS).stat().st_size
    about = {"version": _VERSION, "corpus": _name_of(corpus), "bytes": length, "words": words}
    (folder / ABOUT).write_text(json.dumps(about, indent=1) + "\n", "utf-8")
    return {
        "documents": len(starts),
        "words": words,
        "bytes": length,
        "memory_bytes": memory_need(length),
        "seconds": round(monotonic() - begun, 3),
    }


def is_of(index: Path, corpus: Path) -> bool:
    """Whether the index in `index` is one of the corpus in `corpus`, as it stands now."""
    try:
        about = json.loads((index / ABOUT).read_text("utf-8"))
        return bool(about["version"] == _VERSION and about["corpus"] == _name_of(corpus))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _name_of(corpus: Path) -> str:
    """What a corpus is known by: the hash of its manifest, which has the hash of every text."""
    with (corpus / "manifest.parquet").open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _write_words(corpus: Path, path: Path, report: Callable[[str], None]) -> tuple[list[int], int]:
    """Where in the file each document's line begins, and the words of all."""
    starts: list[int] = []
    position = words = 0
    with path.open("wb") as file:
        for document in read_split(corpus, "train"):
            joined = joined_words(document.text)
            line = f" {joined} \n".encode() if joined else b" \n"
            starts.append(position)
            position += file.write(line)
            words += joined.count(" ") + 1 if joined else 0
            if len(starts) % _REPORTED == 0:
                report(f"{len(starts):,} documents, {words:,} words")
    return starts, words


def _write_suffixes(
    folder: Path, documents: int, words: int, report: Callable[[str], None]
) -> None:
    report(f"sorting {words:,} words, {size((folder / WORDS).stat().st_size)}")
    order = sorted_suffixes(folder / WORDS)
    # First come the line ends, then the blanks before them, then the blanks before words.
    _save(folder / SUFFIXES, order[2 * documents : 2 * documents + words])


def _save(path: Path, values: NDArray[Any]) -> None:
    """As `numpy.save` does, which does not say so when the disk is full."""
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(values))
        file.write(values.data)


def _rises(starts: NDArray[Any]) -> bool:
    """Whether these can be where documents begin, one after the other from the first byte on."""
    whole = starts.dtype == np.int64 and starts.ndim == 1 and len(starts) > 0
    return whole and starts[0] == 0 and bool((np.diff(starts) > 0).all())


class TrainIndex:
    """The index of a corpus, opened, a context manager.

    Text and suffixes are mapped, not read; from the first passage on the documents' names are held,
    some 200 bytes each.
    """

    def __init__(self, index: Path, corpus: Path):
        self._index = index
        self._corpus = corpus
        self._rows: pa.Table | None = None

    def __enter__(self) -> "TrainIndex":
        """Raises CorpusError where the index is not of this corpus, or is damaged."""
        again = "materialize the corpus's `index` again"
        if not is_of(self._index, self._corpus):
            raise CorpusError(
                f"{self._index} is no index of the corpus {self._corpus} as it stands now; {again}"
            )
        self._open = ExitStack()
        try:
            file = self._open.enter_context((self._index / WORDS).open("rb"))
            text = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            self._open.callback(text.close)
            places = np.load(self._index / SUFFIXES, mmap_mode="r")
            self._starts = np.load(self._index / STARTS, mmap_mode="r")
            about = json.loads((self._index / ABOUT).read_text("utf-8"))
            if (len(text), len(places)) != (about["bytes"], about["words"]):
                raise ValueError(f"{WORDS} or {SUFFIXES} is not as long as it was written")
            if not _rises(self._starts):
                raise ValueError(f"{STARTS} is not in order")
            self._suffixes = Suffixes(text, places)
        except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
            self._open.close()
            raise CorpusError(f"{self._index}: is damaged ({error}); {again}") from error
        self._open.callback(self._suffixes.close)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    def runs(self, text: str) -> NDArray[np.int64]:
        """For each word of `words_of(text)` the longest run of words that begins there.

        In words; a run stands, in this order, in one training document.
        """
        return self._runs(words_of(text))

    def longest(self, text: str, runs: NDArray[np.int64] | None = None) -> Passage | None:
        """The longest passage, the first of several; None where no word of it stands there.

        `runs` as of `passages`.
        """
        words = words_of(text)
        runs = self._runs(words) if runs is None else runs
        if not len(runs) or not (most := int(runs.max())):
            return None
        return self._passage(words, int(runs.argmax()), most)

    def passages(
        self, text: str, least: int, runs: NDArray[np.int64] | None = None
    ) -> list[Passage]:
        """All passages of at least so many words that no longer one holds, in their order.

        `runs`: the text's own, where they were asked for already; looking for them takes longest.
        """
        words = words_of(text)
        runs = self._runs(words) if runs is None else runs
        return [self._passage(words, at, int(runs[at])) for at in maximal(runs, least)]

    def _runs(self, words: Words) -> NDArray[np.int64]:
        if not len(words):
            return np.zeros(0, np.int64)
        asked = f" {' '.join(words.folded)} ".encode()
        blanks = np.flatnonzero(np.frombuffer(asked, np.uint8) == ord(" ")).tolist()
        last = len(words) - 1
        ends = np.zeros(len(words), np.int64)
        ends[0], ends[last] = self._end(asked, blanks[0], 0), self._end(asked, blanks[last], last)
        between = [(0, last)]
        while between:
            low, high = between.pop()
            if ends[low] == ends[high]:  # no run ends before an earlier one: nor do these
                ends[low:high] = ends[low]
            elif high - low > 1:
                middle = (low + high) // 2
                ends[middle] = self._end(asked, blanks[middle], middle)
                between += [(low, middle), (middle, high)]
        return ends - np.arange(len(words))

    def _end(self, asked: bytes, at: int, word: int) -> int:
        """The word before which the longest run ends that begins at `word`, the blank at `at`."""
        width = _WIDTH
        while True:
            wanted = asked[at : at + width]
            count, first = self._suffixes.find(wanted)
            if not count or at + width >= len(asked):
                common = len(wanted) if count else self._suffixes.nearest(wanted, first)
                return word + asked.count(b" ", at, at + common) - 1
            width *= _WIDER

    def _passage(self, words: Words, first: int, length: int) -> Passage:
        run = f" {' '.join(words.folded[first : first + length])} ".encode()
        count, one = self._suffixes.find(run)
        place = int(self._suffixes.places[one : one + count].min())
        document = int(np.searchsorted(self._starts, place, side="right")) - 1
        start, end = words.starts[first], words.ends[first + length - 1]
        return Passage(start, end, length, count, self._row(document))

    def _row(self, document: int) -> dict[str, Any]:
        if self._rows is None:
            wanted = [("split", "==", "train"), ("kind", "==", "document")]
            manifest = self._corpus / "manifest.parquet"
            self._rows = pq.read_table(manifest, columns=list(COLUMNS), filters=wanted)
        row: dict[str, Any] = self._rows.slice(document, 1).to_pylist()[0]
        return row
