"""Where a sentence stands in a text file of a corpus: exactly, or with other blanks and quotes.

The C library's `memmem` goes through a mapped gigabyte in 0.1 s of processor time, where
`mmap.find` takes 0.27 to 0.5 s, `re` 0.4 to 1.4 s and Arrow's `find_substring` 1.4 s (x86_64,
Python 3.11, from the page cache). So a sentence whose blanks, quotes, dashes or dots may differ is
searched for by its longest word, and a pattern decides at each place.
"""

import ctypes
import mmap
import re
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from itertools import groupby

import pyarrow as pa

from pipeline.corpus.layout import TextLayout

#: What a person types alike: a run of one class stands for any run of it.
_ALIKE = {
    **{chr(code): "blank" for code in range(0x3001) if chr(code).isspace()},
    **dict.fromkeys("'`´‘’‚‛′", "single quote"),
    **dict.fromkeys('"“”„‟″«»', "double quote"),
    **dict.fromkeys("-‐‑‒–—―−", "dash"),
    **dict.fromkeys(".…", "dots"),
}
#: Bytes before a place among which an escape that reaches into it begins.
_BEFORE = 256
_IN_ESCAPE = re.compile(rb"(?<!\\)(?:\\\\)*\\(?:u[0-9a-f]{0,3})?\Z")

#: Linux's MADV_POPULATE_READ: all pages are mapped at once, not by a fault each.
_POPULATE_READ = 22

_memmem = ctypes.CDLL(None).memmem
_memmem.restype = ctypes.c_void_p
_memmem.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t)

Text = bytes | mmap.mmap
Span = tuple[int, int]


def find_exactly(content: Text, sentence: str, layout: TextLayout) -> Iterator[Span]:
    """Byte ranges, in order, where the sentence stands letter by letter."""
    wanted = layout.escape(_utf8(sentence))
    for at in _each(content, wanted):
        if not _in_escape(content, at, layout):
            yield at, at + len(wanted)


def find_as_written(content: Text, sentence: str, layout: TextLayout) -> Iterator[Span]:
    """Byte ranges, in order, of a piece of the file itself, escapes and control tokens included."""
    wanted = _utf8(sentence)
    if wanted != layout.escape(wanted):
        for at in _each(content, wanted):
            yield at, at + len(wanted)


def find_alike(content: Text, sentence: str, layout: TextLayout) -> Iterator[Span]:
    """Byte ranges, in order, where it stands but for blanks, and quotes, dashes and dots."""
    pieces = [
        (kind, layout.escape(_utf8("".join(run))))
        for kind, run in groupby(unicodedata.normalize("NFC", sentence).strip(), _ALIKE.get)
    ]
    words = [piece for kind, piece in pieces if kind is None]
    if not words:
        return
    longest = max(words, key=len)
    place = pieces.index((None, longest))
    patterns = [re.escape(piece) if kind is None else _run(kind, layout) for kind, piece in pieces]
    before = re.compile(b"".join(patterns[:place]) + rb"\Z")
    after = re.compile(b"".join(patterns[place:]))
    reach = _BEFORE + 4 * sum(len(piece) for _, piece in pieces[:place])
    for at in _each(content, longest):
        end = after.match(content, at)
        begin = before.search(window := content[max(0, at - reach) : at]) if end else None
        if end and begin:
            start = at - len(window) + begin.start()
            if not _in_escape(content, start, layout):
                yield start, end.end()


def _each(content: Text, wanted: bytes) -> Iterator[int]:
    """Where a piece stands, in order and without overlap."""
    if isinstance(content, mmap.mmap):
        content.madvise(mmap.MADV_SEQUENTIAL)  # the system reads ahead, where it has to read
        if sys.platform == "linux":
            with suppress(OSError):  # of a kernel before 5.14
                content.madvise(_POPULATE_READ)
    mapped = pa.py_buffer(content)  # which knows its address, and keeps it
    at = 0
    while at + len(wanted) <= mapped.size:
        found = _memmem(mapped.address + at, mapped.size - at, wanted, len(wanted))
        if found is None:
            return
        at = found - mapped.address
        yield at
        at += len(wanted)


def _run(kind: str, layout: TextLayout) -> bytes:
    members = (layout.escape(char.encode()) for char, of in _ALIKE.items() if of == kind)
    return b"(?:" + b"|".join(map(re.escape, members)) + b")+"


def _in_escape(content: Text, at: int, layout: TextLayout) -> bool:
    r"""Whether a place is inside an escape: the `n` of `\n` is no letter of the story."""
    escapes = layout.name == "lines"
    return escapes and _IN_ESCAPE.search(content[max(0, at - _BEFORE) : at]) is not None


def _utf8(sentence: str) -> bytes:
    """As the shell gave it: bytes that are no UTF-8 come to Python as lone surrogates."""
    return sentence.encode("utf-8", "surrogateescape")
