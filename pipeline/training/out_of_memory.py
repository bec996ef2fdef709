"""A training that runs out of memory all the same: one clear error with the figures and the remedy.

The forecast cannot know what else will take memory later. PyTorch has an error of its own for GPUs
only; on a CPU its allocator and oneDNN raise a RuntimeError that is known by its words.
"""

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

    def __init__(self, message: str, smaller: int | None = None):
        """`smaller`: a batch to try, in blocks a forward pass of one process."""
        super().__init__(message)
        self.smaller = smaller


class RunAgain(Exception):  # noqa: N818 - nothing to mend: an invitation
    """It ran out of memory and has noted a smaller batch, with which a fresh process goes on."""


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
        half = smaller(batch)
        went_out = (
            f"{device.name} ran out of memory with {batch.per_device} blocks of {block_size} "
            f"tokens (foretold: {batch.forecast}; it says: {_said(error)}); the last complete "
            "checkpoint stands"
        )
        if spec.training.batch_size == "auto" and half:
            raise OutOfMemory(
                f"{went_out}; run again and it goes on from there with {half} blocks and as many "
                "more passes a step, which learns the same",
                half,
            ) from error
        raise OutOfMemory(
            f"{went_out}; free memory, or write {remedies(spec, batch, block_size)}"
        ) from error


@contextmanager
def memory_beside(device: str | None) -> Iterator[None]:
    """The same for what comes before and after the steps, where a smaller batch helps nothing."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise OutOfMemory(
            f"no memory on {device or 'this machine'} beside the steps of a training "
            f"({_said(error)}); free some and run again, or choose a smaller model"
        ) from error


def smaller(batch: Batch) -> int | None:
    """Half the blocks of a forward pass, or the next that deals out a step; None below one."""
    blocks = batch.per_device
    return next((n for n in range(blocks // 2, 0, -1) if blocks % n == 0), None)


def remedies(spec: ModelSpec, batch: Batch, block_size: int) -> str:
    """Settings that take less memory, those first with which it goes on from its checkpoint."""
    goes_on, anew = [], []
    if half := smaller(batch):
        goes_on.append(
            f"training.batch_size: {half * distributed.processes()} with "
            f"training.gradient_accumulation: {batch.accumulation * batch.per_device // half}"
        )
    if spec.recurrent is None and not spec.training.gradient_checkpointing:
        goes_on.append("training.gradient_checkpointing: true")
    if spec.base is not None and spec.lora is None:
        anew.append("lora: {}")
    anew.append(f"training.block_size: {max(8, block_size // 2)}")
    from_there = f"{' or '.join(goes_on)}, which learns the same and goes on from there; or "
    return f"{from_there if goes_on else ''}{' or '.join(anew)}, which begins anew"


def _said(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or "no memory"
