"""How much of this machine's memory is free for this process.

A container's bound counts as well as the machine's memory: who takes more is killed.
"""

import os
from pathlib import Path

#: Where control groups keep their figures: https://docs.kernel.org/admin-guide/cgroup-v2.html and,
#: for version 1, https://docs.kernel.org/admin-guide/cgroup-v1/memory.html.
_GROUPS = Path("/sys/fs/cgroup")


def free_host_memory() -> int:
    """Bytes that this process may still take."""
    bounds = [_available(), *(left for left in map(_left, _groups()) if left is not None)]
    return max(0, min(bounds))


def _available() -> int:
    """Bytes that the machine can give without swapping, as the kernel counts them."""
    meminfo = Path("/proc/meminfo")
    if meminfo.is_file():
        for line in meminfo.read_text("ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")  # macOS: all there is


def _groups(groups: Path = _GROUPS, own: Path = Path("/proc/self/cgroup")) -> list[Path]:
    """The folders of this process's memory group and of all above it: each may set a bound."""
    if not own.is_file():
        return []
    found = []
    for line in own.read_text("utf-8").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        root = groups / "memory" if controllers else groups
        # Within a container the path may be the host's, which is not there: the root is its own.
        folder = root / path.lstrip("/")
        found += [one for one in (folder, *folder.parents) if one.is_relative_to(root)]
    return found


def _left(group: Path) -> int | None:
    """Bytes left of a group's bound; None where it has none."""
    for bound, usage in (
        ("memory.max", "memory.current"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes"),
    ):
        if (group / bound).is_file() and (group / usage).is_file():
            limit = (group / bound).read_text("ascii").strip()
            if limit == "max":
                return None
            used = int((group / usage).read_text("ascii"))
            return int(limit) - used + _cached(group)
    return None


def _cached(group: Path) -> int:
    """Bytes of files that the kernel keeps in memory and gives back when asked."""
    statistics = group / "memory.stat"
    if not statistics.is_file():
        return 0
    pairs = [line.split() for line in statistics.read_text("ascii").splitlines()]
    figures = {name: int(value) for name, value in pairs}
    return figures.get("total_inactive_file", figures.get("inactive_file", 0))
