"""A training in a process of its own that kills itself at a chosen moment, as `kill -9` would.

Some moments last a millisecond, too short to be hit from outside. Which call it is that the process
does not live to finish is counted, so a test hits the same moment every time.
"""

import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.model_spec import ModelSpec


def train_and_die(
    spec: ModelSpec, corpus: Path, folder: Path, moment: str, call: int
) -> int | None:
    """Train until the `call`-th time of `moment`; the exit status, -9 of one that was killed.

    `moment`: in a `look` at held-out text, a `checkpoint`'s writing, the deletion of an old one
    (`rotation`), the `export` of the final model.
    """
    # Forked from a process that has loaded torch and computed nothing yet.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pipeline.training"])
    child = context.Process(target=_train, args=(spec, corpus, folder, moment, call))
    child.start()
    child.join()
    return child.exitcode


def _train(spec: ModelSpec, corpus: Path, folder: Path, moment: str, call: int) -> None:
    import torch
    from transformers import PreTrainedTokenizerBase

    import pipeline.training
    from pipeline.training import checkpoints
    from pipeline.training.trainer import StoryTrainer

    torch.set_num_threads(1)
    match moment:
        case "look":
            _die(StoryTrainer, "_sums", call, lambda it: it._sums_of(list(it._held_out.blocks[:2])))
        case "checkpoint":
            _die(torch, "save", call, lambda state, path: Path(path).write_bytes(b"PK\3\4half"))
        case "rotation":
            _die(shutil, "rmtree", call, _delete_one, only=lambda path: "checkpoint-" in str(path))
        case "export":
            _die(
                PreTrainedTokenizerBase,
                "save_pretrained",
                call,
                lambda *_: None,
                only=lambda _, path: ".final" in str(path),
            )
    assert checkpoints.shutil is shutil
    pipeline.training.train(spec, corpus, folder, device="cpu")


def _die(
    owner: Any,
    name: str,
    call: int,
    half: Callable[..., object],
    only: Callable[..., bool] = lambda *_: True,
) -> None:
    """Let the process do `half` of the `call`-th call of a function, and no more."""
    whole = getattr(owner, name)
    calls = 0

    def dying(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += only(*args)
        if calls == call:
            half(*args)
            os.kill(os.getpid(), signal.SIGKILL)
        return whole(*args, **kwargs)

    setattr(owner, name, dying)


def _delete_one(folder: Path) -> None:
    max(folder.iterdir()).unlink()
