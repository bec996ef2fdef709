"""Runs a crawl or a training as a child process that a cancelled run takes with it.

Dagster's own PipesSubprocessClient sends SIGINT and waits; a child that does not obey, or whose
parent was killed, lives on. Here the child hangs on a tether (see tether.py): leaving this function
by any way, a cancel from the UI included, ends its whole process group.
"""

import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence

#: Lines of output kept for the error message of a child that failed.
_TAIL = 40


class ChildError(RuntimeError):
    """The child ended with an error; its last lines say why."""

    def __init__(self, command: Sequence[str], status: int, tail: Sequence[str]):
        super().__init__(_reason(tail) or f"{' '.join(command)} ended with status {status}")
        self.status = status
        self.tail = list(tail)


def run_child(
    arguments: Sequence[str], env: Mapping[str, str], report: Callable[[str], None]
) -> None:
    """Run this Python with the arguments, hand each line it prints to `report`.

    `env` is added to this process's environment. Raises ChildError where the child fails.
    """
    tail: deque[str] = deque(maxlen=_TAIL)
    process = subprocess.Popen(
        [sys.executable, "-m", "dagster_project.tether", sys.executable, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        text=True,
        errors="replace",
        env={**os.environ, "PYTHONUNBUFFERED": "1", **env},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        for line in process.stdout:
            tail.append(line.rstrip())
            report(line.rstrip())
    finally:
        # Closing the tether ends the command and all it started; for one that has ended already
        # there is nothing left to end. What it says on its way out must not block it.
        process.stdin.close()
        tail.extend(line.rstrip() for line in process.stdout)
        status = process.wait()
    if status:
        raise ChildError(arguments, status, tail)


def _reason(tail: Sequence[str]) -> str:
    """The child's own errors, by the house's custom the lines that begin with `error:`."""
    errors = [line[len("error:") :].strip() for line in tail if line.startswith("error:")]
    return "\n".join(errors) or next((line for line in reversed(tail) if line.strip()), "")
