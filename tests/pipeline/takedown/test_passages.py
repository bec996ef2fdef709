"""Rows of passages go with their page, and with the story that words were taken out of."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.artifact import Artifact, materialize
from pipeline.schema.measures import PASSAGES
from pipeline.takedown import Removal, passages

_ROW = {
    "model": "m", "step": 10, "start": 3, "end": 40, "words": 9, "longest": True, "places": 2,
    "franchise": "oz", "source": "wiki", "title": "A page", "licence": "CC0-1.0",
}  # fmt: skip
_REMOVAL = Removal(("oz/wiki/7#",), frozenset({"http://w/wiki/A"}))


def _row(sample: int, doc_id: str, url: str) -> dict[str, Any]:
    return _ROW | {"sample": sample, "doc_id": doc_id, "work_id": doc_id, "url": url}


def test_what_is_of_the_page_or_of_a_changed_story_goes(tmp_path: Path) -> None:
    rows = [
        _row(0, "oz/wiki/7#Plot", "http://w/wiki/Other"),
        _row(0, "oz/wiki/8#Plot", "http://w/wiki/B"),
        _row(1, "oz/wiki/9#Plot", "http://w/wiki/A#Plot"),
        _row(2, "oz/wiki/8#Plot", "http://w/wiki/B"),
        _row(3, "oz/wiki/8#Plot", "http://w/wiki/B"),
    ]

    def build(folder: Path) -> dict[str, Any]:
        pq.write_table(pa.Table.from_pylist(rows, PASSAGES), folder / "passages.parquet")
        return {"copied": 0.25}

    before = materialize(tmp_path / "m", "f" * 64, build)
    assert passages.touched(before, _REMOVAL, [0, 3]) == 4
    assert passages.touched(before, _REMOVAL, []) == 2
    passages.erase(tmp_path / "m", _REMOVAL, [0, 3])
    made = Artifact.load(tmp_path / "m")
    assert made
    table = pq.read_table(made.folder / "passages.parquet")
    assert table.schema.equals(PASSAGES)
    assert table.to_pylist() == [dict.fromkeys(PASSAGES.names) | rows[3]]
    assert (made.figures, made.fingerprint) == (before.figures, before.fingerprint)
    assert made.data_version != before.data_version
    assert not before.folder.exists()
