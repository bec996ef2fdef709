"""A finished output on disk: written aside, then made valid by a manifest that names it, last.

A step's output lives under a root of its own, say `data/corpora/demo/`. Each build writes a folder
named after its fingerprint; `manifest.json` in the root, replaced in one atomic operation, says
which folder is the good one. A step that is killed leaves the last good output as it was, and a
step whose fingerprint (inputs, configuration, code) is the last one's returns at once. The
manifest comes last rather than a rename of the folder, so the scheme also holds on an object
store, which has no rename.
"""

import ast
import errno
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

from pipeline.atomic import write_atomically

MANIFEST = "manifest.json"


class NoRoomError(OSError):
    """The disk is full; what was there before stands."""

    def __init__(self, folder: Path):
        free = shutil.disk_usage(folder.parent).free
        super().__init__(
            errno.ENOSPC,
            f"no room to write ({free / 1e6:,.0f} MB free); free some space and run again, "
            "the last good output stands",
            str(folder),
        )

    def __str__(self) -> str:
        return f"{self.filename}: {self.strerror}"


@dataclass(frozen=True)
class Artifact:
    """What a manifest says of the good output under `root`."""

    root: Path
    version: str  # name of the folder under root
    fingerprint: str  # of inputs, configuration and code
    data_version: str  # sha256 over the files' contents
    figures: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, int] = field(default_factory=dict)  # path within the folder -> bytes
    rewritten_from: tuple[str, ...] = ()  # data versions that `rewrite` has made this one of
    reused: bool = False

    @property
    def folder(self) -> Path:
        """The folder that holds the files."""
        return self.root / self.version

    def was(self, data_version: str) -> bool:
        """Whether this is the output of that data version, rewritten since or not."""
        return data_version in (self.data_version, *self.rewritten_from)

    @classmethod
    def load(cls, root: Path) -> "Artifact | None":
        """The good output under `root`; None where there is none or a file of it is missing."""
        try:
            manifest = json.loads((root / MANIFEST).read_text("utf-8"))
            stored = {name: manifest[name] for name in _STORED}
            found = cls(root=root, rewritten_from=tuple(manifest.get(_WAS, ())), **stored)
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None  # none yet, or damaged: either way it has to be built
        for name, size in found.files.items():
            path = found.folder / name
            if not path.is_file() or path.stat().st_size != size:
                return None
        return found


_STORED = ("version", "fingerprint", "data_version", "figures", "files")
#: Only in the manifest of an output that was rewritten.
_WAS = "rewritten_from"
#: What a file system says that has no hard links, or will have no more of this file.
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EXDEV, errno.EMLINK)


