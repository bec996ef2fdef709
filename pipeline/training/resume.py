"""What a training must share with the checkpoints that it goes on from.

Configuration, base and corpus must be the same, or the rest of the way is another training's; how
the blocks of a step are dealt out may change, since the optimizer sees the same. A batch that was
picked for the room there was stays as it was while it fits, for the sums of another one are rounded
otherwise.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

from safetensors import SafetensorError

from pipeline.atomic import write_atomically
from pipeline.model_spec import ModelError, ModelSpec
from pipeline.models.base import base_version
from pipeline.training.checkpoints import Checkpoint, damaged, newest_checkpoint

NOTE = "training.json"
#: With it torch.load reads tensors and plain values, whatever a library asks of it
#: (https://docs.pytorch.org/docs/stable/notes/serialization.html).
_WEIGHTS_ONLY = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"


def same_training(resume: Path, spec: ModelSpec, corpus: Path, data_version: str | None) -> None:
    """Note what `resume` belongs to. Raises ModelError where it belongs to another training.

    The manifest of a corpus has the SHA-256 of every text, so its own stands for all of them.
    """
    with (corpus / "manifest.parquet").open("rb") as manifest:
        texts = hashlib.file_digest(manifest, "sha256").hexdigest()
    this = {
        "inputs": spec.model_inputs(),
        "base": base_version(spec),
        "corpus": texts,
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
    """Within it no pickle is run; ModelError where the checkpoint has one, or cannot be read."""
    before = os.environ.get(_WEIGHTS_ONLY)
    os.environ[_WEIGHTS_ONLY] = "1"
    try:
        yield
    except (UnpicklingError, RuntimeError, SafetensorError, json.JSONDecodeError) as error:
        if checkpoint is None or not _in_reading(error):
            raise
        raise damaged(checkpoint.folder, _first_sentence(error)) from error
    finally:
        if before is None:
            del os.environ[_WEIGHTS_ONLY]
        else:
            os.environ[_WEIGHTS_ONLY] = before


def _in_reading(error: Exception) -> bool:
    """Whether it tells of what was read; a full disk raises the same types."""
    if isinstance(error, UnpicklingError | json.JSONDecodeError):
        return True
    return any(words in str(error) for words in ("PytorchStreamReader", "deserializing"))


def _first_sentence(error: Exception) -> str:
    """What torch adds is advice to run the pickle."""
    return str(error).strip().split("\n")[0].split(". ")[0]


def _read(resume: Path) -> dict[str, Any] | None:
    """The note; None where there is none. Raises ModelError where it is damaged."""
    if not (resume / NOTE).is_file():
        return None
    try:
        note = json.loads((resume / NOTE).read_text("utf-8"))
    except ValueError as error:
        note = error
    if not isinstance(note, dict):
        raise ModelError(
            f"{resume / NOTE}: damaged, so that nobody can say which training the checkpoints "
            f"beside it are of; delete {resume} to start anew"
        )
    return note
