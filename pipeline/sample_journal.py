"""The stories of a sample set that are drawn so far, a line each, so that no kill costs more than
those on their way.

The first line says what was asked and on what machine. Where that is another now, the rows would
not be of one set, and the journal begins anew; so does what follows a torn line.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any

from pipeline.generation import Story


class Journal:
    """A file of stories in the order of the set; its length is how many there are."""

    def __init__(self, path: Path, asked: Mapping[str, Any]):
        self._path = path
        self._head = json.dumps(asked).encode() + b"\n"
        self._stories, end = self._whole()
        self._file = path.open("r+b" if end else "wb")
        self._file.truncate(end)
        self._file.seek(end)
        if not end:
            self._file.write(self._head)
            self._file.flush()

    def __enter__(self) -> "Journal":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def __len__(self) -> int:
        return self._stories

    def __iter__(self) -> Iterator[Story]:
        with self._path.open("rb") as lines:
            next(lines)
            for line in lines:
                yield Story(**json.loads(line))

    def add(self, story: Story) -> None:
        """Note the next one; it outlives this process."""
        self._file.write(json.dumps(asdict(story)).encode() + b"\n")
        self._file.flush()
        self._stories += 1

    def discard(self) -> None:
        """Its stories are written elsewhere."""
        self._file.close()
        self._path.unlink()

    def _whole(self) -> tuple[int, int]:
        """How many whole stories the file has, and the byte at which the last of them ends."""
        if not self._path.is_file():
            return 0, 0
        with self._path.open("rb") as lines:
            if next(lines, b"") != self._head:
                return 0, 0
            count, end = 0, len(self._head)
            for line in lines:
                try:
                    if not line.endswith(b"\n"):
                        break
                    Story(**json.loads(line))
                except (ValueError, TypeError):
                    break
                count, end = count + 1, end + len(line)
        return count, end
