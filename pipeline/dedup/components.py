"""Connected components of the matches: what must stand on one side of a split.

Here a chain does join its ends. Of A, B and C, each resembling the next, none may be held out while
another is trained on, whoever of them a policy keeps.
"""

from collections.abc import Iterable
from typing import Literal

import pyarrow as pa


def components(matches: pa.Table, unit: Literal["work", "document"]) -> dict[str, str]:
    """Each work or document that has a match -> its component, named after the least of it.

    For documents, matches of whole works count for nothing: they name none.
    """
    one, other = ("work_id", "partner_work") if unit == "work" else ("doc_id", "partner")
    pairs = zip(matches[one].to_pylist(), matches[other].to_pylist(), strict=True)
    return connected(pair for pair in pairs if pair[0] is not None)


def connected(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Each name -> the least name it is joined with, itself included (union-find)."""
    parents: dict[str, str] = {}

    def root(name: str) -> str:
        parents.setdefault(name, name)
        while parents[name] != name:
            parents[name] = name = parents[parents[name]]
        return name

    for one, other in pairs:
        least, greatest = sorted((root(one), root(other)))
        parents[greatest] = least
    return {name: root(name) for name in parents}
