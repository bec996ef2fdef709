"""Runs a command that must not outlive its parent: `python -m dagster_project.tether COMMAND …`.

A killed parent (`kill -9`, out of memory) cannot end its children, and a crawl or training that
lives on holds the site or the GPU while Dagster believes it free. So the parent keeps the other end
of this process's standard input open: when it closes, whatever the reason, the command and all that
it started get SIGINT, then SIGTERM, then SIGKILL, those too that have a session of their own, as
torchrun gives its processes. Needs no cooperation from the command.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
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
    _adopt_orphans()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, process_group=0)

    def interrupt(_number: int, _frame: object) -> None:
        threading.Thread(target=end_all, args=(child.pid,), daemon=True).start()

    # Set explicitly: a shell's background jobs hand SIGINT on as "ignore".
    signal.signal(signal.SIGINT, interrupt)
    signal.signal(signal.SIGTERM, interrupt)

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            pass
        end_all(child.pid)

    threading.Thread(target=watch, daemon=True).start()
    status = child.wait()
    end_all(child.pid)  # what the command left running behind it
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
