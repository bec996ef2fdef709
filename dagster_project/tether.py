"""Runs a command that must not outlive its parent: `python -m dagster_project.tether COMMAND …`.

A killed parent (`kill -9`, out of memory) cannot end its children, and a crawl or training that
lives on holds the site or the GPU while Dagster believes it free. So the parent keeps the other end
of this process's standard input open: when it closes, whatever the reason, the command and all that
it started get SIGINT, then SIGTERM, then SIGKILL, those too that have a session of their own, as
torchrun gives its processes. Needs no cooperation from the command. A tether can be killed as well:
so it is two processes, the second tied to the first, and the one that is left ends the command.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

#: Seconds from SIGINT to SIGTERM, and from there to SIGKILL. The first is for a training's
#: checkpoint; LOREMILL_PATIENCE="30,5" sets both.
_PATIENCE = "30,5"
_PROC = Path("/proc")
_PR_SET_CHILD_SUBREAPER = 36


def end_all(command: int) -> None:
    """SIGINT, SIGTERM, SIGKILL to the command and all below it, until none of it is left."""
    first, second = os.environ.get("LOREMILL_PATIENCE", _PATIENCE).split(",")
    for number, seconds in (
        (signal.SIGINT, float(first)),
        (signal.SIGTERM, float(second)),
        (signal.SIGKILL, 5.0),
    ):
        for group in _groups(command):
            with suppress(ProcessLookupError):
                os.killpg(group, number)
        deadline = time.monotonic() + seconds
        while _groups(command):
            if time.monotonic() > deadline:
                break
            time.sleep(0.1)
        else:
            return


def _groups(command: int) -> set[int]:
    """The process groups of all that is left of the command; its own where no more is known."""
    if not _PROC.is_dir():  # macOS: there is no torchrun to look for
        try:
            os.killpg(command, 0)
        except ProcessLookupError:
            return set()
        return {command}
    running = dict(_running())
    below = {os.getpid()}
    while more := {pid for pid, (parent, _) in running.items() if parent in below} - below:
        below |= more
    return {running[pid][1] for pid in below if pid in running} - {os.getpgrp()}


def _running() -> Iterator[tuple[int, tuple[int, int]]]:
    """(process, (parent, group)) of all that have not ended (proc_pid_stat(5))."""
    for stat in _PROC.glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):
            state, parent, group = stat.read_text("utf-8", "replace").rpartition(")")[2].split()[:3]
            if state not in "ZX":
                yield int(stat.parent.name), (int(parent), int(group))


def _adopt_orphans() -> None:
    """What the command leaves behind comes to this process, not to init (prctl(2), Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def main(command: list[str]) -> int:
    """Run the command in a process group of its own; return its exit status."""
    held, holding = os.pipe()
    second = os.fork()
    if second == 0:
        os.close(holding)
        os.setpgid(0, 0)  # what the first one's group is sent comes here by the pipe, and once
        return _run(command, held)
    os.close(held)
    _adopt_orphans()
    hold = os.fdopen(holding, "wb")
    _on_signals(hold.close)
    _at_end(sys.stdin.fileno(), hold.close)
    status = os.waitstatus_to_exitcode(os.waitpid(second, 0)[1])
    end_all(second)  # all of it where the second was killed
    return status if status >= 0 else 128 - status


def _run(command: list[str], tether: int) -> int:
    """Run the command until it ends, or until the other end of the pipe `tether` is closed."""
    _adopt_orphans()  # which a process does not inherit (PR_SET_CHILD_SUBREAPER(2const))
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, process_group=0)

    def end() -> None:
        end_all(child.pid)

    _on_signals(lambda: threading.Thread(target=end, daemon=True).start())
    _at_end(tether, end)
    status = child.wait()
    end()  # what the command left running behind it
    return status if status >= 0 else 128 - status


def _on_signals(do: Callable[[], None]) -> None:
    # Set explicitly: a shell's background jobs hand SIGINT on as "ignore".
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: do())


def _at_end(stream: int, do: Callable[[], None]) -> None:
    """In a thread of its own, once the other end of the stream is closed."""

    def watch() -> None:
        while os.read(stream, 4096):
            pass
        do()

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
