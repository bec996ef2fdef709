"""Votes on disk: a line of JSON each, appended in one write and flushed before it is answered.

A lock on the file keeps two raters' lines apart. A line that a lost machine left half-written was
never answered and is taken off by the next vote; any other line that cannot be read is an error,
for votes are a person's work and none is dropped silently.
"""

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from pipeline.atomic import sync
from pipeline.model_spec import ModelError
from pipeline.ratings.stories import Side, Writer

Choice = Literal["left", "right", "tie", "skip"]
CHOICES: tuple[str, ...] = get_args(Choice)


@dataclass(frozen=True)
class Vote:
    """What a person said of two stories, and on which side each stood."""

    at: str  # UTC, ISO 8601
    rater: str
    left: Side
    right: Side
    choice: Choice

    @property
    def pair(self) -> frozenset[Side]:
        """Which pair it is of, as `Pair.key`."""
        return frozenset((self.left, self.right))

    @property
    def winner(self) -> Side | None:
        """The better story; None where neither is, or it was skipped."""
        return {"left": self.left, "right": self.right}.get(self.choice)


def now() -> str:
    """The time as a vote holds it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def path_of(data: Path, corpus: str) -> Path:
    """Where the votes on the models of a corpus are kept."""
    return data / "ratings" / f"{corpus}.jsonl"


def append(path: Path, vote: Vote) -> None:
    """Add a vote; it is on disk when this returns. Raises OSError, and nothing is added then."""
    path.parent.mkdir(parents=True, exist_ok=True)
    line = f"{json.dumps(asdict(vote))}\n".encode()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        whole = _whole(descriptor)
        os.ftruncate(descriptor, whole)
        if os.write(descriptor, line) != len(line):
            os.ftruncate(descriptor, whole)
            raise OSError(f"{path}: no room for a vote; free some space and vote again")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    sync(path.parent)


def read(path: Path) -> list[Vote]:
    """All votes in the order of their coming; none where there is no file yet.

    Raises ModelError that names the line which cannot be read.
    """
    if not path.is_file():
        return []
    *lines, _ = path.read_bytes().split(b"\n")  # what follows the last line feed is no vote
    votes = []
    for number, line in enumerate(lines, 1):
        try:
            votes.append(_vote(json.loads(line)))
        except (ValueError, KeyError, TypeError) as error:
            raise ModelError(
                f"{path}, line {number}: is no vote ({type(error).__name__}: {error}); restore it "
                "from a copy, or take the line out"
            ) from None
    return votes


def _whole(descriptor: int) -> int:
    """Bytes up to the end of the last whole line."""
    size = os.fstat(descriptor).st_size
    while size:
        start = max(0, size - 4096)
        found = os.pread(descriptor, size - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        size = start
    return 0


def _vote(said: Mapping[str, Any]) -> Vote:
    if said["choice"] not in CHOICES:
        raise ValueError(f"choice is {said['choice']!r}")
    left, right = (_side(said[side]) for side in ("left", "right"))
    return Vote(str(said["at"]), str(said["rater"]), left, right, said["choice"])


def _side(said: Mapping[str, Any]) -> Side:
    writer = Writer(str(said["writer"]["name"]), said["writer"]["step"])
    return Side(writer, str(said["version"]), int(said["sample"]))
