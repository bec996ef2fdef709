"""A person's text file, read as strict UTF-8 and in pieces, so that its size does not matter.

Nothing is repaired or replaced: a figure is of the bytes that are there. A byte order mark before
them is a mark, no text.
"""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from pipeline.extract.book_encoding import guess_encoding

#: Bytes read at a time.
_BLOCK = 1 << 20
#: Bytes around a mistake from which the encoding is guessed.
_SAMPLE = 1 << 16
_MARK = "\ufeff"
_UTF32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
#: As iconv and people call them.
_NAMES = {
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16LE",
    "utf-16-be": "UTF-16BE",
    "utf-32": "UTF-32",
    "cp1252": "WINDOWS-1252",
    "latin-1": "ISO-8859-1",
    "mac_roman": "MACINTOSH",
    "cp850": "CP850",
}
#: Control characters that stand in texts: tab, line ends, form feed, DOS's end of file, escape.
_OF_TEXT = frozenset(b"\t\n\v\f\r\x1a\x1b")


class TextFileError(ValueError):
    """A file that is no text, or none in UTF-8; says where and what to do."""


@dataclass(frozen=True)
class TextFile:
    """A file of text, and what a person calls it."""

    name: str
    path: Path

    def check(self) -> None:
        """Read it once. Raises TextFileError for what is no text in UTF-8, and OSError."""
        if self.path.is_dir():
            raise TextFileError(f"{self.name}: is a folder; name the files in it")
        empty = True
        for piece in self.pieces():
            empty = empty and not piece.strip()
        if empty:
            what = "holds only blanks" if self.path.stat().st_size else "is empty"
            raise TextFileError(f"{self.name}: {what}, so there is nothing to measure")

    def pieces(self) -> Iterator[str]:
        """Its text in pieces, every character of it, line ends as they are. Raises as `check`."""
        decoder = codecs.getincrementaldecoder("utf-8")()
        at, lines, first = 0, 0, True
        with self.path.open("rb") as file:
            while True:
                block = file.read(_BLOCK)
                if first and (wide := _wide(block)):
                    raise TextFileError(f"{self.name}: is no UTF-8; {self._converted(wide)}")
                before = len(decoder.getstate()[0])  # bytes of a character whose rest is to come
                try:
                    piece = decoder.decode(block, final=not block)
                except UnicodeDecodeError as error:
                    data: bytes = error.object
                    lines += data.count(b"\n", 0, error.start)
                    raise TextFileError(
                        f"{self.name}: byte {at - before + error.start:,}, in line {lines + 1:,}, "
                        f"is no UTF-8; {self._guessed(data, error.start)}"
                    ) from None
                if first:
                    piece = piece.removeprefix(_MARK)
                if piece:
                    yield piece
                if not block:
                    return
                at, lines, first = at + len(block), lines + block.count(b"\n"), False

    def _guessed(self, data: bytes, place: int) -> str:
        start = max(0, place - _SAMPLE // 2)
        sample = data[start : start + _SAMPLE]
        controls = sum(byte < 32 and byte not in _OF_TEXT for byte in sample)
        if controls > len(sample) // 100:
            return "it is no text at all, so it seems; give a text file"
        return self._converted(guess_encoding(sample))

    def _converted(self, encoding: str) -> str:
        name = _NAMES.get(encoding, encoding)
        if self.name != str(self.path):  # it was handed over, and has no name of its own
            return f"it reads as {name}; convert it first, with: iconv -f {name} -t UTF-8"
        to = quote(f"{self.path.stem}.utf8.txt")
        return (
            f"it reads as {name}; convert it with: "
            f"iconv -f {name} -t UTF-8 {quote(self.name)} > {to}"
        )


def _wide(block: bytes) -> str | None:
    """An encoding of two or four bytes a character that the text begins in, if it is one."""
    if block.startswith(_UTF32):
        return "utf-32"
    sample = block[:_SAMPLE]
    guess = guess_encoding(sample)
    if not guess.startswith("utf-16"):
        return None
    # Without a mark, letters have their zero on one side; a program's zeros stand on both.
    sides = sorted((sample[::2].count(0), sample[1::2].count(0)))
    return guess if guess == "utf-16" or sides[0] < sides[1] / 20 else None
