"""Several processes that train one model together, started by torchrun: one a GPU.

Each computes its share of every batch and all add up their gradients, so that they end with the
weights that one process would have had (https://docs.pytorch.org/docs/stable/notes/ddp.html).
torchrun tells each its rank in the environment; the first one writes what is written. Whatever they
must do at the same step, as stopping, they agree on first.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from pipeline.model_spec import ModelError, ModelSpec

#: Seconds for a checkpoint, once torchrun is gone: what it grants itself.
_PATIENCE = 30.0


def processes() -> int:
    """How many processes train together; 1 without torchrun."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def rank() -> int:
    """Which of them this one is, from 0."""
    return int(os.environ.get("RANK", "0"))


def is_first() -> bool:
    """Whether this process writes what is written."""
    return rank() == 0


def share(blocks: int, what: str) -> int:
    """Each process's share of `blocks`. Raises ModelError where it is not a whole number."""
    if blocks % processes():
        raise ModelError(
            f"{what} is {blocks}, which {processes()} processes cannot share alike; make it a "
            f"multiple of {processes()}"
        )
    return blocks // processes()


def command(spec: ModelSpec, arguments: Sequence[str]) -> list[str]:
    """Arguments of a Python that trains `spec`, from those of one that does it alone: `-m …`."""
    if spec.processes == 1:
        return list(arguments)
    torchrun = ["-m", "torch.distributed.run", "--standalone"]
    return [*torchrun, "--nproc-per-node", str(spec.processes), *arguments]


def visible_gpus(spec: ModelSpec, env: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment that shows a training its own GPUs only: `processes` of them from `gpu` on.

    Counted among those that this process may see itself.
    """
    wanted = range(spec.gpu, spec.gpu + spec.processes)
    written = env.get("CUDA_VISIBLE_DEVICES")
    seen = [str(number) for number in range(wanted.stop)]
    if written is not None:
        seen = [one.strip() for one in written.split(",") if one.strip()]
    return {"CUDA_VISIBLE_DEVICES": ",".join(seen[wanted.start : wanted.stop])}


@contextmanager
def together(device: str | None) -> Iterator[None]:
    """Within it the processes know one another; `device` is the kind that computes.

    Raises ModelError where there are fewer GPUs than processes.
    """
    if processes() == 1:
        yield
        return
    import torch
    from torch import distributed

    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    on_gpu = torch.cuda.is_available() if device is None else device == "cuda"
    if on_gpu:
        local = int(os.environ["LOCAL_RANK"])
        if local >= torch.cuda.device_count():
            raise ModelError(
                f"{os.environ['LOCAL_WORLD_SIZE']} processes are to train on this machine, which "
                f"shows them {torch.cuda.device_count()} GPUs; lower `processes` or `gpu`"
            )
        torch.cuda.set_device(local)
    # Gloo on the processor too: to agree on a step must not wait for a GPU.
    distributed.init_process_group("cpu:gloo,cuda:nccl" if on_gpu else "gloo")
    yield
    distributed.destroy_process_group()  # not after an error: it would wait for who is gone


@contextmanager
def first_alone() -> Iterator[None]:
    """Within it the first process is alone; the others follow, and find what it has written."""
    if not is_first():
        wait_for_all()
    try:
        yield
    finally:
        if is_first():
            wait_for_all()


def wait_for_all() -> None:
    """Until every process is here."""
    if processes() > 1:
        from torch import distributed

        distributed.all_reduce(_number(0))


def largest(number: int) -> int:
    """The largest of what the processes have; all know it then."""
    if processes() == 1:
        return number
    from torch import distributed

    shared = _number(number)
    distributed.all_reduce(shared, distributed.ReduceOp.MAX)
    return int(shared)


def smallest(number: int) -> int:
    """The smallest of what the processes have; all know it then."""
    return -largest(-number)


def _number(number: int):  # type: ignore[no-untyped-def] # a torch.Tensor; torch is dear to import
    import torch

    return torch.tensor(number, dtype=torch.int64)


def _end_with(parent: int) -> None:
    """End this process once its parent is gone: torchrun gives each a session of its own.

    Where torchrun itself is killed, nothing else would reach them.
    """
    while os.getppid() == parent:
        time.sleep(0.2)
    os.kill(os.getpid(), signal.SIGTERM)  # a checkpoint first
    time.sleep(_PATIENCE)
    sys.stderr.flush()
    os.kill(os.getpid(), signal.SIGKILL)
