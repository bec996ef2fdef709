"""Runs a crawl or a training as a child process that a cancelled run takes with it.

Dagster's own PipesSubprocessClient sends SIGINT and waits; a child that does not obey, or whose
parent was killed, lives on. Here the child hangs on a tether (see tether.py): leaving this function
by any way, a cancel from the UI included, ends its whole process group.
"""

import os
import re
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence

#: What torchrun says where one of its processes was killed
#: (torch/distributed/elastic/multiprocessing/errors).
_KILLED = "Signal 9 (SIGKILL)"
#: And of the one that ended first, last of all: torchrun's own status is 1 whatever theirs was.
_ENDED = re.compile(r"^\s*exitcode\s*: (\d+) \(pid: \d+\)")
#: The last line of a traceback. torchrun ends with one of its own, which says nothing.
_RAISED = re.compile(r"^(?:\[rank\d+\]: )?([\w.]*(?:Error|Exception): \S.*)")
#: Lines of output kept of a child that failed: torchrun's report is some fifty.
_TAIL = 120


class ChildError(RuntimeError):
    """The child ended with an error; its last lines say why."""

    def __init__(self, message: str, status: int, tail: Sequence[str]):
        super().__init__(message)
        self.status = status
        self.tail = list(tail)


class KilledError(ChildError):
    """The child was killed, and not by us."""


def run_child(
    arguments: Sequence[str], env: Mapping[str, str], report: Callable[[str], None]
) -> None:
    """Run this Python with the arguments, hand each line it prints to `report`.

    `env` is added to this process's environment. Raises ChildError where the child fails,
    KilledError where something else killed it.
    """
    tail: deque[str] = deque(maxlen=_TAIL)
    # By the house's custom the lines that begin with `error:`. Much may follow: torchrun reports.
    errors: deque[str] = deque(maxlen=_TAIL)

    def note(line: str) -> str:
        tail.append(line.rstrip())
        if line.startswith("error:") and (error := line[len("error:") :].strip()) not in errors:
            errors.append(error)  # once: processes that train together may meet the same one
        return line.rstrip()

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
            report(note(line))
    finally:
        # Closing the tether ends the command and all it started; for one that has ended already
        # there is nothing left to end. What it says on its way out must not block it.
        process.stdin.close()
        for line in process.stdout:
            note(line)
        status = process.wait()
    # Here the child ended by itself: whoever ends it leaves above, by an exception.
    killed = status in (128 + signal.SIGKILL, -signal.SIGKILL)  # the second: its tether
    if killed or any(_KILLED in line for line in tail):
        raise KilledError(
            f"{' '.join(arguments)} was killed (SIGKILL), and not by Loremill: as a rule that is "
            "the system, which ran out of memory. Give it more, or let less run beside it.",
            status,
            tail,
        )
    if status:
        raised = (found[1] for line in reversed(tail) if (found := _RAISED.match(line)))
        spoken = (line for line in reversed(tail) if line.strip())
        last = next(raised, None) or next(spoken, None)
        why = "\n".join(errors) or last or f"{' '.join(arguments)} ended with status {status}"
        of_torchrun = (ended[1] for line in reversed(tail) if (ended := _ENDED.match(line)))
        raise ChildError(why, int(next(of_torchrun, status)), tail)
