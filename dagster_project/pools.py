"""Which queue a model waits in: one a GPU, so that two trainings never share a card.

An asset has one pool, and a training may take several GPUs. So GPUs that any model takes together
have one queue: of models on GPU 1, on 0 and 1 together and on 2, the first two wait for each other
and the third for none. A queue is named after its lowest GPU: `gpu` for 0, else `gpu-N`.
"""

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from dagster_project.registry import load_registry
from pipeline.model_spec import ModelSpec


def gpus_of(spec: ModelSpec) -> range:
    """The GPUs that a model takes, by number."""
    return range(spec.gpu, spec.gpu + spec.processes)


def pools(models: Iterable[ModelSpec]) -> dict[int, str]:
    """The pool of each GPU that a model takes."""
    lowest: dict[int, int] = {}
    # By their first GPU, so that a group only ever grows at its end.
    for taken in sorted(map(gpus_of, models), key=lambda gpus: gpus.start):
        first = min(lowest.get(gpu, gpu) for gpu in taken)
        lowest |= dict.fromkeys(taken, first)
    return {gpu: f"gpu-{first}" if first else "gpu" for gpu, first in lowest.items()}


def pool_of(spec: ModelSpec, corpora: Path) -> str:
    """The pool of a model among all that are written under `corpora`. Raises SpecError."""
    files = sorted(corpora.glob("*/defs.yaml"))
    written = tuple((str(path), path.stat().st_mtime_ns) for path in files)
    return _pools_of_registry(corpora, written)[spec.gpu]


@lru_cache(maxsize=4)
def _pools_of_registry(corpora: Path, written: tuple[tuple[str, int], ...]) -> dict[int, str]:
    """`written` only tells one state of the files from another."""
    return pools(load_registry(corpora).models.values())
