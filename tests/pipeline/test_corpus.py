"""A corpus from documents: splits, manifest, duplicates, attribution, card."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from pydantic import ValidationError

from pipeline.corpus import CorpusConfig, CorpusError, ManifestError, build_corpus, read_split
from pipeline.corpus.layout import TextLayout
from pipeline.corpus.split import SPLITS
from pipeline.licences import LICENCES, UnknownLicenceError
from pipeline.schema import DROPPED, MANIFEST
from tests.corpus_documents import build as build_documents
from tests.corpus_documents import document, write_documents

Write = Callable[[str, list[dict[str, Any]]], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes documents.parquet of a franchise and returns its path."""

    def write(franchise: str, rows: list[dict[str, Any]]) -> Path:
        return write_documents(tmp_path, franchise, rows)

    return write


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    return folder


def build(folder: Path, **documents: Path) -> dict[str, Any]:
    return build_documents(folder, documents)


def test_every_document_is_in_one_split_and_reads_back(write: Write, folder: Path) -> None:
    rows = [document(number) for number in range(200)]
    figures = build(folder, lamps=write("lamps", rows))
    read = [d for split in SPLITS for d in read_split(folder, split)]
    assert {d.doc_id: d.text for d in read} == {row["doc_id"]: row["text"] for row in rows}
    assert figures["documents"] == figures["works"] == len(read) == 200
    assert 2 <= figures["by_split"]["validation"]["documents"] <= 25
    assert 2 <= figures["by_split"]["test"]["documents"] <= 25
    first = read[0]
    assert (first.franchise, first.source, first.genre) == ("lamps", "wikipedia", "fable")
    assert (first.revision, first.section, first.licence) == ("7", "Plot", "CC-BY-SA-4.0")


def test_the_text_files_hold_documents_and_separators_alone(write: Write, folder: Path) -> None:
    build(folder, lamps=write("lamps", [document(number) for number in range(50)]))
    for split in SPLITS:
        separator = TextLayout("documents").separator
        expected = b"".join(d.text.encode() + separator for d in read_split(folder, split))
        assert (folder / f"{split}.txt").read_bytes() == expected
    assert pq.read_schema(folder / "manifest.parquet").equals(MANIFEST)
    assert pq.read_schema(folder / "dropped.parquet").equals(DROPPED)


def test_documents_of_a_work_share_a_split(write: Write, folder: Path) -> None:
    rows = [
        document(number, doc_id=f"lamps/gutenberg/{number}", work_id=f"book {number // 10}")
        for number in range(400)
    ]
    figures = build(folder, lamps=write("lamps", rows))
    sides = {(d.work_id, split) for split in SPLITS for d in read_split(folder, split)}
    assert len(sides) == figures["works"] == 40


def test_one_book_is_split_by_chapter_and_says_so(write: Write, folder: Path) -> None:
    rows = [document(number, work_id="the book") for number in range(30)]
    figures = build(folder, lamps=write("lamps", rows))
    assert figures["split_by"] == "document"
    assert set(figures["by_split"]) == set(SPLITS)


def test_a_few_works_still_fill_all_splits(write: Write, folder: Path) -> None:
    figures = build(folder, lamps=write("lamps", [document(number) for number in range(3)]))
    assert figures["split_by"] == "work"
    assert {name: tally["works"] for name, tally in figures["by_split"].items()} == {
        "train": 1,
        "validation": 1,
        "test": 1,
    }


def test_too_few_documents_is_an_error_with_a_remedy(write: Write, folder: Path) -> None:
    with pytest.raises(CorpusError, match=r"2 documents.*add sources.*defs\.yaml"):
        build(folder, lamps=write("lamps", [document(1), document(2)]))


def test_exact_duplicates_name_their_partner(write: Write, folder: Path) -> None:
    rows = [document(number) for number in range(9)]
    twin = document(0, doc_id="moons/wikipedia/0#Plot")
    figures = build(folder, lamps=write("lamps", rows), moons=write("moons", [twin]))
    (dropped,) = pq.read_table(folder / "dropped.parquet").to_pylist()
    assert dropped["doc_id"] == "moons/wikipedia/0#Plot"
    assert (dropped["reason"], dropped["partner"]) == ("same text", "lamps/wikipedia/0#Plot")
    assert (dropped["stage"], dropped["figure"]) == ("corpus", 1.0)
    terms = (dropped["licence"], dropped["attribution_url"], dropped["revision"])
    assert terms == ("CC-BY-SA-4.0", "https://wiki.example/wiki/0", "7")
    assert (figures["documents"], figures["duplicates"]) == (9, 1)
    assert set(figures["by_franchise"]) == {"lamps"}


def test_the_order_franchises_are_named_in_does_not_matter(write: Write, tmp_path: Path) -> None:
    a = write("a", [document(n, doc_id=f"a/{n}") for n in range(20)])
    b = write("b", [document(n + 10, doc_id=f"b/{n}") for n in range(20)])
    for name, paths in (("x", {"a": a, "b": b}), ("y", {"b": b, "a": a})):
        (tmp_path / name).mkdir()
        build_documents(tmp_path / name / "corpus", paths)
    for path in (tmp_path / "x" / "corpus").iterdir():
        assert path.read_bytes() == (tmp_path / "y" / "corpus" / path.name).read_bytes(), path.name


def test_figures_by_group_add_up(write: Write, folder: Path) -> None:
    rows = [
        document(n, genre="fable" if n % 2 else None, licence=("CC0-1.0", "CC-BY-SA-4.0")[n % 2])
        for n in range(20)
    ]
    figures = build(folder, lamps=write("lamps", rows))
    assert figures["by_genre"]["none"]["documents"] == figures["by_genre"]["fable"]["documents"]
    for group in ("split", "franchise", "source", "licence", "genre", "language"):
        for name in ("documents", "works", "bytes", "characters", "words"):
            total = sum(tally[name] for tally in figures[f"by_{group}"].values())
            assert total == figures[name], (group, name)
    assert figures["bytes"] == sum(len(row["text"].encode()) for row in rows)


