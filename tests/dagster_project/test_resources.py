"""What a step is told of an input that is not there, or is damaged."""

from pathlib import Path

import dagster as dg
import pytest

from dagster_project.resources import DataStore
from pipeline.artifact import MANIFEST, materialize


def test_a_damaged_input_is_named_and_a_missing_one_is_called_missing(tmp_path: Path) -> None:
    data = DataStore(root=str(tmp_path))
    with pytest.raises(
        dg.Failure, match=r"holds no finished output; materialize a/documents first"
    ):
        data.load("documents", "a", made_by="a/documents")
    made = materialize(
        data.path("documents", "a"),
        "c" * 64,
        lambda folder: {"n": (folder / "documents.parquet").write_bytes(b"0123456789")},
    )
    assert data.load("documents", "a", made_by="a/documents").version == made.version
    (made.folder / "documents.parquet").write_bytes(b"01234")
    with pytest.raises(
        dg.Failure,
        match=r"documents\.parquet: 5 bytes, where .* says 10; materialize a/doc.* again",
    ):
        data.load("documents", "a", made_by="a/documents")
    (made.root / MANIFEST).write_text("{")
    with pytest.raises(dg.Failure, match=r"manifest\.json: damaged; materialize a/documents again"):
        data.load("documents", "a", made_by="a/documents")
