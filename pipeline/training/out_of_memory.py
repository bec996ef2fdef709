"""A training that runs out of memory all the same: one clear error with the figures and the remedy.

The forecast cannot know what else will take memory later. PyTorch has an error of its own for GPUs
only; on a CPU its allocator and oneDNN raise a RuntimeError that is known by its words.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from pipeline.device import Device
from pipeline.model_spec import ModelError, ModelSpec
from pipeline.training import distributed
from pipeline.training.forecast import Batch

#: Words of c10/core/impl/alloc_cpu.cpp, of ATen/mps/MPSAllocator.mm, of libstdc++ and of oneDNN.
_WORDS = (
    "can't allocate memory",
    "not enough memory",
    "MPS backend out of memory",
    "bad_alloc",
    "could not create a memory",
    "unable to mmap",
)


class OutOfMemory(ModelError):  # noqa: N818 - the name that everyone gives it
    """The training ran out of memory; the last checkpoint stands."""

    def __init__(self, message: str, smaller: tuple[int, int] | None = None):
        """`smaller`: a batch to try, in blocks a pass on all processes and passes a step."""
        super().__init__(message)
        self.smaller = smaller


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an allocation failed, however the library that asked for it says so."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _WORDS)


@contextmanager
def memory_for(spec: ModelSpec, batch: Batch, device: Device, block_size: int) -> Iterator[None]:
    """Turn a failed allocation into OutOfMemory, with the figures and the remedy."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        said = " ".join(str(error).split())[:200] or "no memory"
        raise OutOfMemory(
            f"{device.name} ran out of memory with {batch.per_device} blocks of {block_size} "
            f"tokens (foretold: {batch.forecast}; it says: {said}); write "
            f"{'; or '.join(remedies(spec, batch, block_size))}; or free memory and run again: the "
            "last complete checkpoint stands",
            smaller(batch),
        ) from error


@contextmanager
def memory_to_begin(device: str | None) -> Iterator[None]:
    """The same for what precedes the first step, where a smaller batch helps nothing."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise OutOfMemory(
            f"no memory on {device or 'this machine'} to begin a training "
            f"({' '.join(str(error).split())[:200]}); free some, or choose a smaller model"
        ) from error


def free_unused() -> None:
    """Give back what nothing holds any more, before another try."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def smaller(batch: Batch) -> tuple[int, int] | None:
    """Half the blocks a forward pass on all processes and twice the passes; None below one."""
    if batch.per_device == 1:
        return None
    half = next(n for n in range(batch.per_device // 2, 0, -1) if batch.per_device % n == 0)
    return half * distributed.processes(), batch.accumulation * batch.per_device // half


def remedies(spec: ModelSpec, batch: Batch, block_size: int) -> list[str]:
    """Settings that take less memory, the one that learns the same first."""
    found = []
    if half := smaller(batch):
        found.append(
            f"training.batch_size: {half[0]} with training.gradient_accumulation: {half[1]}, "
            "which learns the same"
        )
    if spec.recurrent is None and not spec.training.gradient_checkpointing:
        found.append("training.gradient_checkpointing: true")
    if spec.base is not None and spec.lora is None:
        found.append("lora: {}")
    found.append(f"training.block_size: {max(8, block_size // 2)}")
    return found
