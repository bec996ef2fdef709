"""The texts that a path on this machine's disk means: a file, a folder with all below, a pattern.

Found in the order of their names, so that a crawl is the same on every disk. What is passed over is
told: hidden files, other kinds, and symbolic links within a folder, since a link that leads out of
it is not of the folder and one that stays inside gives the same text twice. A path that is itself a
link is followed: somebody named it.
"""

import glob
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

#: Kinds of files that are a page each, with the content type by which extraction reads them.
TEXTS = {
    ".txt": "text/plain",
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".html": "text/html",
    ".htm": "text/html",
    ".xhtml": "application/xhtml+xml",
    ".epub": "application/epub+zip",
}
#: Kinds that are a page a row.
TABLES = frozenset((".csv", ".tsv", ".jsonl", ".parquet"))
KINDS = ", ".join([*TEXTS, *sorted(TABLES)])
#: Names told of each reason for passing files over.
_EXAMPLES = 3


@dataclass(frozen=True)
class TextFile:
    """A file that is read; `name` tells it from the source's others wherever the folder lies."""

    path: Path
    name: str  # e.g. books/first/one.txt for the source's folder books

    @property
    def kind(self) -> str:
        """The extension in small letters, e.g. `.txt`."""
        return self.path.suffix.lower()


@dataclass
class FoundFiles:
    """The files of a source in order, and by reason the names of those passed over."""

    files: list[TextFile] = field(default_factory=list)
    passed_over: dict[str, list[str]] = field(default_factory=dict)

    def told(self) -> str:
        """What was passed over, in one line; empty where nothing was."""
        parts = []
        for reason, names in sorted(self.passed_over.items()):
            examples = ", ".join(names[:_EXAMPLES]) + (" …" if len(names) > _EXAMPLES else "")
            parts.append(f"{len(names)} {reason} ({examples})")
        return "; ".join(parts)


def find_files(path: Path, spec: Path | None = None) -> FoundFiles:
    """The files that `path` means, read or passed over; the YAML file `spec` is neither.

    Raises FileNotFoundError, OSError where a folder cannot be read, ValueError for no pattern.
    """
    found = FoundFiles()
    if path.is_dir():
        root, candidates = path, _below(path)
    elif path.exists():
        root, candidates = path, iter([path])
    elif glob.has_magic(str(path)):
        root = next(p for p in path.parents if not glob.has_magic(str(p)))
        matches = root.glob(str(path.relative_to(root)))
        candidates = (match for match in matches if not match.is_dir())
    else:
        raise FileNotFoundError(path)
    for candidate in sorted(candidates):
        if spec is not None and candidate.absolute() == spec.absolute():
            continue
        name = candidate.relative_to(root.parent).as_posix()
        # What was named itself is no link "within" anything, and may be hidden.
        reason = _no_text(candidate, candidate.relative_to(root).parts)
        if reason is None:
            found.files.append(TextFile(candidate, name))
        else:
            printable = name.encode("utf-8", "backslashreplace").decode()
            found.passed_over.setdefault(reason, []).append(printable)
    return found


def _below(folder: Path) -> Iterator[Path]:
    """All files below a folder and its symbolic links, those to folders too."""

    def cannot_be_read(error: OSError) -> None:
        raise error  # its files are not gone

    for parent, folders, names in os.walk(folder, onerror=cannot_be_read):
        links = [name for name in folders if (Path(parent) / name).is_symlink()]
        yield from (Path(parent) / name for name in [*names, *links])


def _no_text(path: Path, below_root: tuple[str, ...]) -> str | None:
    """Why a file is passed over; None where it is read."""
    if any(part.startswith(".") for part in below_root):
        return "hidden"
    if below_root and any(part.is_symlink() for part in [path, *path.parents][: len(below_root)]):
        return "symbolic links"
    if path.suffix.lower() not in TEXTS.keys() | TABLES:
        return "of other kinds"
    if not path.is_file():  # a pipe would be waited for without end
        return "no regular files"
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return "whose names are not UTF-8"
    return None
