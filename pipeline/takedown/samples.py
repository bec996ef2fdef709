"""A sample set without what a model repeats of a page: rows stay, the words go."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.artifact import Artifact, rewrite
from pipeline.takedown.quotes import Quotes, without
from pipeline.takedown.tables import change

_FILE = "samples.parquet"


def touched(artifact: Artifact, quotes: Quotes) -> list[int]:
    """The numbers of the stories that repeat one of the texts."""
    path = artifact.folder / _FILE
    if not path.is_file():
        return []
    rows = pq.read_table(path, columns=["sample", "prompt", "text"]).to_pylist()
    return [row["sample"] for row in rows if _cleaned(row, quotes) != row["text"]]


def erase(root: Path, quotes: Quotes) -> None:
    """Make the set under `root` anew without the quoted words. Raises OSError."""

    def edit(folder: Path) -> None:
        change(folder / _FILE, lambda table: _without(table, quotes))

    rewrite(root, edit)


def _without(table: pa.Table, quotes: Quotes) -> pa.Table:
    texts = [_cleaned(row, quotes) for row in table.select(["prompt", "text"]).to_pylist()]
    at = table.schema.get_field_index("text")
    field = table.schema.field(at)
    return table.set_column(at, field, pa.array(texts, field.type))


def _cleaned(row: dict[str, Any], quotes: Quotes) -> str:
    """The story; what it quotes may begin in the prompt, which is somebody else's and stays."""
    prompt, text = row["prompt"], row["text"]
    start, blank = len(prompt), len(text) - len(text.lstrip())
    spans = [
        (max(blank, first - start), last - start)
        for first, last in quotes.spans(prompt + text)
        if last > start
    ]
    return without(text, spans)
