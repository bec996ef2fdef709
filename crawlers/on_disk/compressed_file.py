"""A file as it was before it was compressed with bzip2, xz, zstd or gzip, whatever it is called.

Dumps come as bzip2 of many streams (https://meta.wikimedia.org/wiki/Data_dumps/Dump_format), 7z
and, of late, zstd. What a file is stands in its first bytes, so its name does not matter.
"""

import bz2
import gzip
import lzma
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Self

from crawlers.explain import SourceError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

#: What reading raises where the file is cut off, damaged, or not there.
UNREADABLE = (OSError, EOFError, lzma.LZMAError, zstd.ZstdError, zlib.error)

_OPENERS: dict[bytes, Callable[[IO[bytes]], Any]] = {
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\0": lzma.LZMAFile,
    b"\x28\xb5\x2f\xfd": zstd.ZstdFile,
    b"\x1f\x8b": lambda raw: gzip.GzipFile(fileobj=raw),
}
_SEVEN_ZIP = b"7z\xbc\xaf\x27\x1c"


class CompressedFile:
    """Reads in pieces; never the whole."""

    def __init__(self, path: Path):
        self._path = path

    def __enter__(self) -> Self:
        """Open it. Raises OSError, and SourceError for an archive of another kind."""
        self._raw = self._path.open("rb")
        self._size = self._path.stat().st_size
        first = self._raw.read(8)
        self._raw.seek(0)
        if first.startswith(_SEVEN_ZIP):
            self._raw.close()
            raise SourceError(
                f"{self._path.absolute()} is a 7z archive, which is not read",
                "unpack it with 7z, or take the .bz2 of the same dump",
            )
        openers = (opener for magic, opener in _OPENERS.items() if first.startswith(magic))
        opener = next(openers, None)
        self._file = opener(self._raw) if opener else self._raw
        return self

    def read(self, size: int) -> bytes:
        """At most so many bytes; what stands before a damaged place comes before its error."""
        read: bytes = self._file.read1(size)
        return read

    def share(self) -> float:
        """How much of the file was read, 0 to 1."""
        return self._raw.tell() / self._size if self._size else 1.0

    def __exit__(self, *_: object) -> None:
        self._raw.close()
