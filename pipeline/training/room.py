"""How much memory and disk there is for a training."""

import os
import shutil
from pathlib import Path

from pipeline.device import Device
from pipeline.host_memory import free_host_memory


def free_memory(device: Device) -> int:
    """Bytes that this process may still take on the device."""
    import torch

    if device.kind == "cuda":
        free, _ = torch.cuda.mem_get_info()
        # What PyTorch holds and does not use is free for it too.
        return int(free + torch.cuda.memory_reserved() - torch.cuda.memory_allocated())
    if device.kind == "mps":
        bound = torch.mps.recommended_max_memory()
        return int(bound - torch.mps.driver_allocated_memory())
    # Processes that train together on one machine share its memory.
    return free_host_memory() // int(os.environ.get("LOCAL_WORLD_SIZE", "1"))


def free_disk(folder: Path) -> int:
    """Bytes free on the disk of `folder`, which need not be there yet."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free
