"""Checkpoints to resume from, and exported models to keep.

The Trainer writes a checkpoint file by file, so a killed process can leave half of one. A marker
file written last makes a checkpoint valid; one without it is deleted at the next start, before
anything could choose it. Exported folders hold what `from_pretrained` needs and nothing else: no
optimizer state and no pickle.
"""

import errno
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from safetensors import SafetensorError
from transformers import PreTrainedModel, PreTrainedTokenizerBase
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR

from pipeline.atomic import sync, write_atomically
from pipeline.model_spec import ModelError
from pipeline.models.plain import plain_model

MARKER = "complete.json"


@dataclass(frozen=True)
class Checkpoint:
    """A complete checkpoint, and what of the run so far the Trainer does not record itself."""

    folder: Path
    step: int
    seconds: float  # of training so far


def newest_checkpoint(folder: Path) -> Checkpoint | None:
    """The last complete checkpoint in `folder`; incomplete ones are deleted."""
    complete = []
    for path in _checkpoints(folder):
        if (path / MARKER).is_file():
            complete.append(Checkpoint(path, **json.loads((path / MARKER).read_text("utf-8"))))
        else:
            _delete(path)
    return max(complete, key=lambda checkpoint: checkpoint.step, default=None)


def checkpoint_folder(folder: Path, step: int) -> Path:
    """Where the Trainer writes the checkpoint of a step."""
    return folder / f"{PREFIX_CHECKPOINT_DIR}-{step}"


def complete_checkpoint(
    folder: Path, step: int, seconds: float, limit: int, *, best: int | None = None
) -> None:
    """Make the checkpoint of `step` valid; delete all but the newest `limit` and the `best`."""
    checkpoint = Checkpoint(checkpoint_folder(folder, step), step, seconds)
    for path in checkpoint.folder.iterdir():
        sync(path)
    marker = {key: value for key, value in asdict(checkpoint).items() if key != "folder"}
    write_atomically(checkpoint.folder / MARKER, json.dumps(marker).encode())
    by_step = sorted(_checkpoints(folder), key=_step)
    for path in by_step[:-limit]:
        if _step(path) != best:
            _delete(path)


def delete_checkpoints(folder: Path) -> None:
    """Delete `folder`, where nothing is left to go on from."""
    for path in _checkpoints(folder):
        _delete(path)
    shutil.rmtree(folder)


def _checkpoints(folder: Path) -> list[Path]:
    return list(folder.glob(f"{PREFIX_CHECKPOINT_DIR}-*"))


def _step(path: Path) -> int:
    return int(path.name.rpartition("-")[2])


def _delete(path: Path) -> None:
    """Its marker first: who is killed meanwhile leaves nothing that looks complete."""
    (path / MARKER).unlink(missing_ok=True)
    shutil.rmtree(path)


def export(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Write a folder that transformers loads; it appears whole or not at all.

    A plain model, whatever was put around it to train it; its training can go on undisturbed.
    """
    aside = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(aside, ignore_errors=True)
    with room_for(folder):
        plain_model(model, tokenizer).save_pretrained(aside)
        tokenizer.save_pretrained(aside)
        for path in aside.iterdir():
            path.chmod(0o644)  # safetensors writes for its owner only
            sync(path)
    shutil.rmtree(folder, ignore_errors=True)
    aside.rename(folder)


@contextmanager
def room_for(folder: Path) -> Iterator[None]:
    """Turn a full or unwritable disk, however a library reports it, into one clear error."""
    try:
        yield
    except (OSError, RuntimeError, SafetensorError) as error:
        if _is_full(error):
            free = shutil.disk_usage(folder.parent).free
            raise ModelError(
                f"no room to write a checkpoint in {folder} ({free / 1e6:,.0f} MB free); free some "
                "space or lower training.save_total_limit, then run again: the last complete "
                "checkpoint stands"
            ) from error
        if _is_unwritable(error):
            raise ModelError(
                f"{folder}: cannot be written ({' '.join(str(error).split())}); make it writable, "
                "or train into another folder, then run again"
            ) from error
        raise


def _is_full(error: Exception) -> bool:
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    # safetensors keeps no errno but its words, torch's zip writer not even those.
    return any(words in str(error) for words in ("No space left", "inline_container", "iostream"))


def _is_unwritable(error: Exception) -> bool:
    if isinstance(error, OSError):
        return error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST)
    return any(words in str(error) for words in ("Permission denied", "Read-only file system"))
