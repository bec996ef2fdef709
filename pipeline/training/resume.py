"""What a training must share with the checkpoints that it goes on from.

Configuration, base and corpus must be the same, or the rest of the way is another training's. Where
the batch was picked for the room there was, it stays as it was picked, for the sums of another one
are rounded otherwise.
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


def with_noted_batch(resume: Path, spec: ModelSpec) -> ModelSpec:
    """The spec with the batch that was picked before, where one was; what is written stands."""
    if spec.training.batch_size != "auto":
        return spec
    note = _read(resume) or {}
    training = spec.training.model_copy(update=note.get("batch", {}))
    return spec.model_copy(update={"training": training})


def note_batch(resume: Path, batch_size: int, accumulation: int) -> None:
    """Note the batch, in blocks a forward pass on all processes and passes a step."""
    note = _read(resume) or {}
    note["batch"] = {"batch_size": batch_size, "gradient_accumulation": accumulation}
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
