"""The files of a corpus: each layout as it is told, and a manifest that is found out if it lies."""

from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.corpus import ManifestError, read_split
from pipeline.corpus.files import SplitWriter, corpus_layout, manifest_writer
from pipeline.corpus.layout import control_token, make_layout
from pipeline.corpus.rows import RowWriter
from pipeline.schema import DROPPED, MANIFEST
from tests.corpus_files import row, write_files

NOIR = row(1, "The lamp goes out.\n\nNobody moves.", genre="Noir")
PLAIN = row(2, "A ferry waits at <EOS> \\ <noir>.")
TWO = {"train": [NOIR, PLAIN]}


def test_a_stream_parts_texts_by_a_blank_line(tmp_path: Path) -> None:
    write_files(tmp_path, TWO, "stream")
    expected = f"{NOIR['text']}\n\n{PLAIN['text']}\n\n"
    assert (tmp_path / "train.txt").read_text("utf-8") == expected


def test_documents_are_parted_by_the_end_of_text_token(tmp_path: Path) -> None:
    write_files(tmp_path, TWO, "documents")
    expected = f"{NOIR['text']}\n<|endoftext|>\n{PLAIN['text']}\n<|endoftext|>\n"
    assert (tmp_path / "train.txt").read_text("utf-8") == expected


def test_lines_hold_a_story_each_between_its_control_tokens(tmp_path: Path) -> None:
    write_files(tmp_path, TWO, "lines")
    assert (tmp_path / "train.txt").read_text("utf-8") == (
        "<BOS> <noir> The lamp goes out.\\n\\nNobody moves. <EOS>\n"
        "<BOS> A ferry waits at <EOS\\> \\\\ <noir\\>. <EOS>\n"
    )
    rows = pq.read_table(tmp_path / "manifest.parquet").to_pylist()
    assert [(r["kind"], r["line"], r["doc_id"]) for r in rows] == [
        ("control", 1, None),
        ("document", 1, NOIR["doc_id"]),
        ("control", 1, None),
        ("separator", 1, None),
        ("control", 2, None),
        ("document", 2, PLAIN["doc_id"]),
        ("control", 2, None),
        ("separator", 2, None),
    ]
    assert [d.text for d in read_split(tmp_path, "train")] == [NOIR["text"], PLAIN["text"]]
    assert corpus_layout(tmp_path).control_tokens == ("<BOS>", "<EOS>", "<noir>")


@pytest.mark.parametrize(
    ("genre", "token"),
    [
        ("sci_fi", "<sci_fi>"),
        ("Science fiction", "<science_fiction>"),
        ("crime, drama / GROSS-Fuß", "<crime_drama_gross_fuss>"),
        ("Ma\u0308rchen", "<märchen>"),
        ("x" * 500, f"<{'x' * 32}>"),
        (" ?! ", None),
        (None, None),
    ],
)
def test_a_genre_makes_a_control_token(genre: str | None, token: str | None) -> None:
    assert control_token(genre) == token


def test_control_tokens_are_in_order_whatever_the_genres_order() -> None:
    layout = make_layout("lines", ["noir", None, "Drama", "drama", "??"])
    assert layout.control_tokens == ("<BOS>", "<EOS>", "<drama>", "<noir>")
    assert layout == make_layout("lines", ["drama", "noir"])
    assert make_layout("documents", ["noir"]).control_tokens == ()


@pytest.mark.parametrize("layout", ["stream", "documents", "lines"])
def test_a_text_that_was_changed_at_equal_length_is_found_out(tmp_path: Path, layout: str) -> None:
    write_files(tmp_path, TWO, layout)  # type: ignore[arg-type]
    path = tmp_path / "train.txt"
    path.write_bytes(path.read_bytes().replace(b"ferry waits", b"lorry waits"))
    reading = read_split(tmp_path, "train")
    assert next(reading).text == NOIR["text"]
    with pytest.raises(
        ManifestError, match=r"match train\.txt: bytes \d+ to \d+ are .*wiki/2#Plot"
    ):
        next(reading)


def test_a_manifest_of_another_version_is_an_error(tmp_path: Path) -> None:
    write_files(tmp_path, TWO, "lines")
    path = tmp_path / "manifest.parquet"
    table = pq.read_table(path)
    pq.write_table(table.replace_schema_metadata(None), path)
    with pytest.raises(ManifestError, match=r"names no layout.*build the corpus again"):
        next(read_split(tmp_path, "train"))
    pq.write_table(table.drop_columns(["text_sha256"]), path)
    with pytest.raises(ManifestError, match=r"lacks text_sha256.*build the corpus again"):
        next(read_split(tmp_path, "train"))


def test_a_text_whose_hash_is_anothers_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"lamps/wiki/1#Plot.*extract the franchise's"):
        write_files(tmp_path, {"train": [NOIR | {"text": "Another text."}]}, "documents")


def test_row_groups_tell_where_a_byte_and_a_split_are(tmp_path: Path) -> None:
    stories = [row(number, f"Lantern {number} is lit.\nThen dark.") for number in range(9_000)]
    write_files(tmp_path, {"train": stories, "test": stories[:30]}, "lines")
    with pq.ParquetFile(tmp_path / "manifest.parquet") as file:
        names = file.schema_arrow.names
        places = [names.index(name) for name in ("start", "end", "line")]
        groups = [file.metadata.row_group(n) for n in range(file.num_row_groups)]
        bounds = [[g.column(place).statistics for place in places] for g in groups]
        assert len(groups) > 3
        assert all(group.num_rows <= 10_000 for group in groups)
        # Of train's groups each begins where the last ended.
        for before, after in pairwise(bounds[:-1]):
            assert before[1].max == after[0].min
            assert before[2].max <= after[2].min
    assert len(list(read_split(tmp_path, "test"))) == 30


def test_a_split_is_read_without_the_row_groups_of_others(tmp_path: Path) -> None:
    layout = make_layout("documents", [])
    path = tmp_path / "manifest.parquet"
    with manifest_writer(tmp_path, layout) as manifest:
        for split in ("train", "test"):
            with SplitWriter(tmp_path, split, manifest, layout) as writer:
                for number in range(5_000):
                    writer.write(row(number, f"{split} lantern {number} burns."))
    with pq.ParquetFile(path) as file:
        end = file.metadata.row_group(1).column(0).dictionary_page_offset
    broken = bytearray(path.read_bytes())
    broken[4:end] = bytes(end - 4)  # all of train's row group, after the file's magic number
    path.write_bytes(broken)
    assert len(list(read_split(tmp_path, "test"))) == 5_000
    with pytest.raises((pa.ArrowException, OSError)):
        list(read_split(tmp_path, "train"))


def test_long_rows_do_not_pile_up(tmp_path: Path) -> None:
    lost = {"franchise": "f", "source": "s", "url": "u", "licence": "CC0-1.0"}
    with RowWriter(tmp_path / "dropped.parquet", DROPPED) as writer:
        for number in range(40):
            text = f"{number}" * 1_000_000
            writer.write({**lost, "stage": "clean", "reason": "length", "text": text})
    with pq.ParquetFile(tmp_path / "dropped.parquet") as file:
        assert file.metadata.num_rows == 40
        assert file.num_row_groups >= 3


def test_the_schema_is_the_contracts(tmp_path: Path) -> None:
    write_files(tmp_path, TWO, "lines")
    assert pq.read_schema(tmp_path / "manifest.parquet").equals(MANIFEST)
