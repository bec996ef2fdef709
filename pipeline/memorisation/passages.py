"""Passages of a text that stand in the training text, and where each of them is from.

A passage is a run of whole words that one training document has in the same order, and that no
longer run holds; two of them may share words, where the one document ends and another goes on.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.schema.measures import PASSAGES

#: What a row of the manifest says of a document, as PASSAGES has it.
COLUMNS = tuple(PASSAGES.names[PASSAGES.get_field_index("doc_id") :])


@dataclass(frozen=True)
class Passage:
    """A passage of a text, and the first of the places where it stands in the training text."""

    start: int  # characters of the text
    end: int
    words: int
    places: int  # how often it stands in the training text
    row: Mapping[str, Any]  # COLUMNS of the manifest


def maximal(runs: NDArray[np.int64], least: int) -> Iterator[int]:
    """The words at which runs of at least so many words begin that stand in no longer one.

    `runs[i]` is the longest run that begins at word i, so that no run ends before an earlier one.
    """
    ends = np.arange(len(runs)) + runs
    beyond = ends > np.concatenate([[0], ends[:-1]])
    yield from np.flatnonzero(beyond & (runs >= max(least, 1))).tolist()
