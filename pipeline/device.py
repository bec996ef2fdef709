"""Which device computes: CUDA, Apple's MPS or the CPU, and what it can do.

torch is imported inside the functions, because the spec and the reports should not pay for it.
"""

import platform
import resource
import sys
from dataclasses import dataclass
from pathlib import Path

from pipeline.model_spec import ModelError


@dataclass(frozen=True)
class Device:
    """A device to compute on."""

    kind: str  # as torch names it: cuda, mps, cpu
    name: str  # as a person knows it
    bf16: bool  # trains in bfloat16 at full speed

    def peak_memory(self) -> int:
        """Bytes: the most that this process held on the device so far."""
        if self.kind == "cuda":
            import torch

            return int(torch.cuda.max_memory_allocated())
        if self.kind == "mps":
            import torch

            return int(torch.mps.driver_allocated_memory())
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024  # Linux counts in KiB


def pick_device(wanted: str | None = None) -> Device:
    """The `wanted` kind of device, or the best there is. Raises ModelError where it is missing."""
    import torch

    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    kind = wanted or next(name for name, found in there.items() if found)
    if not there.get(kind, False):
        found = ", ".join(name for name, found in there.items() if found)
        raise ModelError(f"device {kind!r} is not on this machine; there is: {found}")
    if kind == "cuda":
        return Device(kind, torch.cuda.get_device_name(), torch.cuda.is_bf16_supported())
    if kind == "mps":
        return Device(kind, f"Apple {platform.machine()} GPU", bf16=False)
    # All cores by default; OMP_NUM_THREADS, the customary way to ask for fewer, is obeyed.
    threads = torch.get_num_threads()
    return Device(kind, f"{_processor()}, {threads} thread{'s' * (threads > 1)}", bf16=False)


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text("utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
