"""One training at a time writes into a folder.

Who comes second waits a little: a training whose parent was killed may still be writing its last
checkpoint, for as long as its tether grants it. The system frees the lock of a process that dies.
"""

import fcntl
import os
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.model_spec import ModelError
from pipeline.training.checkpoints import room_for
from pipeline.training.distributed import is_first

#: Seconds to wait: longer than the 30 for a checkpoint, the 5 to end after it and the 5 to be gone
#: that a training is granted whose parent was killed (dagster_project/tether.py).
PATIENCE = 60.0
#: In the folder of checkpoints: who trains, for whom finds the lock taken.
_HOLDER = "process"


@contextmanager
def only_training(folder: Path, resume: Path, tell: Callable[[str], None]) -> Iterator[None]:
    """Within it no other training writes into `folder`; of several processes the first sees to it.

    `tell` is told when it waits. Raises ModelError where another training goes on.
    """
    if not is_first():
        yield
        return
    with room_for(resume):
        resume.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY)  # a lock file could be deleted in between
    try:
        _lock(descriptor, folder, resume / _HOLDER, tell)
        with room_for(resume):
            resume.mkdir(exist_ok=True)  # who was waited for may have deleted it, being done
            (resume / _HOLDER).write_text(f"{os.getpid()} on {platform.node()}\n", "utf-8")
        try:
            yield
        finally:
            (resume / _HOLDER).unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, folder: Path, holder: Path, tell: Callable[[str], None]) -> None:
    deadline = time.monotonic() + PATIENCE
    told = False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            who = _named(holder)
        if time.monotonic() > deadline:
            raise ModelError(
                f"{folder}: {who} trains into it; wait until it is done, end it, or train into "
                "another folder"
            )
        if not told:
            tell(f"waits up to {PATIENCE:.0f} seconds for {who}, which trains into {folder}")
            told = True
        time.sleep(0.2)


def _named(holder: Path) -> str:
    try:
        return f"process {holder.read_text('utf-8').strip()}"
    except FileNotFoundError:  # it begins or ends just now
        return "another process"
