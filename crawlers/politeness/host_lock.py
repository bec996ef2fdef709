"""A host belongs to one crawl at a time, and what it was asked last outlives that crawl.

Each crawl keeps a host's delay by itself, so two at once would halve it, as would one that starts
where another has just ended. A file a host under the data root holds both: the lock (flock, which
the system releases when its holder dies) and the time from which the next request may be sent, with
the last minute's. Locks are taken in the order of their names, so that no two crawls wait for each
other.
"""

import fcntl
import json
import math
import os
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

#: The longest rest that is remembered, in seconds: some servers ask for nonsense.
_LONGEST = 30 * 86_400.0
#: Bytes of a file name; longer names share a lock, which does no harm.
_NAME = 200


@dataclass(frozen=True)
class HostPast:
    """What earlier crawls leave to the next. Times in seconds since 1970."""

    free_at: float = 0.0  # from then on the next request may be sent
    sent: tuple[float, ...] = ()  # the last minute's requests


class HostLock:
    """The lock of one host, named as by `sites.host_name`."""

    def __init__(self, folder: Path, host: str):
        self.path = folder / f"{quote(host, safe='')[:_NAME]}.lock"
        self._crawl = ""
        self._file: int | None = None

    def take(self, crawl: str) -> HostPast | None:
        """Take it for a crawl; None while another one has it. Raises OSError."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return None
        except OSError:
            os.close(file)
            raise
        self._file, self._crawl = file, crawl
        past = _past(self._read())
        self.keep(past)
        return past

    def holder(self) -> str:
        """The crawl that has the lock, in words."""
        return str(self._read().get("crawl", "another"))

    def keep(self, past: HostPast) -> None:
        """Write down what the next crawl must know. Raises OSError."""
        assert self._file is not None
        free_at = min(past.free_at, time.time() + _LONGEST)
        told = {"crawl": self._crawl, "free_at": free_at, "sent": past.sent}
        content = json.dumps(told).encode()
        os.pwrite(self._file, content, 0)
        os.ftruncate(self._file, len(content))

    def release(self) -> None:
        """Leave the host to others."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _read(self) -> dict[str, object]:
        """What stands in the file; nothing where it is new or somebody has spoilt it."""
        try:
            told = json.loads(self.path.read_bytes())
        except (ValueError, RecursionError):
            return {}
        return told if isinstance(told, dict) else {}


def _past(told: dict[str, object]) -> HostPast:
    sent = told.get("sent")
    times = sent if isinstance(sent, list) else []
    return HostPast(
        free_at=max(_times([told.get("free_at")]), default=0.0),
        sent=tuple(_times(times)),
    )


def _times(values: list[object]) -> list[float]:
    return [value for value in values if isinstance(value, float) and math.isfinite(value)]
