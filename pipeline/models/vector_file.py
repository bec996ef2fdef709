"""Word vectors read from a file: word2vec's text and binary forms, and GloVe's text.

Read by ourselves, word for word, because gensim's reader makes room for as many words as a header
claims, repeats a line of one value over the whole width, and names no line in its errors; and
because of millions of words but those of the vocabulary are wanted. No pickle is read: gensim's own
`.kv` and `.model` files are pickles.
"""

import math
import mmap
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from pipeline.model_spec import ModelError

Vector = npt.NDArray[np.float32]

#: What other files begin with, and what to do with them.
_OTHERS = {
    b"\x80": "is a pickle, as gensim's .kv and .model files are, and pickles are never loaded; "
    "write it with save_word2vec_format() where you trust it",
    b"\x93NUMPY": "is a numpy array without its words; write the vectors with gensim's "
    "save_word2vec_format()",
    b"\x1f\x8b": "is packed by gzip; unpack it",
    b"PK": "is a zip file; unpack it",
    b"\xba\x16\x4f\x2f": "is fastText's model; take its .vec file",
}
_LONGEST_WORD = 10_000  # bytes
_LONGEST_HEAD = 1_000_000  # bytes of a first line


def read_vectors(path: Path, width: int, wanted: AbstractSet[str]) -> dict[str, Vector]:
    """The vectors of those of the `wanted` words that the file has, each of shape (width,).

    Where a word stands twice the first counts. Raises ModelError where the file cannot be read, is
    damaged, or has vectors of another width.
    """
    try:
        with path.open("rb") as file:
            head = file.readline(_LONGEST_HEAD)
            for magic, what in _OTHERS.items():
                if head.startswith(magic):
                    raise ModelError(f"{path}: {what}")
            fields = head.split()
            if len(fields) == 2 and all(field.isdigit() for field in fields):
                count, found = map(int, fields)
                _check_width(path, found, width)
                if _is_text(file, width):
                    return _read_text(path, file, width, wanted, count)
                return _read_binary(path, file, width, wanted, count)
            _check_width(path, len(fields) - 1, width)
            file.seek(0)
            return _read_text(path, file, width, wanted, None)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}; see vectors.file") from error


def _check_width(path: Path, found: int, width: int) -> None:
    if found < 1:
        raise ModelError(
            f"{path}: line 1 is neither a word with its vector nor `words width`; is it a word2vec "
            "or GloVe file?"
        )
    if found != width:
        raise ModelError(
            f"{path}: its vectors have {found} values, but the model's embedding is {width} wide; "
            f"write `embedding: {found}` or give another file"
        )


def _is_text(file: BinaryIO, width: int) -> bool:
    """Whether what follows the header is text; `file` stays where it is."""
    here = file.tell()
    line = file.readline(_LONGEST_WORD + 64 * width)
    file.seek(here)
    values = line.split()[1:]
    if len(values) == width and all(map(_is_number, values)):
        return True
    return line.isascii() and all(byte >= ord(" ") or byte in b"\t\r\n" for byte in line)


def _read_text(
    path: Path, file: BinaryIO, width: int, wanted: AbstractSet[str], count: int | None
) -> dict[str, Vector]:
    """`word value … value` a line; `count` lines, where a header says how many."""
    vectors: dict[str, Vector] = {}
    first = 1 if count is None else 2
    number = first - 1
    for number, raw in enumerate(file, first):
        line = raw.rstrip()
        word, *values = line.rsplit(b" ", width)
        # GloVe has a few words with blanks in them: `. . .`; but a number is none of a word's.
        if len(values) != width or _is_number(word.rpartition(b" ")[2] if b" " in word else b""):
            raise ModelError(
                f"{path}: line {number} has {len(line.split()) - 1} values, not {width}; mend or "
                "delete it"
            )
        text = word.decode(errors="replace")
        if text in wanted and text not in vectors:
            if not all(map(_is_number, values)):
                raise ModelError(f"{path}: line {number}: a value is no finite number; mend it")
            vectors[text] = np.array([float(value) for value in values], np.float32)
    if count is not None and number - 1 != count:
        raise _cut_off(path, count, number - 1)
    return vectors


def _read_binary(
    path: Path, file: BinaryIO, width: int, wanted: AbstractSet[str], count: int
) -> dict[str, Vector]:
    """`word `, then the values as little-endian float32, and in some files a line end."""
    vectors: dict[str, Vector] = {}
    size = 4 * width
    at = file.tell()
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        for number in range(count):
            blank = content.find(b" ", at, at + _LONGEST_WORD)
            end = blank + 1 + size
            if blank < 0 or end > len(content):
                raise _cut_off(path, count, number)
            text = content[at:blank].lstrip(b"\n").decode(errors="replace")
            if text in wanted and text not in vectors:
                vector = np.frombuffer(content[blank + 1 : end], "<f4").astype(np.float32)
                if not np.isfinite(vector).all():
                    raise ModelError(
                        f"{path}: word {number + 1}, {text!r}: a value is no finite number; is the "
                        "file damaged?"
                    )
                vectors[text] = vector
            at = end
        if content[at:].strip():
            raise ModelError(
                f"{path}: goes on after the {count} words that its first line announces; is it "
                "damaged?"
            )
    return vectors


def _cut_off(path: Path, count: int, found: int) -> ModelError:
    return ModelError(
        f"{path}: line 1 announces {count} words, but {found} can be read; fetch the file anew"
    )


def _is_number(value: bytes) -> bool:
    try:
        return math.isfinite(float(value))
    except ValueError:
        return False
