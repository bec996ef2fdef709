"""The model that a command is asked about: a story model's name, or a folder with one."""

import json
from pathlib import Path
from typing import Any

from crawlers.franchise import data_root
from dagster_project.commands.finished import finished
from dagster_project.commands.speech import refuse, say
from pipeline.artifact import MANIFEST, Artifact
from pipeline.takedown.models import marks, notice

_WEIGHTS, _STEPS = "final", "steps"


def weights_folder(model: str, step: int | None = None) -> Path:
    """The folder of a model's weights, or of a checkpoint that was kept for its samples.

    Exit status 2 where there is none. A story model that has learned from a page taken down since
    is told to be so.
    """
    path = Path(model).expanduser()
    named = (data_root() / "models" / model / MANIFEST).is_file() if model else False
    if path.is_dir() and not named:
        return _of_step(path / _WEIGHTS if (path / _WEIGHTS).is_dir() else path, step)
    made = finished("models", model)
    _tell_takedowns(made)
    return _of_step(made.folder / _WEIGHTS, step)


def training_notes(weights: Path) -> dict[str, Any]:
    """What the training noted beside these weights; empty of a folder from elsewhere."""
    root = weights.parent.parent if weights.parent.name == _STEPS else weights.parent
    try:
        notes = json.loads((root / "training.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return notes if isinstance(notes, dict) else {}


def final_step(weights: Path) -> int | None:
    """The step whose weights the final model has; None of a folder from elsewhere."""
    notes = training_notes(weights)
    return notes.get("best_step") or notes.get("steps")


def _of_step(weights: Path, step: int | None) -> Path:
    last = final_step(weights)
    if step is None or step == last:
        return weights
    kept = {int(path.name): path for path in weights.parent.glob(f"{_STEPS}/*") if _whole(path)}
    if step not in kept:
        steps = sorted({*kept, last} if last is not None else kept)
        told = ", ".join(f"{each:,}" for each in steps) or "none but its own"
        refuse(
            [
                f"{weights.parent} has no weights of step {step:,}; there are: {told} (a training "
                "keeps those that its samples.at_steps name)"
            ]
        )
    return kept[step]


def _whole(checkpoint: Path) -> bool:
    return checkpoint.name.isdecimal() and (checkpoint / "config.json").is_file()


def _tell_takedowns(made: Artifact) -> None:
    try:
        told = notice(marks(made))
    except ValueError as error:
        refuse([error])
    if told:
        say(told)
