"""What a training must share with the checkpoints that it goes on from.

Configuration, base and corpus must be the same, or the rest of the way is another training's; how
the blocks of a step are dealt out may change, since the optimizer sees the same. A batch that was
picked for the room there was stays as it was while it fits, for the sums of another one are rounded
otherwise.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

from pipeline.atomic import write_atomically
from pipeline.model_spec import ModelError, ModelSpec
from pipeline.models.base import base_version
from pipeline.training.checkpoints import Checkpoint, newest_checkpoint

NOTE = "training.json"
#: With it torch.load reads tensors and plain values, whatever a library asks of it
#: (https://docs.pytorch.org/docs/stable/notes/serialization.html).
_WEIGHTS_ONLY = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"


def same_training(resume: Path, spec: ModelSpec, data_version: str | None) -> None:
    """Note what `resume` belongs to. Raises ModelError where it belongs to another training."""
    this = {
        "inputs": spec.model_inputs(),
        "base": base_version(spec),
        "data_version": data_version,
    }
    note = _read(resume)
    if note is not None and {key: note.get(key) for key in this} == this:
        return
    if newest_checkpoint(resume) is not None:
        raise ModelError(
            f"{resume}: holds checkpoints of a training with another configuration, base or "
            "corpus; delete it to start anew, or train into another folder"
        )
    resume.mkdir(parents=True, exist_ok=True)
    write_atomically(resume / NOTE, json.dumps(this).encode())


def noted_batch(resume: Path) -> int | None:
    """Blocks a forward pass of one process when the training was broken off; None: it was not."""
    batch: int | None = (_read(resume) or {}).get("batch")
    return batch


def note_batch(resume: Path, per_device: int) -> None:
    """Note the blocks of a forward pass of one process."""
    note = _read(resume) or {}
    note["batch"] = per_device
    write_atomically(resume / NOTE, json.dumps(note).encode())


@contextmanager
def tensors_only(checkpoint: Checkpoint | None) -> Iterator[None]:
    """Within it no pickle is run; ModelError where the checkpoint has one that would."""
    before = os.environ.get(_WEIGHTS_ONLY)
    os.environ[_WEIGHTS_ONLY] = "1"
    try:
        yield
    except (UnpicklingError, RuntimeError) as error:
        damaged = isinstance(error, UnpicklingError) or "PytorchStreamReader" in str(error)
        if checkpoint is None or not damaged:
            raise
        raise ModelError(
            f"{checkpoint.folder}: its resume state is damaged, or holds a pickle that would run "
            f"code, and is not read; delete {checkpoint.folder} to go on from an earlier "
            f"checkpoint, or {checkpoint.folder.parent} to start anew"
        ) from error
    finally:
        if before is None:
            del os.environ[_WEIGHTS_ONLY]
        else:
            os.environ[_WEIGHTS_ONLY] = before


def _read(resume: Path) -> dict[str, Any] | None:
    if not (resume / NOTE).is_file():
        return None
    note: dict[str, Any] = json.loads((resume / NOTE).read_text("utf-8"))
    return note