@pytest.mark.parametrize("licence", ["CC-BY-SA-4.0", "CC-BY-NC-SA-2.5"])
def test_a_non_commercial_licence_is_flagged(write: Write, folder: Path, licence: str) -> None:
    rows = [document(n) for n in range(9)] + [document(9, licence=licence)]
    figures = build(folder, lamps=write("lamps", rows))
    assert figures["non_commercial"] is LICENCES[licence].non_commercial
    card = (folder / "README.md").read_text("utf-8")
    assert ("not for commercial use" in card) is LICENCES[licence].non_commercial


def test_an_unknown_licence_names_the_table(write: Write, folder: Path) -> None:
    rows = [document(number, licence="CC-BY-MOON-9.0") for number in range(4)]
    with pytest.raises(UnknownLicenceError, match=r"CC-BY-MOON-9\.0.*pipeline/licences\.py"):
        build(folder, lamps=write("lamps", rows))


def test_a_document_twice_is_an_error(write: Write, folder: Path) -> None:
    with pytest.raises(CorpusError, match="occurs twice"):
        build(folder, lamps=write("lamps", [document(1), document(1, "another text")]))


def test_a_table_of_another_version_is_an_error(tmp_path: Path, folder: Path) -> None:
    path = tmp_path / "documents.parquet"
    pq.write_table(pa.table({"doc_id": ["a"], "text": ["b"]}), path)
    with pytest.raises(CorpusError, match="lacks .*text_sha256.*another version"):
        build_corpus({"lamps": path}, {}, CorpusConfig(), folder, recorded=tmp_path / "record")


def test_attribution_names_each_page_once_and_escapes(write: Write, folder: Path) -> None:
    rows = [document(n) for n in range(3)]
    evil = "](https://evil.example) <script> *x*\n# boo"
    rows.append(document(3, title=evil, url="javascript:alert(1)", attribution_url=None))
    rows.append(
        document(
            4,
            "Another section.",
            doc_id="second",
            work_id=rows[1]["work_id"],
            title="Page 1",
            url="https://wiki.example/wiki/1#Story",
            attribution_url=None,
        )
    )
    build(folder, lamps=write("lamps", rows))
    text = (folder / "ATTRIBUTION.md").read_text("utf-8")
    assert text.count("[Page 1](https://wiki.example/wiki/1), revision 7") == 1
    assert "Changes were made" in text
    assert "[CC-BY-SA-4.0](https://creativecommons.org/licenses/by-sa/4.0/)" in text
    assert "\\]\\(https://evil.example\\) \\<script\\> \\*x\\* \\# boo" in text
    assert "](javascript:" not in text


def test_the_card_is_hugging_faces(write: Write, folder: Path) -> None:
    rows = [document(n, licence=("CC0-1.0", "LicenseRef-PublicDomainUS")[n % 2]) for n in range(9)]
    build(folder, lamps=write("lamps", rows))
    _, front, body = (folder / "README.md").read_text("utf-8").split("---\n", 2)
    card = yaml.safe_load(front)
    assert card["license"] == ["cc0-1.0", "other"]
    assert card["language"] == ["en"]
    assert card["size_categories"] == ["n<1K"]
    files = card["configs"][0]["data_files"]
    assert {file["split"]: file["path"] for file in files} == {s: f"{s}.txt" for s in SPLITS}
    assert "| CC0-1.0 | 5 |" in body


def test_authors_are_credited_by_site_where_the_licence_asks(write: Write, folder: Path) -> None:
    rows = [document(n) for n in range(2)]
    rows.append(document(2, attribution_url="https://other_wiki.example/2"))
    rows.append(document(3, source="mirror", url="javascript:alert(1)", attribution_url=None))
    public = {"source": "gutenberg", "licence": "LicenseRef-PublicDomainUS"}
    rows.append(document(4, attribution_url="https://books.example/4", **public))
    build(folder, lamps=write("lamps", rows))
    text = (folder / "ATTRIBUTION.md").read_text("utf-8")
    (credit,) = [line for line in text.splitlines() if line.startswith("Text by")]
    assert credit == (
        "Text by the contributors of other\\_wiki.example, wiki.example, see each page's history."
    )


@pytest.mark.parametrize("change", ["longer", "shorter", "cut"])
def test_a_manifest_that_does_not_match_is_an_error(
    write: Write, folder: Path, change: str
) -> None:
    build(folder, lamps=write("lamps", [document(n, f"é{n} " * 9) for n in range(9)]))
    path = folder / "train.txt"
    body = path.read_bytes()
    # "cut" leaves half of a character in a document and the size as it was.
    changed = {
        "longer": body + b"x",
        "shorter": body[:-1],
        "cut": body.replace("é".encode(), b"\xc3x", 1),
    }[change]
    path.write_bytes(changed)
    with pytest.raises(ManifestError, match=r"does not match train\.txt.*build the corpus again"):
        list(read_split(folder, "train"))


def test_an_empty_split_file_reads_as_no_match(write: Write, folder: Path) -> None:
    build(folder, lamps=write("lamps", [document(n) for n in range(9)]))
    (folder / "train.txt").write_bytes(b"")
    with pytest.raises(ManifestError):
        list(read_split(folder, "train"))


@pytest.mark.parametrize("wrong", [{"validation": 0}, {"test": 0.5}, {"shuffle": True}])
def test_the_configuration_is_validated(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CorpusConfig.model_validate(wrong)
