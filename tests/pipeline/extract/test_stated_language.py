"""A book's language is the one that it names, and one in another than asked for is told."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.extract import SourceRules, extract
from pipeline.extract.stated_language import choose_language, stated_languages
from tests.pipeline.clean.texts import GERMAN, prose
from tests.pipeline.extract.epub_files import book, epub

Page = Callable[..., dict[str, Any]]
Batches = Callable[[list[dict[str, Any]]], list[pa.RecordBatch]]


@pytest.mark.parametrize(
    ("written", "codes"),
    [
        ("English", ("en",)),
        ("french", ("fr",)),
        ("Deutsch", ("de",)),
        ("English, French", ("en", "fr")),
        ("German and English", ("de", "en")),
        ("English, Middle (1100-1500)", ("en",)),
        ("Greek, Ancient", ("el",)),
        ("Scots Gaelic", ("gd",)),
        ("en-GB", ("en",)),
        ("pt_BR", ("pt",)),
        ("fre", ("fr",)),
        ("Klingon", ()),
        ("", ()),
        (None, ()),
    ],
)
def test_names_and_tags(written: str | None, codes: tuple[str, ...]) -> None:
    assert stated_languages(written) == codes


@pytest.mark.parametrize(
    ("stated", "wanted", "chosen"),
    [
        ((), "en", "en"),
        (("en", "fr"), "fr", "fr"),
        (("no",), "nb", "no"),
        (("fr",), "en", None),
        (("sw",), "sw", "sw"),
    ],
)
def test_one_of_those_named_suffices(
    stated: tuple[str, ...], wanted: str, chosen: str | None
) -> None:
    assert choose_language(stated, wanted) == chosen


def etext(language: str, text: str) -> bytes:
    start = (
        f"Title: A Book\n\nLanguage: {language}\n\n*** START OF THE PROJECT GUTENBERG EBOOK X ***"
    )
    return f"{start}\n\n{text}\n\n*** END OF THE PROJECT GUTENBERG EBOOK X ***\n".encode()


@pytest.mark.parametrize("wanted", ["en", "de"])
def test_a_book_in_another_language_is_told_and_not_read(
    tmp_path: Path, page: Page, batches: Batches, wanted: str
) -> None:
    text = {"content_type": "text/plain", "title": None}
    # What is said within the book is the book's, not its header's.
    english = f"Language: German\n\n{prose(80, 1)}"
    pages = [
        page(etext("English", english), 1, **text),
        page(etext("German", GERMAN), 2, **text),
        page(prose(80, 3).encode() if wanted == "en" else GERMAN.encode(), 3, **text),
    ]
    rules = {"wikipedia": SourceRules(sections=None, genre=None, language=wanted)}
    figures = extract(batches(pages), rules, tmp_path)
    documents = pq.read_table(tmp_path / "documents.parquet").to_pylist()
    assert [row["language"] for row in documents] == [wanted] * 2
    other = {"en": "de", "de": "en"}[wanted]
    assert figures["dropped_by_reason"] == {f"book is in {other}, not {wanted}": 1}
    (dropped,) = pq.read_table(tmp_path / "dropped.parquet").to_pylist()
    assert (dropped["stage"], dropped["text"]) == ("extract", None)
    assert dropped["title"] == "A Book"
    assert dropped["url"].endswith("Page_2" if wanted == "en" else "Page_1")


def test_a_book_that_is_not_in_the_language_it_names_is_dropped_by_its_words(
    tmp_path: Path, page: Page, batches: Batches
) -> None:
    pages = [page(etext("English", GERMAN), 1, content_type="text/plain")]
    rules = {"wikipedia": SourceRules(sections=None, genre=None, language="en")}
    figures = extract(batches(pages), rules, tmp_path)
    assert figures["dropped_by_reason"] == {"language is de, not en": 1}


@pytest.mark.parametrize(("tag", "documents"), [("en-US", 2), ("fr", 0), ("", 2)])
def test_an_epub_names_its_language_in_its_package(
    tmp_path: Path, page: Page, batches: Batches, tag: str, documents: int
) -> None:
    entries = book()
    package = str(entries["content.opf"])
    entries["content.opf"] = package.replace(
        "</dc:title>", f"</dc:title><dc:language>{tag}</dc:language>"
    )
    pages = [page(epub(entries), 1, content_type="application/epub+zip")]
    rules = {"wikipedia": SourceRules(sections=None, genre=None, language="en")}
    figures = extract(batches(pages), rules, tmp_path)
    assert figures["documents"] == documents
    assert ("book is in fr, not en" in figures["dropped_by_reason"]) == (tag == "fr")
