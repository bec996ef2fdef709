"""What a training in a process of its own is foretold to take of memory, and what it takes.

The kernel keeps the most that a process ever held, which can be set back to what it holds:
https://man7.org/linux/man-pages/man5/proc_pid_clear_refs.5.html
"""

import multiprocessing
import re
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from pipeline.model_spec import ModelSpec


def foretold_and_taken(spec: ModelSpec, corpus: Path, folder: Path) -> tuple[int, int]:
    """Bytes that `spec` is foretold to take on a CPU, its weights included, and those at its peak.

    Counted above what the process held before there was a model.
    """
    # Forked from a process that has loaded torch and computed nothing yet.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pipeline.training"])
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=_train, args=(spec, corpus, folder, there))
    child.start()
    there.close()
    try:
        foretold, taken = here.recv()
    finally:
        child.join()
    return foretold, taken


def _train(spec: ModelSpec, corpus: Path, folder: Path, told: Connection) -> None:
    import torch

    import pipeline.training as training

    torch.set_num_threads(1)
    foretell = training.fit
    held: list[int] = []

    def fit(spec: ModelSpec, model: Any, *rest: Any, **more: Any) -> Any:
        Path("/proc/self/clear_refs").write_text("5", "ascii")
        held.append(_status("VmRSS") - 4 * model.num_parameters())
        return foretell(spec, model, *rest, **more)

    training.fit = fit
    record = training.train(spec, corpus, folder, device="cpu")
    told.send((record["forecast"]["memory_bytes"], _status("VmHWM") - held[0]))


def _status(name: str) -> int:
    """Bytes."""
    found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text("ascii"))
    assert found
    return int(found[1]) * 1024
