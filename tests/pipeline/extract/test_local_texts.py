"""Texts that are no wiki's and no library's: Markdown, plain texts, rows, pages by a selector."""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.extract import SourceRules, extract
from pipeline.extract.gutenberg import read_book
from pipeline.extract.markdown import MAXIMUM_LINES, read_markdown
from pipeline.extract.markdown_parts import markdown_parts
from pipeline.extract.piece import NoStoryError
from pipeline.extract.selected import read_selected
from pipeline.extract.table_row import read_row
from tests.pipeline.extract.epub_files import WORDS, book, epub

STORY = WORDS.strip()

MARKDOWN = f"""\
---
title: "The Lamp"
tags: [sea]
---
# The Lamp Keeper

*It was so*, before any chapter: {STORY}

## Chapter One

{STORY} See [the map](http://example.org/map), ![a chart](chart.png)<http://example.org/> or
`north`[^1].

- a first *item*
- a second

```python
print("no story")
```

    An indented paragraph.

***

She wrote:\\
two lines, 1 < 2 &amp; <i>no</i> more. <script>alert("no")</script>

| a | table |
|---|-------|
| 1 | 2     |

[^1]: A note
    that goes on.

### A scene

It went on.

Chapter Two
-----------

{STORY * 3}

## About the author

She keeps a lamp.
"""


def test_markdown_becomes_chapters_in_plain_prose() -> None:
    read = read_markdown(MARKDOWN.encode())
    assert read.title == "The Lamp"
    opening, one, two, about = read.pieces
    assert (opening.anchor, opening.section) == ("opening", None)
    assert opening.text == f"It was so, before any chapter: {STORY}"
    assert (one.anchor, one.section) == ("chapter-one", "Chapter One")
    assert one.text.split("\n\n") == [
        f"{STORY} See the map, or north.",
        "a first item",
        "a second",
        "An indented paragraph.",
        "* * *",
        "She wrote:\ntwo lines, 1 < 2 & no more.",
        "It went on.",
    ]
    assert (two.section, two.text) == ("Chapter Two", STORY * 3)
    assert about.left_out == "front or back matter"


@pytest.mark.parametrize(
    ("text", "title", "sections"),
    [
        (STORY, None, ["text"]),
        (f"# Only\n\n{STORY}", "Only", ["text"]),
        (f"+++\ntitle = 'Hugo'\n+++\n{STORY}", "Hugo", ["text"]),
        (f"# A\n\n{STORY}\n\n# B\n\n{STORY}", None, ["A", "B"]),
        (f"# T\n## Part I\n### One\n{STORY}\n### Two\n{STORY}\n## Part II\n### Three\n{STORY}", "T",
         ["Part I, One", "Part I, Two", "Part II, Three"]),
        (f"***\n\n{STORY}\n\n---\n", None, ["text"]),
    ],
)  # fmt: skip
def test_headings_of_markdown(text, title, sections) -> None:
    read = read_markdown(text.encode())
    assert read.title == title
    assert [piece.section for piece in read.pieces] == sections
    assert all(piece.text == STORY for piece in read.pieces)


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="ab #*_`[]()<>!\n-=&;\\\ue0000", max_size=300))
def test_no_markdown_is_too_odd(text: str) -> None:
    try:
        pieces = read_markdown(text.encode()).pieces
    except NoStoryError:
        return
    assert all(piece.text.strip() and "\ue000" not in piece.text for piece in pieces)


