"""From a byte, a line or a sentence of a corpus back to the page that it is from.

A byte is looked up in the manifest; a line too, by the range before it, and by counting within that
one; a sentence is searched for in the files. Before an answer is given, the text is held against
the manifest: the file's size, and the hash of the document that the answer names.
"""

import hashlib
import mmap
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import TracebackType

from pipeline.corpus.files import ManifestError
from pipeline.manifest_rows import ManifestRows, Row
from pipeline.sentence_search import Span, Text, find_alike, find_as_written, find_exactly

#: Bytes around a control token among which its neighbours lie: tokens and separators are short.
_AROUND = 4096
#: Characters of the passage on each side of the place, and at most of the place itself.
_BESIDE, _WITHIN = 200, 600


class PlaceError(ValueError):
    """There is no such place; the message says which there are."""


@dataclass(frozen=True)
class Place:
    """A place in a text file, and where what stands there is from."""

    split: str
    byte: int
    line: int  # of that byte, from 1
    row: Row  # of the manifest
    passage: str  # around the byte, escapes undone; a separator or control token as it is
    before: Row | None = None  # the documents around a separator or a control token
    after: Row | None = None


@dataclass(frozen=True)
class Found:
    """Where a sentence stands: the first places, and how many there are."""

    places: Sequence[Place]
    count: int  # at most what was asked for
    exact: bool  # letter by letter; else but for blanks, quotes, dashes and dots


class TracedCorpus:
    """A corpus folder opened for questions; a context manager.

    Every question raises ManifestError where the manifest cannot be read or does not match its
    text, and PlaceError where the place does not exist.
    """

    def __init__(self, folder: Path):
        self._folder = folder
        self._texts: dict[str, Text] = {}

    def __enter__(self) -> "TracedCorpus":
        self._manifest = ManifestRows(self._folder)
        self._open = ExitStack()
        self._open.callback(self._manifest.close)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    def at_byte(self, split: str, byte: int) -> Place:
        """The place of a byte of a split's file, the first being 0."""
        size = len(self._text(split))
        if not 0 <= byte < size:
            raise self._no_place(split, f"byte {byte:,}", 0, size - 1)
        return self._place(split, (byte, byte + 1))

    def at_line(self, split: str, line: int) -> Place:
        """The place of a line, the first being 1: of the first document on it, if there is one."""
        text = self._text(split)
        lines = self._lines(split)
        if not 1 <= line <= lines:
            raise self._no_place(split, f"line {line:,}", 1, lines)
        start = 0
        if last := self._manifest.last_before_line(split, line):
            start = last["start"]  # the end of the line before is in this range
            for _ in range(line - last["line"]):
                start = text.find(b"\n", start) + 1
        end = text.find(b"\n", start) + 1
        return self._place(split, (start, end or len(text)))

    def find(self, sentence: str, splits: Sequence[str], *, places: int, most: int) -> Found:
        """Where a sentence stands, in order of split and byte: the first places, and how many.

        Where it does not stand letter by letter, blanks, quotes, dashes and dots may differ.
        Counting ends at `most`.
        """
        hits: list[tuple[str, Span]] = []
        exact = True
        for search in (find_exactly, find_as_written, find_alike):
            for split in splits:
                spans = search(self._text(split), sentence, self._manifest.layout)
                hits += [(split, span) for span in islice(spans, most - len(hits))]
            if hits:
                exact = search is not find_alike
                break
        return Found([self._place(*hit) for hit in hits[:places]], len(hits), exact)

    def _place(self, split: str, span: Span) -> Place:
        """The first document that shares bytes with a span, or else what begins there."""
        rows = self._manifest.between(split, *span)
        if not rows:
            raise self._mismatch(split, f"no row covers byte {span[0]:,}")
        row = next((row for row in rows if row["kind"] == "document"), rows[0])
        text, start = self._text(split), row["start"]
        begin, end = max(span[0], start), min(span[1], row["end"])
        line = row["line"] + text[start:begin].count(b"\n")
        if row["kind"] == "document":
            passage = self._passage(split, row, (begin - start, end - start))
            return Place(split, begin, line, row, passage)
        passage = text[start : row["end"]].decode("utf-8", "replace")
        around = self._manifest.between(split, start - _AROUND, row["end"] + _AROUND)
        stories = [near for near in around if near["kind"] == "document"]
        before = next((near for near in reversed(stories) if near["end"] <= start), None)
        after = next((near for near in stories if near["start"] >= row["end"]), None)
        return Place(split, begin, line, row, passage, before, after)

    def _passage(self, split: str, row: Row, span: Span) -> str:
        """The text around a span of a document's bytes."""
        body, undo = self._text(split)[row["start"] : row["end"]], self._manifest.layout.unescape
        text = undo(body)
        if hashlib.sha256(text).hexdigest() != row["text_sha256"]:
            where = f"bytes {row['start']:,} to {row['end']:,} are not the text of"
            raise self._mismatch(split, f"{where} document {row['doc_id']!r}")
        whole = text.decode()
        first, last = (len(undo(body[:at]).decode("utf-8", "ignore")) for at in span)
        last = min(last, first + _WITHIN)
        begin, end = max(0, first - _BESIDE), last + _BESIDE
        if begin:  # at a word's beginning, where there is one
            begin = whole.find(" ", begin, first) + 1 or begin
        if end < len(whole):
            end = max(whole.rfind(" ", last, end), 0) or end
        return ("…" if begin else "") + whole[begin:end] + ("…" if end < len(whole) else "")

    def _lines(self, split: str) -> int:
        """The lines of a split's file."""
        last = self._manifest.last_before_line(split)
        if last is None:
            return 0
        tail = self._text(split)[last["start"] : last["end"]]
        return int(last["line"]) + tail.count(b"\n") - tail.endswith(b"\n")

    def _text(self, split: str) -> Text:
        """A split's file, mapped, its size held against the manifest."""
        if split not in self._texts:
            path = self._folder / f"{split}.txt"
            try:
                file = self._open.enter_context(path.open("rb"))
            except FileNotFoundError as error:
                raise ManifestError(f"{path}: missing; build the corpus again") from error
            last = self._manifest.last_before_line(split)
            size, end = path.stat().st_size, last["end"] if last else 0
            if size != end:
                raise self._mismatch(split, f"it ends at byte {end:,} of {size:,}")
            # An empty file cannot be mapped.
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
            self._texts[split] = mapped
        return self._texts[split]

    def _no_place(self, split: str, what: str, first: int, last: int) -> PlaceError:
        there = f"there are {first} to {last:,}" if last >= first else "it is empty"
        return PlaceError(f"{self._folder / f'{split}.txt'}: has no {what}; {there}")

    def _mismatch(self, split: str, where: str) -> ManifestError:
        return ManifestError(
            f"{self._manifest.path} does not match {split}.txt: {where}; one of them was changed "
            f"after the corpus was built; remove {self._folder} and build the corpus again"
        )
