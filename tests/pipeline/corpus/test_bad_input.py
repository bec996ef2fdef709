"""Whatever is wrong with what a corpus is made of: one line, and the last good corpus stands."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.artifact import Artifact, NoRoomError, fingerprint, materialize
from pipeline.corpus import RECORD, CorpusConfig, CorpusError, build_corpus
from pipeline.dedup.errors import DedupError
from pipeline.licences import UnknownLicenceError
from pipeline.schema import ASSIGNMENTS, DOCUMENTS
from tests.corpus_documents import document, signed, write_documents

Spoil = Callable[[Path], None]


class Good:
    """A corpus that was built, and the documents it was built of."""

    def __init__(self, folder: Path):
        rows = [document(number) for number in range(30)]
        self.documents = {"lamps": write_documents(folder, "lamps", rows)}
        self.signatures = signed(self.documents)
        self.root = folder / "corpora" / "lamps"
        self.built = self.build("good")
        self.record = (self.root / RECORD).read_bytes()

    def build(self, version: str) -> Artifact:
        return materialize(
            self.root,
            fingerprint(version=version),
            lambda folder: build_corpus(
                self.documents,
                self.signatures,
                CorpusConfig(),
                folder,
                recorded=self.root / RECORD,
            ),
        )

    def fails(self, error: type[Exception], message: str) -> None:
        """The next build fails in one line, and nothing of the good one is lost."""
        with pytest.raises(error, match=message) as caught:
            self.build("next")
        assert "\n" not in str(caught.value)
        assert Artifact.load(self.root) == self.built
        names = {path.name for path in self.root.iterdir()} - {RECORD}
        assert names == {"manifest.json", self.built.version}

    def replace(self, rows: list[dict[str, Any]]) -> None:
        write_documents(self.documents["lamps"].parent.parent, "lamps", rows)


@pytest.fixture
def good(tmp_path: Path) -> Good:
    return Good(tmp_path)


@pytest.mark.parametrize("size", [0, 3, 0.5, 0.99])
def test_a_truncated_file(good: Good, size: float) -> None:
    path = good.documents["lamps"]
    body = path.read_bytes()
    path.write_bytes(body[: int(size * len(body)) if size < 1 else size])
    good.fails(CorpusError, r"lamps/documents\.parquet: no whole Parquet file; extract the doc")


def test_a_file_damaged_within(good: Good) -> None:
    path = good.documents["lamps"]
    body = bytearray(path.read_bytes())
    middle = len(body) // 3
    body[middle : middle + 400] = bytes(400)
    path.write_bytes(body)
    good.fails((CorpusError, DedupError), r"documents\.parquet: .*again")


def test_a_file_that_is_not_there(good: Good) -> None:
    good.documents["lamps"].unlink()
    good.fails(CorpusError, r"lamps/documents\.parquet: no such file; extract the documents")


def test_an_older_schema(good: Good) -> None:
    table = pq.read_table(good.documents["lamps"])
    pq.write_table(table.drop_columns(["revised", "section"]), good.documents["lamps"])
    good.fails(CorpusError, "lacks revised, section; it was written by another version")


def test_a_column_of_another_type(good: Good) -> None:
    table = pq.read_table(good.documents["lamps"])
    place = table.column_names.index("words")
    text = pa.array([str(n) for n in table["words"].to_pylist()])
    pq.write_table(table.set_column(place, "words", text), good.documents["lamps"])
    good.fails(CorpusError, "has another type of words; it was written by another version")


def test_a_document_of_two_hundred_megabytes(good: Good) -> None:
    dump = "the ferry crosses again " * (200_000_000 // 24)
    good.replace([document(1), document(2), document(3), document(4, dump)])
    begun = time.monotonic()
    good.fails(
        CorpusError, r"document 'lamps/wikipedia/4#Plot' has 200 MB of text, and 32 are the most; "
    )
    assert time.monotonic() - begun < 5


def test_a_document_longer_than_its_row_says(good: Good) -> None:
    dump = "the ferry crosses again " * 1_400_000
    rows = [*map(document, range(30)), document(30, dump, characters=40)]
    good.replace(rows)
    good.signatures = signed(good.documents)
    good.fails(CorpusError, r"document 'lamps/wikipedia/30#Plot' has 34 MB of text")


def test_a_million_empty_documents(good: Good) -> None:
    number = 1_000_000
    names = pa.array(np.char.add("lamps/wikipedia/", np.arange(number).astype(str)))
    columns = {"doc_id": names, "work_id": names, "url": names, "title": names}
    same = {
        "franchise": "lamps",
        "source": "wikipedia",
        "licence": "CC0-1.0",
        "text": "",
        "text_sha256": "0",
    }
    columns |= {name: pa.repeat(pa.scalar(value), number) for name, value in same.items()}
    columns |= {name: pa.array(np.zeros(number, np.int64)) for name in ("characters", "words")}
    arrays = [columns.get(field.name, pa.nulls(number)).cast(field.type) for field in DOCUMENTS]
    pq.write_table(pa.Table.from_arrays(arrays, schema=DOCUMENTS), good.documents["lamps"])
    begun = time.monotonic()
    good.fails(
        CorpusError, "1,000,000 of its documents are empty, the first is 'lamps/wikipedia/0'"
    )
    assert time.monotonic() - begun < 60


def test_signatures_that_are_not_there(good: Good) -> None:
    good.signatures["lamps"].unlink()
    good.fails(CorpusError, r"signatures\.parquet: no such file; extract the documents of 'lamps'")


def test_signatures_of_another_version(good: Good) -> None:
    table = pq.read_table(good.signatures["lamps"])
    table = table.replace_schema_metadata({"signatures": "minhash-64"})
    pq.write_table(table, good.signatures["lamps"])
    good.fails(CorpusError, "its signatures are of another version; extract the documents of 'lam")


def test_signatures_that_lack_a_text(good: Good) -> None:
    table = pq.read_table(good.signatures["lamps"])
    pq.write_table(table[1:], good.signatures["lamps"])
    good.fails(DedupError, r"signatures\.parquet: no signature of 1 texts")


def test_an_unknown_licence_is_named_with_its_document(good: Good) -> None:
    good.replace([*map(document, range(5)), document(5, licence="CC-BY-MOON-9.0")])
    good.fails(
        UnknownLicenceError,
        r"lamps/documents\.parquet: document 'lamps/wikipedia/5#Plot': licence 'CC-BY-MOON-9\.0' "
        r"is not in the table of pipeline/licences\.py",
    )


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:40])


def _other_columns(path: Path) -> None:
    pq.write_table(pa.table({"unit": ["a"], "split": ["train"]}), path)


def _no_unit(path: Path) -> None:
    pq.write_table(pq.read_table(path).replace_schema_metadata(None), path)


def _unknown_split(path: Path) -> None:
    table = pq.read_table(path)
    splits = pa.array(["train", "dev", *table["split"].to_pylist()[2:]])
    pq.write_table(table.set_column(1, ASSIGNMENTS.field("split"), splits), path)


def _twice(path: Path) -> None:
    table = pq.read_table(path)
    pq.write_table(pa.concat_tables([table, table[:1]]), path)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_cut, "no whole Parquet file"),
        (_other_columns, "not a record of sides"),
        (_no_unit, "not a record of sides"),
        (_unknown_split, "row 2 has the split 'dev', which is none of train, validation, test"),
        (_twice, "names a work twice"),
    ],
)
def test_a_record_that_cannot_be_read(good: Good, spoil: Spoil, message: str) -> None:
    spoil(good.root / RECORD)
    good.fails(CorpusError, rf"assignments\.parquet: {message}.*remove it to deal all works anew")


@pytest.mark.parametrize("number", range(8))
def test_a_disk_that_is_full_in_mid_write(good: Good, full_disk: Any, number: int) -> None:
    """Whichever of the files it is that no longer fits."""
    names = [
        "train.txt",
        "test.txt",
        "manifest.parquet",
        "dropped.parquet",
        "matches.parquet",
        "ATTRIBUTION.md",
        "README.md",
        "texts",
    ]
    with full_disk(names[number]):
        good.fails(NoRoomError, "free some space and run again, the last good output stands")
    assert (good.root / RECORD).read_bytes() == good.record
    assert good.build("next").figures["documents"] == 30


def test_a_disk_that_is_full_when_the_record_is_written(
    good: Good, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    good.replace([document(number) for number in range(40)])
    good.signatures = signed(good.documents)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        good.fails(NoRoomError, "free some space")
    assert (good.root / RECORD).read_bytes() == good.record
