"""The finished outputs of the data root, as a command asks for them by name."""

from difflib import SequenceMatcher

from crawlers.franchise import data_root
from dagster_project.commands.speech import refuse
from pipeline.artifact import MANIFEST, Artifact, damage

#: Names that are told where one is mistaken.
_TOLD = 12


def finished(kind: str, name: str) -> Artifact:
    """The output `KIND/NAME` of the data root; exit status 2 with one line where there is none."""
    root = data_root() / kind
    known = sorted(path.parent.name for path in root.glob(f"*/{MANIFEST}"))
    if name not in known:
        refuse([f"{root} has no {name!r}; there are: {_nearest(name, known)}"])
    found = Artifact.load(root / name)
    if found is None:
        refuse([f"{damage(root / name)}; materialize its asset again"])
    return found


def _nearest(name: str, known: list[str]) -> str:
    """All names; of many the likeliest to be meant."""
    if len(known) <= _TOLD:
        return ", ".join(known) or "none"
    likely = sorted(known, key=lambda other: -SequenceMatcher(None, name, other).ratio())
    return f"{', '.join(likely[:_TOLD])}, and {len(known) - _TOLD} more"