def damage(root: Path) -> str | None:
    """Which file keeps the output under `root` from being loaded, and why; None: there is none."""
    try:
        manifest = json.loads((root / MANIFEST).read_text("utf-8"))
        folder, files = root / manifest["version"], dict(manifest["files"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        return f"{root / MANIFEST}: damaged"
    for name, size in files.items():
        if not (folder / name).is_file():
            return f"{folder / name}: missing, although {root / MANIFEST} names it"
        if (there := (folder / name).stat().st_size) != size:
            return f"{folder / name}: {there:,} bytes, where {root / MANIFEST} says {size:,}"
    return f"{root / MANIFEST}: written by another version"


def fingerprint(**parts: Any) -> str:
    """A sha256 over JSON-serialisable parts, independent of the order of keys."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def code_version(*modules: str) -> str:
    """A hash of the modules' (or packages') syntax trees: comments and layout don't count."""
    digest = hashlib.sha256()
    for name in sorted(modules):
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(name)
        origin = Path(spec.origin)
        sources = sorted(origin.parent.rglob("*")) if origin.name == "__init__.py" else [origin]
        for source in sources:
            if source.suffix == ".py":
                digest.update(ast.dump(ast.parse(source.read_bytes())).encode())
            elif source.is_file() and "__pycache__" not in source.parts:
                digest.update(source.read_bytes())
    return digest.hexdigest()


def materialize(
    root: Path,
    fingerprint: str,
    build: Callable[[Path], Mapping[str, Any]],
    *,
    resumable: bool = False,
) -> Artifact:
    """Return the output under `root` for this fingerprint, building it where it is not there.

    `build` writes files into the empty folder it is given and returns figures (JSON values). With
    `resumable`, the folder of a build that did not finish is handed to the next one with the same
    fingerprint as it was left; otherwise it is removed. A second build under the same root waits
    for the first. Whatever `build` raises is passed on, a full disk as NoRoomError, and the last
    good output stands.
    """
    root.mkdir(parents=True, exist_ok=True)
    with _alone(root):
        last = Artifact.load(root)
        if last is not None and last.fingerprint == fingerprint:
            return replace(last, reused=True)
        folder = root / fingerprint[:12]
        try:
            return _build(root, folder, fingerprint, build, last, resumable)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise NoRoomError(folder) from error
            raise


def _build(
    root: Path,
    folder: Path,
    fingerprint: str,
    build: Callable[[Path], Mapping[str, Any]],
    last: Artifact | None,
    resumable: bool,
) -> Artifact:
    if not resumable:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(exist_ok=True)
    try:
        figures = dict(build(folder))
        sizes, data_version = _inventory(folder)
    except BaseException:
        if not resumable:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    made = Artifact(root, folder.name, fingerprint, data_version, figures, sizes)
    _publish(made)
    _clear(root, {folder.name, last.version if last else folder.name})
    return made


def rewrite(root: Path, edit: Callable[[Path], Mapping[str, Any] | None]) -> Artifact | None:
    """Make the good output anew by editing a copy of its files, and let no other version stay.

    What a takedown does: the fingerprint stays, for nothing else has changed, and so the step that
    made the output still calls it its own; the data version changes, so that what follows does not,
    and the earlier one is kept by name, so that it is known for the same output.
    `edit` is given the copy and returns the figures that changed, if any; it must replace a file
    that it changes, never write into it, for the copy's are hard links. None where there is no
    good output. Raises as `materialize` does, and the good output stands then; OSError too where an
    earlier version cannot be removed, and the new one stands then.
    """
    if not root.is_dir():
        return None
    with _alone(root):
        last = Artifact.load(root)
        if last is None:
            return None
        number = next(n for n in count(1) if not (root / f"{last.fingerprint[:12]}-{n}").exists())
        folder = root / f"{last.fingerprint[:12]}-{number}"
        try:
            _copy(last.folder, folder)
            figures = {**last.figures, **(edit(folder) or {})}
            sizes, data_version = _inventory(folder)
        except BaseException as error:
            shutil.rmtree(folder, ignore_errors=True)
            if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise NoRoomError(folder) from error
            raise
        was = (*last.rewritten_from, last.data_version)
        made = Artifact(root, folder.name, last.fingerprint, data_version, figures, sizes, was)
        _publish(made)
        _clear(root, {folder.name}, must=True)
        return made


def prune(root: Path) -> None:
    """Leave the good output under `root` and no other version, finished or not.

    For the next build the last one stays beside the new; after a takedown it must not. Raises
    OSError where a version cannot be removed.
    """
    if root.is_dir():
        with _alone(root):
            last = Artifact.load(root)
            _clear(root, {last.version} if last else set(), must=True)


def is_being_built(root: Path) -> bool:
    """Whether somebody works under `root` now, so that `prune` and the others would wait."""
    descriptor = os.open(root, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def discard(root: Path) -> None:
    """Leave no output under `root`; what lies there beside the versions stays. Raises OSError."""
    if root.is_dir():
        with _alone(root):
            (root / MANIFEST).unlink(missing_ok=True)
            _clear(root, set(), must=True)


def _publish(made: Artifact) -> None:
    """Make it the good output under its root."""
    manifest = {name: getattr(made, name) for name in _STORED}
    if made.rewritten_from:
        manifest[_WAS] = made.rewritten_from
    manifest["created_at"] = datetime.now(UTC).isoformat(timespec="seconds")
    content = json.dumps(manifest, indent=2, ensure_ascii=False).encode()
    write_atomically(made.root / MANIFEST, content)


def _copy(source: Path, folder: Path) -> None:
    """Make `folder` with the files of `source`: hard links, or copies where there are none."""
    folder.mkdir()
    for path in sorted(source.rglob("*")):  # a folder comes before what is in it
        target = folder / path.relative_to(source)
        if path.is_dir():
            target.mkdir()
            continue
        try:
            os.link(path, target)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            shutil.copy2(path, target)


def _clear(root: Path, keep: set[str], *, must: bool = False) -> None:
    """Remove all folders but these; what cannot be removed stays, or, with `must`, is an error."""
    for stale in root.iterdir():
        if stale.is_dir() and not stale.is_symlink() and stale.name not in keep:
            shutil.rmtree(stale, ignore_errors=not must)


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Wait for another build under the same root; the system frees the lock of one that dies."""
    descriptor = os.open(root, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _inventory(folder: Path) -> tuple[dict[str, int], str]:
    sizes: dict[str, int] = {}
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder).as_posix()
        sizes[name] = path.stat().st_size
        with path.open("rb") as file:
            digest.update(f"{name}\0{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return sizes, digest.hexdigest()
