"""Which device computes: CUDA, Apple's MPS or the CPU, and what it can do.

torch is imported inside the functions, because the spec and the reports should not pay for it.
"""

import platform
import re
import resource
import sys
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pipeline.model_spec import ModelError

#: Dense FLOP/s of GPUs by words that follow one another in their name, the first that fit: in
#: bfloat16 with sums in float32, and in float32 as torch multiplies it with TF32 allowed (without
#: tensor cores before Ampere). From NVIDIA's data sheets, halved where they print the figure "with
#: sparsity"; None: not in hardware.
_PEAKS: tuple[tuple[str, float | None, float], ...] = (
    ("GB200", 2.5e15, 1.25e15),  # GB200 NVL72 data sheet, a GPU of the 72
    ("B200", 2.25e15, 1.1e15),  # DGX B200 data sheet, an eighth
    ("H200 NVL", 835.5e12, 417.5e12),  # H200 data sheet
    ("H200", 989e12, 494e12),  # H200 data sheet, SXM
    ("GH200", 989e12, 494e12),  # GH200 data sheet
    ("H100 NVL", 835.5e12, 417.5e12),  # H100 data sheet
    ("H100 PCIe", 756e12, 378e12),  # H100 data sheet
    ("H100 80GB HBM3", 989e12, 494e12),  # H100 data sheet; the SXM names itself so
    ("H100 SXM5", 989e12, 494e12),  # the same, as others name it
    ("A100", 312e12, 156e12),  # A100 data sheet, PCIe and SXM alike
    ("A10G", 70e12, 35e12),  # AWS G5; the A10 has more
    ("A10", 125e12, 62.5e12),  # A10 data sheet
    ("A30", 165e12, 82e12),  # A30 data sheet
    ("A40", 149.7e12, 74.8e12),  # A40 data sheet
    ("L40S", 362e12, 183e12),  # L40S data sheet
    ("L40", 181e12, 90.5e12),  # L40 data sheet
    ("L4", 121e12, 60e12),  # L4 data sheet
    ("RTX 5090", 209.5e12, 104.8e12),  # RTX Blackwell whitepaper, appendix A
    ("RTX 4090", 165.2e12, 82.6e12),  # Ada whitepaper, appendix A
    ("RTX 4080", 97.5e12, 48.7e12),  # the same
    ("RTX 3090 Ti", 80e12, 40e12),  # GA102 whitepaper, appendix A
    ("RTX 3090", 71e12, 35.6e12),  # the same
    ("RTX 3080", 59.5e12, 29.8e12),  # the same, 10 GB
    ("V100 SXM2", None, 15.7e12),  # V100 data sheet
    ("V100 PCIe", None, 14e12),  # the same
    ("P100 SXM2", None, 10.6e12),  # P100 data sheet
    ("P100 PCIe", None, 9.3e12),  # the same
    ("T4", None, 8.1e12),  # T4 data sheet
)

#: A word that makes it another card of the same number, or a part of one (MIG; NVIDIA's profiles of
#: virtual GPUs, as in A100-4C): what such a one can do at most is not in the table.
_OTHER_CARD = re.compile(r"LAPTOP|MOBILE|MAXQ|MIG|TI|SUPER|D|\d+[ABCQ]")


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
        bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
        return Device(kind, torch.cuda.get_device_name(), bf16)
    if kind == "mps":
        return Device(kind, f"Apple {platform.machine()} GPU", bf16=False)
    # All cores by default; OMP_NUM_THREADS, the customary way to ask for fewer, is obeyed.
    threads = torch.get_num_threads()
    can = torch.cpu.get_capabilities()  # on other processors bfloat16 is emulated, and slow
    bf16 = bool(can.get("avx512_bf16") or can.get("amx_bf16"))
    return Device(kind, f"{_processor()}, {threads} thread{'s' * (threads > 1)}", bf16)


def peak_flops(device: Device, bf16: bool) -> float | None:
    """FLOP/s that the device can do at most, in bfloat16 or float32; None where nobody says.

    A GPU's is its data sheet's, without sparsity. A processor's depends on its clock and on the
    threads that it is given: it is the best of some multiplications of matrices, done once a
    process, on all of torch's threads.
    """
    if device.kind == "cpu":
        import torch

        return _multiplied(torch.get_num_threads(), bf16)
    if device.kind == "cuda":
        for known, in_bf16, in_fp32 in _PEAKS:
            if _is_card(known, device.name):
                return in_bf16 if bf16 else in_fp32
    return None


def _is_card(known: str, name: str) -> bool:
    """Whether the name is that of the known card, and of none that is called almost so."""
    words, sought = _words(name), _words(known)
    if any(_OTHER_CARD.fullmatch(word) for word in words if word not in sought):
        return False
    places = range(len(words) - len(sought) + 1)
    return any(words[at : at + len(sought)] == sought for at in places)


def _words(name: str) -> list[str]:
    """Words of a card's name, which NVIDIA sets apart by blanks or by hyphens."""
    return name.upper().replace("MAX-Q", "MAXQ").replace("-", " ").split()


@cache
def _multiplied(threads: int, bf16: bool) -> float:
    """FLOP/s of the best of several matrix multiplications; a fifth of a second or so."""
    import torch

    with torch.random.fork_rng(devices=[]):  # a training's numbers are its seed's alone
        matrix = torch.randn(1024, 1024, dtype=torch.bfloat16 if bf16 else torch.float32)
    best = float("inf")
    for _ in range(12):
        began = time.perf_counter()
        torch.mm(matrix, matrix)
        best = min(best, time.perf_counter() - began)
    return 2 * 1024**3 / best


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text("utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
