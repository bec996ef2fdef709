"""Two builds are held together in some hundred bytes a document, whatever else a row holds."""

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.diff.unlike import digests, rows_of, unlike
from pipeline.schema import DROPPED, MANIFEST

_COLUMNS = ("split", "text_sha256", "licence")
_MOST = """
import sys
from pathlib import Path
import pyarrow as pa
from pipeline.diff.corpus import compare_corpora
found = compare_corpora(*map(Path, sys.argv[1:]))
assert found.count("changed") == 1, found
print(pa.default_memory_pool().max_memory())
"""


def _row(number: int, **changes: str) -> dict[str, object]:
    return {
        "split": "train", "start": number, "end": number + 1, "line": number + 1,
        "kind": "document", "doc_id": f"lamps/wiki/{number}", "licence": "CC0-1.0",
        "text_sha256": f"{number:064}", "title": f"{number} " + "A lamp " * 60,
        "url": f"https://wiki.example/{number}/" + "lamp/" * 60,
    } | changes  # fmt: skip


def _corpus(folder: Path, rows: list[dict[str, object]]) -> Path:
    folder.mkdir()
    table = pa.Table.from_pylist(rows, MANIFEST)
    pq.write_table(table, folder / "manifest.parquet", row_group_size=4096)
    pq.write_table(DROPPED.empty_table(), folder / "dropped.parquet")
    return folder


def test_only_what_is_unlike_is_read_whole(tmp_path: Path) -> None:
    rows = [_row(number) for number in range(6)]
    rows.append({**rows[0], "kind": "separator", "doc_id": None, "text_sha256": None})
    others = [*rows[:2], _row(2, licence="CC-BY-4.0"), *rows[4:], _row(7)]
    one, other = _corpus(tmp_path / "a", rows), _corpus(tmp_path / "b", others)
    paths = [folder / "manifest.parquet" for folder in (one, other)]
    wanted = unlike(*(digests(path, _COLUMNS, "document") for path in paths))
    names = [f"lamps/wiki/{number}" for number in (2, 3, 7)]
    assert sorted(wanted.to_pylist()) == names
    read = rows_of(paths[0], MANIFEST, wanted, "document")
    assert read["doc_id"].to_pylist() == names[:2]
    assert read.schema.names == MANIFEST.names


def test_a_field_that_an_earlier_version_lacks_is_null(tmp_path: Path) -> None:
    path = _corpus(tmp_path / "a", [_row(1)]) / "manifest.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["licence"]), path)
    wanted = pa.chunked_array([["lamps/wiki/1"]])
    assert rows_of(path, MANIFEST, wanted)["licence"].to_pylist() == [None]
    assert digests(path, _COLUMNS).num_rows == 1


def test_corpora_are_compared_in_a_few_hundred_bytes_a_document(tmp_path: Path) -> None:
    """Though each row has a thousand; some ten megabytes are for reading, whatever the number."""
    many = 60_000
    rows = [_row(number) for number in range(many)]
    one = _corpus(tmp_path / "a", rows)
    other = _corpus(tmp_path / "b", [*rows[1:], _row(0, text_sha256="1")])
    told = subprocess.run(
        [sys.executable, "-c", _MOST, one, other], capture_output=True, text=True, check=True
    )
    assert int(told.stdout) < 400 * many + 30e6, told.stdout
