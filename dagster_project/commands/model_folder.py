"""The model that a command is asked about: a story model's name, or a folder with one."""

from pathlib import Path

from crawlers.franchise import data_root
from dagster_project.commands.finished import finished
from dagster_project.commands.speech import refuse, say
from pipeline.artifact import MANIFEST, Artifact
from pipeline.takedown.models import marks, notice

_WEIGHTS = "final"


def weights_folder(model: str) -> Path:
    """The folder of a model's weights; exit status 2 where there is none.

    A story model that has learned from a page taken down since is told to be so.
    """
    path = Path(model).expanduser()
    named = (data_root() / "models" / model / MANIFEST).is_file() if model else False
    if path.is_dir() and not named:
        return path / _WEIGHTS if (path / _WEIGHTS).is_dir() else path
    made = finished("models", model)
    _tell_takedowns(made)
    return made.folder / _WEIGHTS


def _tell_takedowns(made: Artifact) -> None:
    try:
        told = notice(marks(made))
    except ValueError as error:
        refuse([error])
    if told:
        say(told)
