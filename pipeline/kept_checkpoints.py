"""Which steps of a training can be drawn from: those whose weights were kept, and the last.

The final model's step is the one that its weights are of: where the training was given up, or an
earlier step was the best, that is not the last one trained.
"""

import hashlib
import json
from pathlib import Path

from pipeline.model_spec import ModelError

_WEIGHTS = "model.safetensors"


def kept_checkpoints(model_folder: Path) -> dict[int, Path]:
    """The folder of each step's weights in order, the final model's last.

    Raises ModelError where the folder has no notes of its training.
    """
    notes_file = model_folder / "training.json"
    try:
        notes = json.loads(notes_file.read_text("utf-8"))
        last = int(notes["best_step"] or notes["steps"])
    except (OSError, ValueError, LookupError, TypeError):
        raise ModelError(
            f"{notes_file}: cannot be read, so the steps of its checkpoints are not known; "
            "materialize the model again"
        ) from None
    steps = model_folder / "steps"
    found = {
        int(folder.name): folder
        for folder in (steps.iterdir() if steps.is_dir() else ())
        if folder.name.isdecimal() and (folder / _WEIGHTS).is_file() and int(folder.name) < last
    }
    return {step: found[step] for step in sorted(found)} | {last: model_folder / "final"}


def checkpoint_at(model_folder: Path, step: int) -> Path:
    """The folder of one step's weights. Raises ModelError, which names those there are."""
    kept = kept_checkpoints(model_folder)
    if step not in kept:
        *others, last = kept
        there = ", ".join([*map(str, others), f"{last} (the final model)"])
        raise ModelError(
            f"{model_folder / 'steps' / str(step)}: is missing; there is {there}: draw from one "
            "of these, or train again with this step in samples.at_steps"
        )
    return kept[step]


def weights_of(checkpoint: Path) -> str:
    """The sha256 of a checkpoint's weights. Raises ModelError where it has none."""
    try:
        with (checkpoint / _WEIGHTS).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(f"{checkpoint}: has no weights ({error}); train the model again") from None
