"""The finished outputs of the data root, as a command asks for them by name."""

import json
from pathlib import Path

from crawlers.franchise import data_root
from dagster_project.commands.speech import refuse
from pipeline.artifact import MANIFEST, Artifact


def finished(kind: str, name: str) -> Artifact:
    """The output `KIND/NAME` of the data root; exit status 2 with one line where there is none."""
    root = data_root() / kind
    known = sorted(path.parent.name for path in root.glob(f"*/{MANIFEST}"))
    if name not in known:
        refuse([f"{root} has no {name!r}; there are: {', '.join(known) or 'none'}"])
    found = Artifact.load(root / name)
    if found is None:
        refuse([f"{_damage(root / name)}; materialize its asset again"])
    return found


def _damage(root: Path) -> str:
    """Which file keeps an output from being loaded, and why."""
    try:
        manifest = json.loads((root / MANIFEST).read_text("utf-8"))
        folder, files = root / manifest["version"], dict(manifest["files"])
    except (ValueError, KeyError, TypeError):
        return f"{root / MANIFEST}: damaged"
    for name, size in files.items():
        if not (folder / name).is_file():
            return f"{folder / name}: missing, although {root / MANIFEST} names it"
        if (there := (folder / name).stat().st_size) != size:
            return f"{folder / name}: {there:,} bytes, where {root / MANIFEST} says {size:,}"
    return f"{root / MANIFEST}: written by another version"
