"""ATTRIBUTION.md credits those who wrote the text, as each licence asks, whatever titles hold."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.corpus.attribution import write_attribution
from pipeline.licences import LICENCES, UnknownLicenceError
from tests.corpus_files import row, write_files


def attribution(folder: Path, *changes: dict[str, Any]) -> str:
    rows = [row(n, f"The ferry leaves pier {n}.", **change) for n, change in enumerate(changes)]
    write_files(folder, {"train": rows[:1], "test": rows[1:]}, "documents")
    write_attribution(folder)
    return (folder / "ATTRIBUTION.md").read_text("utf-8")


def test_a_page_is_named_once_with_its_revision(tmp_path: Path) -> None:
    page = {"title": "The Ferry", "revision": "70", "attribution_url": None}
    text = attribution(
        tmp_path,
        page | {"url": "https://wiki.example/wiki/The_Ferry#Plot"},
        page | {"url": "https://wiki.example/wiki/The_Ferry#Ending"},
    )
    assert text.count("The Ferry") == 1
    assert "- [The Ferry](https://wiki.example/wiki/The_Ferry), revision 70\n" in text
    assert "Changes were made" in text


def test_sections_far_apart_are_still_one_page(tmp_path: Path) -> None:
    one = {"title": "Two Towers", "attribution_url": "https://wiki.example/wiki/Two"}
    between = [{} for _ in range(12_000)]  # more than are read at a time
    text = attribution(tmp_path, one | {"revision": "5"}, *between, one | {"revision": "5"})
    assert text.count("Two Towers") == 1
    assert text.count("\n- ") == 12_001


def test_a_corpus_without_documents_has_no_pages(tmp_path: Path) -> None:
    write_files(tmp_path, {"train": []}, "documents")
    write_attribution(tmp_path)
    assert "\n- " not in (tmp_path / "ATTRIBUTION.md").read_text("utf-8")


def test_a_wikis_contributors_are_credited_by_site(tmp_path: Path) -> None:
    other = {"attribution_url": "https://other_wiki.example/2"}
    lines = attribution(tmp_path, {}, other).splitlines()
    assert (
        "Text by the contributors of other\\_wiki.example, wiki.example, see each page's history."
        in lines
    )


def test_many_sites_are_counted_not_named(tmp_path: Path) -> None:
    links = [{"attribution_url": f"https://w{n:03}.example/wiki/A"} for n in range(50)]
    text = attribution(tmp_path, *links)
    (credit,) = [line for line in text.splitlines() if line.startswith("Text by")]
    assert "and 30 sites more" in credit
    assert len(credit) < 500
    assert text.count("\n- [") == 50


@pytest.mark.parametrize(
    ("change", "credit"),
    [
        (
            {"revision": None, "attribution_url": "https://stories.example/lamp"},
            "Text by the authors whom each page, or its history, names.",
        ),
        (
            {"revision": None, "attribution_url": None, "url": "file:stories.csv#lamp"},
            "No page on the web is known of those without a link, nor who wrote them.",
        ),
    ],
)
def test_no_host_or_file_passes_for_an_author(
    tmp_path: Path, change: dict[str, Any], credit: str
) -> None:
    text = attribution(tmp_path, change, change)
    assert credit in text.splitlines()
    assert "contributors" not in text
    assert "](file" not in text


def test_public_domain_is_listed_and_credits_nobody(tmp_path: Path) -> None:
    book = {"licence": "LicenseRef-PublicDomainUS", "source": "books", "revision": "f00d"}
    text = attribution(tmp_path, book | {"title": "A Book of Tides"}, book)
    assert "[A Book of Tides](https://wiki.example/wiki/0)\n" in text
    assert "asks for nothing" in text
    assert "Text by" not in text


@pytest.mark.parametrize("spdx", list(LICENCES))
def test_each_licence_gets_what_it_asks_for(tmp_path: Path, spdx: str) -> None:
    text = attribution(tmp_path, {"licence": spdx}, {"licence": spdx})
    terms = LICENCES[spdx]
    assert f"[{spdx}]({terms.url})" in text
    assert ("Text by the contributors of wiki.example" in text) is terms.attribution
    assert ("say what was changed" in text) is terms.attribution
    assert ("under this licence, or one" in text) is ("-SA-" in spdx or "GFDL" in spdx)
    assert ("No commercial use." in text) is ("-NC-" in spdx)
    assert ("without warranties" in text) is terms.attribution
    assert ("endorse" in text) is (spdx.startswith("CC-BY") and spdx.endswith(("3.0", "4.0")))
    assert ("copy of the licence's text" in text) is ("GFDL" in spdx)


def test_an_unknown_licence_names_the_table(tmp_path: Path) -> None:
    with pytest.raises(UnknownLicenceError, match="MOON-1"):
        attribution(tmp_path, {}, {"licence": "MOON-1"})


HOSTILE = [
    "](https://evil.example) <script>alert(1)</script> *x*\n# boo",
    "| a table | $$\\alpha$$ `code` ~~no~~ &lt;",
    "\u202eReversed\u2066 \x1b[31m title\x85\u2028",
    "word " * 5_000,
]


@pytest.mark.parametrize("title", HOSTILE)
@pytest.mark.parametrize("address", ["https://wiki.example/a)b(c](x", "javascript:alert(1)"])
def test_a_title_stays_one_line_of_text(tmp_path: Path, title: str, address: str) -> None:
    markdown = pytest.importorskip("markdown_it")
    text = attribution(tmp_path, {}, {"title": title, "attribution_url": address})
    (line,) = [line for line in text.splitlines() if line.startswith("- ") and "Page 0" not in line]
    assert len(line) < 1_000
    assert not set(line) & set("\u202e\u2066\x1b\x85\u2028")
    html = markdown.MarkdownIt("commonmark").render(line)
    shown = html.partition("<ul>")[2]
    assert "<script" not in shown
    assert "javascript:alert(1)" not in html.partition('href="')[2]
    assert shown.count("<li>") == 1
    assert shown.count("<a ") == int(address.startswith("https"))
    assert not any(tag in shown for tag in ("<em", "<code", "<h1", "<table"))