#: So many signs of markup that never pairs, that nests, or that is none of the story.
HOSTILE = {
    "links": lambda n: "[" * n,
    "code": lambda n: "` ``" * (n // 4),
    "emphasis": lambda n: "*a **b " * (n // 7),
    "targets of links": lambda n: "".join(f"[{i}]: /x\n[{i}]\n\n" for i in range(n // 16)),
    "fences": lambda n: "~~~\n" * (n // 4),
    "preformatted": lambda n: "<pre>a</pre>b " * (n // 14),
    "comments": lambda n: "<!--\n\n# a\n" * (n // 10),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_markup_that_never_pairs_takes_no_quadratic_time(name: str, grows_no_faster) -> None:
    def work(n: int) -> None:
        with suppress(NoStoryError):
            read_markdown(HOSTILE[name](n).encode())

    grows_no_faster(work, 250_000 if name == "preformatted" else 60_000)


def test_a_long_text_in_parts_has_the_chapters_of_the_whole() -> None:
    """Longer than a part: with code, a comment and a heading in either that is none."""
    code = "```sh\n" + "\n# no chapter\nText of code.\n" * 400 + "```\n"
    comment = "<!--\n" + "\n# no chapter\n\nText of a note.\n" * 400 + "-->\n"
    chapters = [
        f"# Chapter {n}\n\n{STORY} See [the map][m].\n\n{code}\n{comment}\n"
        + f"{STORY} Number {n}.\n\n" * 100
        for n in range(60)
    ]
    text = "".join(chapters) + "\n[m]: /map.png\n"
    assert len(text) > 1 << 20
    assert len(list(markdown_parts(text))) > 9
    pieces = read_markdown(text.encode()).pieces
    assert [piece.section for piece in pieces] == [f"Chapter {n}" for n in range(60)]
    for n, piece in enumerate(pieces):
        first, *others = piece.text.split("\n\n")
        assert first == f"{STORY} See the map."
        assert others == [f"{STORY} Number {n}."] * 100


@pytest.mark.parametrize("opened", ["", "~~~~\n", "<!--\n"])
def test_no_part_is_long_whatever_is_open(opened: str) -> None:
    text = opened + "| a | b |\n" * 100_000
    parts = list(markdown_parts(text))
    assert max(map(len, parts)) < 300_000
    assert all(part.startswith(opened) for part in parts)
    assert sum(map(len, parts)) == len(text) + len(opened) * (len(parts) - 1)


def test_a_text_of_lines_without_end_is_not_read() -> None:
    with pytest.raises(NoStoryError, match="too many lines"):
        read_markdown(b"# a\n" * (MAXIMUM_LINES + 1))


def test_plain_texts_of_ones_own_need_no_marker() -> None:
    whole = read_book(f"{STORY}\n\nIt went on.\n".encode())
    assert (whole.title, [piece.text for piece in whole.pieces]) == (
        None, [f"{STORY}\n\nIt went on."]
    )  # fmt: skip
    chapters = f"Chapter 1\n\n{STORY}\n\nChapter 2\n\n{STORY}\n".encode()
    assert [piece.section for piece in read_book(chapters).pieces] == ["Chapter 1", "Chapter 2"]


def test_a_line_may_be_a_paragraph() -> None:
    text = f"Chapter 1\n{STORY}\n“Well?”\n{STORY}\nChapter 2\n{STORY}\n"
    one, two = read_book(text.replace("\n", "\r\n").encode("cp1252")).pieces
    assert one.text == f"{STORY}\n\n“Well?”\n\n{STORY}"
    assert (two.section, two.text) == ("Chapter 2", STORY)


@pytest.mark.parametrize(
    ("row", "columns", "title", "genre", "text"),
    [
        ({"Title": "A", "Genre": "western", "Plot": STORY}, None, "A", "western", STORY),
        ({"title": " A\n", "genre": "unknown", "text": STORY}, None, "A", None, STORY),
        ({"name": "A", "tale": STORY, "title": "B"}, {"text": "tale"}, "B", None, STORY),
        ({"name": "A", "tale": STORY}, {"text": "tale", "title": "name"}, "A", None, STORY),
        ({"text": STORY, "genre": ["a", "b"]}, None, None, "a, b", STORY),
        ({"text": f"{STORY}\r\n“Yes.”"}, None, None, None, f"{STORY}\n\n“Yes.”"),
        ({"text": "A rose\nis a rose\n\n\n\nis"}, None, None, None, "A rose\nis a rose\n\nis"),
    ],
)
def test_rows(row, columns, title, genre, text) -> None:
    read = read_row(json.dumps(row).encode(), columns)
    (piece,) = read.pieces
    assert (read.title, piece.genre, piece.text) == (title, genre, text)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[1]", "is no JSON object"),
        (b'{"name": "A"}', "row has no column of text"),
        (b'{"text": " "}', "row has no text"),
        (b'{"text": 5}', "row has no text"),
    ],
)
def test_rows_without_a_story(body, reason) -> None:
    with pytest.raises(NoStoryError, match=reason):
        read_row(body)


GENRES = {
    "superhero": ["superhero"],
    "sci_fi": ["science fiction", "sci-fi"],
    "drama": ["drama"],
}


@pytest.mark.parametrize(
    ("own", "sorted_as"),
    [
        ("superhero", "superhero"),
        ("Drama, Superhero", "superhero"),  # the first that is written, not the cell's first
        ("Sci-Fi", "sci_fi"),
        ("science-fiction drama", "sci_fi"),
        (["war", "crime drama"], "drama"),
        ("comedy–drama", "drama"),
        ("melodrama", None),
        ("unknown", None),
        (None, None),
    ],
)
def test_rows_are_sorted_into_the_genres_that_are_wanted(own, sorted_as) -> None:
    body = json.dumps({"Plot": STORY, "Genre": own}).encode()
    if sorted_as is None:
        with pytest.raises(NoStoryError, match="none of those wanted"):
            read_row(body, None, GENRES)
    else:
        assert read_row(body, None, GENRES).pieces[0].genre == sorted_as


PAGE = f"""<html><head><title> Tales: The Lamp </title><style>p {{}}</style></head><body>
<header>Tales</header><nav>Home</nav>
<div class="story"><h1>The Lamp</h1><p>{STORY}</p><div class="story"><p>Within it.</p></div>
<form>Vote! <button>Yes</button></form><script>alert(1)</script><p>Verse,<br>verse.</p></div>
<table><tr><td class="story">In a cell.</td></tr></table><footer>All rights</footer></body></html>
"""


def test_a_selector_means_the_story() -> None:
    read = read_selected(PAGE.encode(), ".story")
    assert read.title == "Tales: The Lamp"
    (piece,) = read.pieces
    assert piece.text.split("\n\n") == [STORY, "Within it.", "Verse,\nverse.", "In a cell."]
    whole = read_selected(PAGE.encode(), "body").pieces[0].text
    assert whole.split("\n\n") == [STORY, "Within it.", "Verse,\nverse."]


@pytest.mark.parametrize(
    ("encoding", "declared", "content_type"),
    [
        ("latin-1", "", "text/html; charset=ISO-8859-1"),
        ("cp1251", "<meta charset='windows-1251'>", "text/html"),
        ("utf-16", "", "text/html"),
        ("utf-8", "<meta charset='latin-1'>", "text/html; charset=latin-1"),
        ("cp1252", "", "text/html; charset=punycode"),
    ],
)
def test_a_pages_encoding(encoding, declared, content_type) -> None:
    word = "лампа" if encoding == "cp1251" else "Café"
    body = f"<html><head>{declared}</head><body><p>{word}</p></body></html>".encode(encoding)
    assert read_selected(body, "p", content_type).pieces[0].text == word


def test_a_page_of_other_markup_says_so() -> None:
    with pytest.raises(NoStoryError, match="nothing matches `story`") as caught:
        read_selected(b"<body><p>One</p></body>", ".story")
    assert caught.value.figure == 3
    with pytest.raises(NoStoryError, match="what `story` matches has no text"):
        read_selected(b"<div class=story><img></div>", ".story")


RULES = {
    "files": SourceRules(sections=None, genre="fable", language="en", story="body"),
    "wiki": SourceRules(sections=("Plot",), genre=None, language="en", story="body"),
}


def test_each_kind_of_file_becomes_documents(
    tmp_path: Path,
    page: Callable[..., dict[str, Any]],
    batches: Callable[[list[dict[str, Any]]], list[pa.RecordBatch]],
) -> None:
    def file(name: str, kind: str, body: bytes, **more: Any) -> dict[str, Any]:
        local = {"spider": "files", "source": "files", "title": None, "attribution_url": None}
        names = {"url": f"file:texts/{name}", "page_id": f"texts/{name}"}
        return page(body, content_type=kind, **local | names | more)

    film = {"Title": "Film", "Genre": "western", "Plot": STORY}
    wiki = f"<body><h2 id='Plot'>Plot</h2><p>{STORY}</p></body>"
    rows = [
        file("a_tale.txt", "text/plain", STORY.encode()),
        file("b.md", "text/markdown", STORY.encode()),
        file("c.html", "text/html", f"<body><p>{STORY}</p></body>".encode()),
        file("d.html", "text/html", wiki.encode(), source="wiki"),
        file("e.epub", "application/epub+zip", epub(book())),
        file("f.csv#Film", "application/json", json.dumps(film).encode()),
        file("f.csv#G", "application/json", json.dumps(film).encode(), title="G",
             page_id="texts/f.csv/G", attribution_url="https://films.example/G"),
        file("g.docx", "application/msword", b"x"),
    ]  # fmt: skip
    extract(batches(rows), RULES, tmp_path)
    documents = pq.read_table(tmp_path / "documents.parquet").to_pylist()
    assert [(d["title"], d["section"], d["genre"], d["url"]) for d in documents] == [
        ("a tale", "text", "fable", "file:texts/a_tale.txt"),
        ("b", "text", "fable", "file:texts/b.md"),
        ("c", None, "fable", "file:texts/c.html"),
        ("d", "Plot", None, "file:texts/d.html#Plot"),
        ("The Glass & the Ferry", "Part One, 1. The River", "fable", "file:texts/e.epub"),
        ("The Glass & the Ferry", "Part One, 2. The Sea", "fable", "file:texts/e.epub"),
        ("Film", None, "western", "file:texts/f.csv#Film"),
        ("G", None, "western", "https://films.example/G"),
    ]
    assert len({d["doc_id"] for d in documents}) == len(documents)
    assert len({d["work_id"] for d in documents}) == len(documents) - 1
    dropped = pq.read_table(tmp_path / "dropped.parquet").to_pylist()
    assert "content type application/msword is not read" in {row["reason"] for row in dropped}


def test_the_real_table_of_films(real_text: Path) -> None:
    import csv

    path = real_text / "plots" / "wiki_movie_plots_first_1000.csv"
    with path.open(newline="", encoding="utf-8") as file:
        rows = [read_row(json.dumps(row).encode()) for row in csv.DictReader(file)]
    assert len(rows) == 1000
    assert all(row.title and row.pieces[0].text for row in rows)
    assert {row.pieces[0].genre for row in rows} >= {None, "drama", "western"}
    assert not any("\r" in row.pieces[0].text for row in rows)
