"""A process that really runs out of memory on the way, since from now on it may take less.

What else takes a machine's memory while a training runs: the bound is set from outside, once it
trains. RLIMIT_DATA counts what is written to, not what is only reserved
(https://man7.org/linux/man-pages/man2/setrlimit.2.html), and so it is large tensors that fail.
"""

import re
import resource
import time
from pathlib import Path

#: Of the environment of a process to be bounded: what it frees goes back to the system at once, so
#: that a step takes from the system what it takes.
ALLOCATOR = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "65536", "OMP_NUM_THREADS": "1"}


def bound_memory(process: int, share: float, seconds: float) -> None:
    """From now on it may take `share` of what it took at its peak within so many seconds.

    Counted from the least that it held in that time.
    """
    held = [_held(process)]
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        held.append(_held(process))
        time.sleep(0.0005)
    bound = min(held) + int(share * (max(held) - min(held)))
    resource.prlimit(process, resource.RLIMIT_DATA, (bound, resource.RLIM_INFINITY))


def _held(process: int) -> int:
    """Bytes that RLIMIT_DATA bounds."""
    status = Path(f"/proc/{process}/status").read_text("ascii")
    found = re.search(r"VmData:\s+(\d+) kB", status)
    assert found, "the process has ended"
    return int(found[1]) * 1024
