"""Checkpoints to resume from, and exported models to keep.

The Trainer writes a checkpoint file by file, so a killed process can leave half of one. A marker
file written last makes a checkpoint valid and names what it holds; one without it is deleted at the
next start, before anything could choose it, and one that holds something else is refused. Exported
folders hold what `from_pretrained` needs and nothing else: no optimizer state and no pickle.
"""

import errno
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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
    best: int | None = None  # step of the best look at held-out text, where one is kept


def newest_checkpoint(folder: Path) -> Checkpoint | None:
    """The last complete checkpoint in `folder`; incomplete ones are deleted.

    Raises ModelError where one was damaged after it was complete, or the best is gone.
    """
    complete = []
    for path in _checkpoints(folder):
        if (path / MARKER).is_file():
            complete.append(_read(path))
        else:
            _delete(path)
    newest = max(complete, key=lambda checkpoint: checkpoint.step, default=None)
    if newest is not None and newest.best not in {None, *(one.step for one in complete)}:
        raise ModelError(
            f"{checkpoint_folder(folder, newest.best or 0)}: the best checkpoint of this training "
            f"is gone; put it back, or delete {folder} to start anew"
        )
    return newest


def damaged(checkpoint: Path, why: str) -> ModelError:
    """The error that tells a person so; the checkpoint stays, to be looked at."""
    return ModelError(
        f"{checkpoint}: its resume state is damaged, or holds a pickle that would run code, and "
        f"is not read ({' '.join(why.split())}); delete {checkpoint} to go on from an earlier "
        f"checkpoint, or {checkpoint.parent} to start anew"
    )


def checkpoint_folder(folder: Path, step: int) -> Path:
    """Where the Trainer writes the checkpoint of a step."""
    return folder / f"{PREFIX_CHECKPOINT_DIR}-{step}"


def complete_checkpoint(
    folder: Path, step: int, seconds: float, limit: int, *, best: int | None = None
) -> None:
    """Make the checkpoint of `step` valid; delete all but the newest `limit` and the `best`."""
    checkpoint = Checkpoint(checkpoint_folder(folder, step), step, seconds)
    sizes = {}
    for path in checkpoint.folder.iterdir():
        sync(path)
        if path.name != MARKER:
            sizes[path.name] = path.stat().st_size
    marker = {"step": step, "seconds": seconds, "best": best, "files": sizes}
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
    """Those named after their step; what a person has put beside them is none."""
    found = folder.glob(f"{PREFIX_CHECKPOINT_DIR}-*")
    return [path for path in found if path.name.rpartition("-")[2].isdecimal()]


def _read(path: Path) -> Checkpoint:
    """A checkpoint with a marker. Raises ModelError where its files are not those of the marker."""
    try:
        marker = json.loads((path / MARKER).read_text("utf-8"))
        checkpoint = Checkpoint(path, *(marker[key] for key in ("step", "seconds", "best")))
        sizes = dict(marker["files"])
    except (ValueError, KeyError, TypeError) as error:
        raise damaged(path, f"{MARKER} is no marker of ours: {error!r}") from error
    for name, size in sizes.items():
        if not (path / name).is_file():
            raise damaged(path, f"{name} is missing")
        if (there := (path / name).stat().st_size) != size:
            raise damaged(path, f"{name} has {there:,} bytes, not {size:,}")
    return checkpoint


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
