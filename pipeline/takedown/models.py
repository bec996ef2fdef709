"""Which models were trained on a page, and the mark that says so for as long as they stand.

Weights cannot be rid of a page: such a model is marked, and whoever looks at it, its report or its
card is told. The mark names the data version of the weights, so that a model that is trained again
without the page loses it.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.artifact import Artifact
from pipeline.atomic import write_atomically
from pipeline.takedown import Removal
from pipeline.takedown.tables import rows_of

#: Beside the versions of a model.
MARKS = "takedowns.json"
#: Written into a model's folder by the training, see pipeline/training/trained_on.py.
TRAINED_ON = "trained_on.parquet"


def trained_on(artifact: Artifact, removal: Removal) -> int | None:
    """On how many of these documents; None where the model has no record of it."""
    path = artifact.folder / TRAINED_ON
    return sum(1 for _ in rows_of(path, removal, [])) if path.is_file() else None


def corpus_of(artifact: Artifact) -> str | None:
    """The corpus that a model was trained on, by its own notes."""
    try:
        notes = json.loads((artifact.folder / "training.json").read_text("utf-8"))
        return str(notes["spec"]["corpus"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def mark(artifact: Artifact, takedown_id: str, at: str, documents: int | None) -> None:
    """Note on the model that it was trained on what was taken down; twice is once.

    `documents` is None where it only may have been. Raises OSError.
    """
    entries = [entry for entry in _read(artifact.root) if entry["takedown_id"] != takedown_id]
    entry = {
        "takedown_id": takedown_id,
        "at": at,
        "documents": documents,
        "version": artifact.version,
        "data_version": artifact.data_version,
    }
    text = json.dumps([*entries, entry], indent=1)
    write_atomically(artifact.root / MARKS, f"{text}\n".encode())


def marks(artifact: Artifact) -> list[Mapping[str, Any]]:
    """The takedowns that these very weights were trained on, the oldest first."""
    return [
        entry for entry in _read(artifact.root) if entry["data_version"] == artifact.data_version
    ]


def notice(marked: list[Mapping[str, Any]]) -> str | None:
    """The same in words; None where there are none."""
    if not marked:
        return None
    known = sum(entry["documents"] or 0 for entry in marked)
    when = marked[-1]["at"][:10]
    if not known:
        return (
            f"This model may have been trained on text that was taken down since (on {when}); it "
            "has no record of that, and what it writes from then on is not searched for it. Train "
            "it again before it is used or passed on."
        )
    texts = "a text that was" if known == 1 else f"{known:,} texts that were"
    return (
        f"This model was trained on {texts} taken down since (on {when}). The weights still hold "
        "what they learned of it, and what the model writes from then on is not searched for it: "
        "train it again before it is used or passed on."
    )


def _read(root: Path) -> list[dict[str, Any]]:
    """Raises ValueError where the file is damaged."""
    path = root / MARKS
    if not path.is_file():
        return []
    try:
        entries = json.loads(path.read_text("utf-8"))
        if not all(isinstance(entry["data_version"], str) for entry in entries):
            raise ValueError("an entry names no data version")
        return list(entries)
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: is damaged ({error}); restore it, or write [] into it") from None
