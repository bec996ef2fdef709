"""SIGINT and SIGTERM as a wish to stop, granted at the next safe place.

Handlers are installed explicitly, since a background shell hands on "ignore"
(https://pubs.opengroup.org/onlinepubs/9699919799/utilities/V3_chap02.html#tag_18_11).
"""

import signal
import threading
from types import FrameType, TracebackType
from typing import Self

from pipeline.training.distributed import largest


class Interrupted(Exception):  # noqa: N818 - not an error: a wish, like KeyboardInterrupt
    """The run was asked to stop and did; `signum` says how."""

    def __init__(self, message: str, signum: int):
        super().__init__(message)
        self.signum = signum


class StopSignal:
    """Within the context, SIGINT and SIGTERM set `received`; before `defer()` they raise at once.

    Outside the main thread, where Python allows no handlers, signals are left as they are.
    """

    def __init__(self, before: str):
        self.received: int | None = None
        self._before = before  # the message where nothing was begun yet
        self._deferred = False
        self._previous: dict[int, signal.Handlers] = {}

    def defer(self) -> None:
        """From here on only take note; the caller looks at `received`."""
        self._deferred = True

    def agreed(self) -> int | None:
        """What any of the processes that train together received; the others take note of it."""
        self.received = largest(self.received or 0) or None
        return self.received

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for signum in (signal.SIGINT, signal.SIGTERM):
                self._previous[signum] = signal.signal(signum, self._handle)  # type: ignore[assignment]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for signum, handler in self._previous.items():
            signal.signal(signum, handler)

    def _handle(self, signum: int, frame: FrameType | None) -> None:
        self.received = signum
        if not self._deferred:
            raise Interrupted(self._before, signum)
