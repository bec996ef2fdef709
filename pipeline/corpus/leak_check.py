"""Whether held-out passages stand in the text trained on, asked of a corpus's files.

The build has left such documents out already (build.py). This reads what was written, as whoever
trains on it will, and knows nothing of what was planned.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.corpus.files import read_split
from pipeline.corpus.leak import Named, find_leaks
from pipeline.corpus.split import TEST, TRAIN, VALIDATION

#: So many are named.
_FIRST = 5


def leaks_in(folder: Path) -> dict[str, Any]:
    """Figures: documents of `train` and `held_out`, how many are `leaking`, and the `first` few.

    Raises ManifestError.
    """
    counts = dict.fromkeys((TRAIN, VALIDATION, TEST), 0)

    def named(split: str) -> Iterator[Named]:
        counts[split] = 0
        for document in read_split(folder, split):
            counts[split] += 1
            yield document.doc_id, document.text

    def held_out() -> Iterator[Named]:
        for split in (VALIDATION, TEST):
            yield from named(split)

    leaks, _ = find_leaks(held_out, named(TRAIN))
    return {
        "train": counts[TRAIN],
        "held_out": counts[VALIDATION] + counts[TEST],
        "leaking": len(leaks),
        "first": [
            f"{leak.name} shares {leak.words} words in a row with {leak.partner}"
            for leak in leaks[:_FIRST]
        ],
    }
