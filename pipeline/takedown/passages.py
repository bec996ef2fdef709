"""What a memorisation asset says of a page: the passages of stories that were found on it.

Its rows hold no text but the page's address and title. Those of a story out of which words were
taken go too: their places in it are no longer where they were.
"""

from collections.abc import Collection
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.artifact import Artifact, rewrite
from pipeline.takedown import Removal
from pipeline.takedown.tables import NAMES, keep

_FILE = "passages.parquet"


def touched(artifact: Artifact, removal: Removal, stories: Collection[int]) -> int:
    """How many rows are of these pages, or of the stories of these numbers."""
    path = artifact.folder / _FILE
    if not path.is_file():
        return 0
    going = _going(pq.read_table(path, columns=["sample", *NAMES]), removal, stories)
    return int(pc.sum(going).as_py() or 0)


def erase(root: Path, removal: Removal, stories: Collection[int]) -> None:
    """Make the asset under `root` anew without these rows; no earlier version stays.

    Its figures are counts, and stay as they were measured. Raises OSError.
    """

    def edit(folder: Path) -> None:
        if (folder / _FILE).is_file():
            keep(folder / _FILE, lambda table: pc.invert(_going(table, removal, stories)))

    rewrite(root, edit)


def _going(rows: pa.Table, removal: Removal, stories: Collection[int]) -> pa.BooleanArray:
    named = pa.array(removal.marks(rows), pa.bool_())
    return pc.or_(named, pc.is_in(rows["sample"], value_set=pa.array(sorted(stories), pa.int64())))
