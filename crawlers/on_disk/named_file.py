"""The one file that a source names by its `path:`, or what to do about one that is not there."""

from pathlib import Path

from crawlers.explain import SourceError
from crawlers.sources import FileSource


def named_file(source: FileSource, folder: Path) -> Path:
    """The file, counted from the folder of the YAML file. Raises SourceError."""
    path = source.located(folder)
    if not path.is_file():
        raise SourceError(
            f"there is no file {path.absolute()}",
            f"put it there, or change `path:`, which counts from {folder}",
        )
    return path
