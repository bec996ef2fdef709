"""Several processes that train one model together, started by torchrun: one a GPU.

Each computes its share of every batch and all add up their gradients, so that they end with the
weights that one process would have had (https://docs.pytorch.org/docs/stable/notes/ddp.html).
torchrun tells each its rank in the environment; the first one writes what is written.
"""

import os

from pipeline.model_spec import ModelError


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
