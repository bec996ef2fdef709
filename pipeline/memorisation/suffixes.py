"""Suffixes of a text in the order of their bytes, and where a string stands among them.

Both are libdivsufsort's (Yuta Mori), which pydivsufsort brings along: bisection in C takes 4
microseconds among 18 million suffixes, the same in Python 20. Its own `sa_search` asks for all
suffixes of a text, where the index keeps those that begin a word: so the C function is called
here, which takes any of them that are in order.
"""

import ctypes
import mmap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.corpus import CorpusError
from pipeline.host_memory import free_host_memory
from pipeline.reports.text import size

#: Bytes of memory that sorting takes for a byte of text: itself, and its place among the suffixes.
_SMALL, _LARGE = 1 + 4, 1 + 8
#: Up to here places fit into 32 bits.
_MOST_SMALL = 2**31 - 1


def memory_need(length: int) -> int:
    """Bytes of memory that it takes to sort the suffixes of a text of so many bytes."""
    return length * (_SMALL if length <= _MOST_SMALL else _LARGE)


def sorted_suffixes(path: Path) -> NDArray[Any]:
    """Where each suffix of a file's bytes begins, in their order: int32, or int64 from 2 GB on.

    Raises CorpusError where memory is short, before anything is sorted.
    """
    from pydivsufsort import divsufsort

    need, free = memory_need(path.stat().st_size), free_host_memory()
    short = (
        f"{path}: to sort its suffixes takes {size(need)} of memory, and {size(free)} are free; "
        "end what else runs here, or use a machine with more"
    )
    if need > free:
        raise CorpusError(short)
    try:
        order: NDArray[Any] = divsufsort(path.read_bytes())
    except MemoryError:
        raise CorpusError(short) from None
    return order


class Suffixes:
    """Some suffixes of a text, in order; neither text nor places are read into memory."""

    def __init__(self, text: mmap.mmap, places: NDArray[Any]):
        """Raises ValueError where a place is not within the text: C would not look.

        That takes some 15 ms of 20 million places, of 100 MB of text, in the page cache.
        """
        if places.dtype not in (np.int32, np.int64) or places.ndim != 1:
            raise ValueError("its suffixes are no list of places")
        if len(places) and not 0 <= places.min() <= places.max() < len(text):
            raise ValueError("a suffix begins outside of the text")
        self._bytes = np.frombuffer(text, np.uint8)
        self._text = text
        self.places = places
        self._integer = ctypes.c_int32 if places.dtype == np.int32 else ctypes.c_int64
        self._found = self._integer()
        self._search = self._bound()

    def find(self, wanted: bytes) -> tuple[int, int]:
        """How many begin with `wanted`, and the first of them; of none, where it would stand."""
        count = self._search(wanted, len(wanted))
        return count, self._found.value

    def nearest(self, wanted: bytes, before: int) -> int:
        """How many first bytes of `wanted`, which would stand there, any of the suffixes has."""
        near = self.places[max(0, before - 1) : before + 1].tolist()
        return max(_common(self._text[place : place + len(wanted)], wanted) for place in near)

    def close(self) -> None:
        """Let the text go, which can be closed then."""
        del self._bytes, self._search

    def _bound(self) -> Callable[[bytes, int], int]:
        from pydivsufsort.dll import libdivsufsort, libdivsufsort64

        small = self._integer is ctypes.c_int32
        # Taken by its name it is a function object of our own, with our own types of arguments.
        search = libdivsufsort["sa_search"] if small else libdivsufsort64["sa_search64"]
        pointer, number = ctypes.c_void_p, self._integer
        search.argtypes = (pointer, number, ctypes.c_char_p, number, pointer, number, pointer)
        search.restype = number
        text, length = self._bytes.ctypes.data, len(self._bytes)
        places, count = self.places.ctypes.data, len(self.places)
        found = ctypes.byref(self._found)

        def bound(wanted: bytes, size: int) -> int:
            return int(search(text, length, wanted, size, places, count, found))

        return bound


def _common(one: bytes, other: bytes) -> int:
    """How many first bytes are the same."""
    length = min(len(one), len(other))
    differ = int.from_bytes(one[:length]) ^ int.from_bytes(other[:length])
    return length - (differ.bit_length() + 7) // 8
