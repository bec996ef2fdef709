"""Pages to documents: traceable, stable over re-crawls, the same whatever the order of pages."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.extract import MAXIMUM_BYTES, REPEATED, SourceRules, extract
from pipeline.schema import DOCUMENTS, DROPPED, READ_PAGES

Page = Callable[..., dict[str, Any]]
Batches = Callable[[list[dict[str, Any]]], list[pa.RecordBatch]]

RULES = {
    "wikipedia": SourceRules(sections=None, genre="fable", language="en"),
    "gutenberg": SourceRules(sections=None, genre=None, language="en"),
}
STORY = "The lamplighter of Ollow owed the wind one evening and paid it with a lamp. " * 3


def article(*sections: tuple[str, str]) -> bytes:
    parts = [f'<h2 id="{name}">{name}</h2><p>{text}</p>' for name, text in sections]
    return f'<body><div class="mw-parser-output">{"".join(parts)}</div></body>'.encode()


def book(chapters: int) -> bytes:
    return "".join(f"CHAPTER {n}\n\n{STORY}{n}\n\n" for n in range(1, chapters + 1)).encode()


def run(folder: Path, batches: list[pa.RecordBatch]) -> tuple[dict[str, Any], list[Any], list[Any]]:
    folder.mkdir(parents=True, exist_ok=True)
    figures = extract(batches, RULES, folder)
    documents = pq.read_table(folder / "documents.parquet")
    dropped = pq.read_table(folder / "dropped.parquet")
    assert documents.schema.equals(DOCUMENTS)
    assert dropped.schema.equals(DROPPED)
    return figures, documents.to_pylist(), dropped.to_pylist()


def test_a_document_names_its_page(tmp_path: Path, page: Page, batches: Batches) -> None:
    body = article(("Plot", STORY), ("Cast", "Nobody."))
    figures, (document,), dropped = run(tmp_path, batches([page(body)]))
    assert document["doc_id"] == "lamps/wikipedia/1#Plot"
    assert document["work_id"] == "wikipedia:wiki.example/1"
    assert document["url"] == "https://wiki.example/wiki/Page_1#Plot"
    assert (document["title"], document["section"]) == ("Page 1", "Plot")
    assert (document["revision"], document["licence"]) == ("70", "CC-BY-SA-4.0")
    assert (document["genre"], document["language"]) == ("fable", "en")
    assert document["text"] == STORY.strip()
    assert (document["characters"], document["words"]) == (len(STORY) - 1, len(STORY.split()))
    assert dropped == []
    assert figures["documents"] == figures["pages"] == figures["pages_with_story"] == 1


def test_a_new_revision_keeps_the_names(tmp_path: Path, page: Page, batches: Batches) -> None:
    old, new = article(("Plot", STORY)), article(("Plot", STORY + "Then it rained."))
    _, (before,), _ = run(tmp_path / "a", batches([page(old)]))
    _, (after,), _ = run(tmp_path / "b", batches([page(new, revision="71")]))
    assert before["doc_id"] == after["doc_id"]
    assert before["text_sha256"] != after["text_sha256"]


def test_the_order_of_pages_does_not_matter(tmp_path: Path, page: Page, batches: Batches) -> None:
    pages = [
        page(article(("Plot", f"{STORY} {number}"), ("Summary", "Too short.")), number)
        for number in range(30)
    ]
    pages.append(page(book(12), 99, content_type="text/plain", source="gutenberg"))
    pages.append(page(b"nothing", 100))
    run(tmp_path / "a", batches(pages))
    run(tmp_path / "b", batches(pages[::-1]))
    for name in ("documents.parquet", "dropped.parquet", "pages.parquet"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_each_page_is_recorded_with_what_it_gave(
    tmp_path: Path, page: Page, batches: Batches
) -> None:
    story = page(article(("Plot", STORY)), 1)
    none = page(article(("Cast", STORY)), 2, revision=None)
    _, documents, _ = run(tmp_path, batches([none, story]))
    first, second = pq.read_table(tmp_path / "pages.parquet", schema=READ_PAGES).to_pylist()
    assert first == {
        "page": documents[0]["doc_id"].partition("#")[0], "source": "wikipedia",
        "url": story["url"], "title": "Page 1", "revision": "70",
        "body_sha256": story["body_sha256"], "documents": 1,
        "characters": documents[0]["characters"],
    }  # fmt: skip
    assert (second["url"], second["documents"], second["characters"]) == (none["url"], 0, 0)


def test_chapters_stand_in_order_and_are_one_work(
    tmp_path: Path, page: Page, batches: Batches
) -> None:
    source = {"source": "gutenberg", "spider": "gutenberg", "content_type": "text/plain"}
    _, documents, _ = run(tmp_path, batches([page(book(12), **source)]))
    assert [d["section"] for d in documents] == [f"CHAPTER {n}" for n in range(1, 13)]
    assert len({d["work_id"] for d in documents}) == 1
    assert len({d["doc_id"] for d in documents}) == 12
    assert {d["url"] for d in documents} == {"https://wiki.example/wiki/Page_1"}


def test_films_of_a_list_are_works_of_their_own(
    tmp_path: Path, page: Page, batches: Batches
) -> None:
    rows = "".join(f"<tr><td>Film {n}</td><td>{STORY}{n}</td></tr>" for n in (1, 2))
    body = f"<body><table><tr><th>Film</th><th>Plot</th></tr>{rows}</table></body>".encode()
    _, documents, _ = run(tmp_path, batches([page(body)]))
    assert [d["title"] for d in documents] == ["Film 1", "Film 2"]
    assert len({d["work_id"] for d in documents}) == 2


@pytest.mark.parametrize(
    ("changes", "reason", "figure"),
    [
        ({"status": 404, "body": b""}, "status is not 200", 404),
        ({"body": article(("Cast", STORY))}, "no wanted section", 1),
        ({"body": b""}, "is not HTML", 0),
        ({"content_type": "image/png"}, "content type image/png is not read", None),
        ({"content_type": None}, "content type missing is not read", None),
        ({"body": b"x" * (MAXIMUM_BYTES + 1)}, "page is too large", MAXIMUM_BYTES + 1),
        ({"body": article(("Plot", "To be announced."))}, "too short", 3),
    ],
)
def test_what_is_left_out_is_named(
    tmp_path: Path,
    page: Page,
    batches: Batches,
    changes: dict[str, Any],
    reason: str,
    figure: float | None,
) -> None:
    row = page(article(("Plot", STORY))) | changes
    figures, documents, (dropped,) = run(tmp_path, batches([row]))
    assert documents == []
    assert (dropped["reason"], dropped["figure"]) == (reason, figure)
    assert dropped["stage"] == ("clean" if reason == "too short" else "extract")
    assert figures["dropped_by_reason"] == {reason: 1}
    terms = (dropped["licence"], dropped["attribution_url"], dropped["revision"])
    assert terms == ("CC-BY-SA-4.0", "https://wiki.example/wiki/Page_1", "70")


def test_a_page_without_title_is_named_by_its_url(
    tmp_path: Path, page: Page, batches: Batches
) -> None:
    url = "https://wiki.example/wiki/The_Owl%20Clock"
    row = page(article(("Plot", STORY)), title=None, page_id=None, url=url)
    _, (document,), _ = run(tmp_path, batches([row]))
    assert document["title"] == "The Owl Clock"
    assert document["doc_id"] == "lamps/wikipedia/wiki/The_Owl%20Clock#Plot"


def test_wikis_on_one_host_have_works_of_their_own(
    tmp_path: Path, page: Page, batches: Batches
) -> None:
    def on(path: str) -> dict[str, Any]:
        url = f"https://wiki.example{path}The_Owl%3F_50%25"
        return page(article(("Plot", STORY)), title="The Owl? 50%", url=url, source=path)

    paths = ["/wiki/", "/de/wiki/", "/w/index.php?title="]
    rules = dict.fromkeys(paths, RULES["wikipedia"])
    extract(batches([on(path) for path in paths]), rules, tmp_path)
    documents = pq.read_table(tmp_path / "documents.parquet").to_pylist()
    assert {row["source"]: row["work_id"] for row in documents} == {
        "/wiki/": "wikipedia:wiki.example/1",  # as it ever was
        "/de/wiki/": "wikipedia:wiki.example/de/wiki/1",
        "/w/index.php?title=": "wikipedia:wiki.example/w/index.php?title=1",
    }


@pytest.mark.parametrize("order", [1, -1])
def test_a_page_under_two_urls_is_one_document(
    tmp_path: Path, page: Page, batches: Batches, order: int
) -> None:
    body = article(("Plot", STORY))
    pages = [page(body), page(body, url="https://wiki.example/wiki/Redirect_to_1")]
    figures, (document,), (dropped,) = run(tmp_path, batches(pages[::order]))
    assert document["url"] == "https://wiki.example/wiki/Page_1#Plot"
    assert dropped["url"] == "https://wiki.example/wiki/Redirect_to_1#Plot"
    assert dropped["reason"] == REPEATED
    assert (figures["documents"], figures["words"]) == (1, document["words"])


def test_a_failure_leaves_nothing_aside(tmp_path: Path, page: Page, batches: Batches) -> None:
    with pytest.raises(KeyError):
        run(tmp_path, batches([page(article(("Plot", STORY)), source="no rules")]))
    assert not list(tmp_path.glob("*.unsorted"))


def test_no_pages_give_empty_tables(tmp_path: Path) -> None:
    figures, documents, dropped = run(tmp_path, [])
    assert (figures["pages"], figures["documents"], documents, dropped) == (0, 0, [], [])


def test_more_rows_than_one_batch_come_out_sorted(
    tmp_path: Path, page: Page, batches: Batches
) -> None:
    rows = "".join(f"<tr><td>Film {n}</td><td>{STORY}{n}</td></tr>" for n in range(4200))
    body = f"<body><table><tr><th>Film</th><th>Plot</th></tr>{rows}</table></body>".encode()
    _, documents, _ = run(tmp_path, batches([page(body)]))
    assert len(documents) == 4200
    works = [d["work_id"] for d in documents]
    assert works == sorted(works)
