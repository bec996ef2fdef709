"""What recurs over a source is taken off in a second reading, and every line is accounted for."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.extract import REPEATED, SourceRules, extract
from pipeline.schema import CHANGED
from tests.pipeline.clean.texts import GERMAN, prose

Page = Callable[..., dict[str, Any]]
Batches = Callable[[list[dict[str, Any]]], list[pa.RecordBatch]]

RULES = {"wikipedia": SourceRules(sections=None, genre="fable", language="en")}
CREDIT = "This episode summary was taken from the official site of the show."


def article(*paragraphs: str, section: str = "Plot") -> bytes:
    told = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    return f'<body><div class="mw-parser-output"><h2>{section}</h2>{told}</div></body>'.encode()


def run(folder: Path, batches: list[pa.RecordBatch]) -> tuple[dict[str, Any], dict[str, Any]]:
    folder.mkdir()
    figures = extract(batches, RULES, folder)
    names = ("documents", "dropped", "changed")
    return figures, {name: pq.read_table(folder / f"{name}.parquet") for name in names}


@pytest.mark.parametrize("step", [1, -1])
def test_boilerplate_goes_and_is_recorded(
    tmp_path: Path, page: Page, batches: Batches, step: int
) -> None:
    pages = [page(article(prose(60, n), CREDIT), n) for n in range(30)]
    pages += [page(article(prose(60, n)), n) for n in range(30, 40)]
    pages.append(page(article(prose(16, 40)[:110], CREDIT), 40))  # enough only with the credit
    figures, tables = run(tmp_path / "out", batches(pages[::step]))
    texts = tables["documents"]["text"].to_pylist()
    assert sorted(texts) == sorted(prose(60, n) for n in range(40))
    assert figures["documents"] == 40
    assert figures["characters"] == sum(map(len, texts))
    assert figures["words"] == sum(len(text.split()) for text in texts)
    assert figures["changed_by_rule"] == {"boilerplate": 31}
    assert figures["dropped_by_reason"] == {"too short": 1}
    (dropped,) = tables["dropped"].to_pylist()
    assert (dropped["stage"], dropped["reason"]) == ("clean", "too short")
    assert dropped["text"].endswith(CREDIT)  # as it was, for a person to judge
    assert tables["changed"].schema.equals(CHANGED)
    rows = tables["changed"].to_pylist()
    assert {(row["rule"], row["before"], row["after"]) for row in rows} == {
        ("boilerplate", CREDIT, "")
    }
    assert len({row["doc_id"] for row in rows}) == len(rows) == 31
    assert {row["licence"] for row in rows} == {"CC-BY-SA-4.0"}


def test_pages_that_are_one_count_once(tmp_path: Path, page: Page, batches: Batches) -> None:
    body = article(prose(60, 1), CREDIT)
    urls = [f"https://wiki.example/wiki/Redirect_{n}" for n in range(20)]
    pages = [page(body, 1, url=url) for url in urls]
    pages += [page(article(prose(60, n)), n) for n in range(2, 20)]
    figures, tables = run(tmp_path / "out", batches(pages))
    assert figures["dropped_by_reason"] == {REPEATED: 19}
    assert figures["changed_by_rule"] == {}
    assert f"{prose(60, 1)}\n\n{CREDIT}" in tables["documents"]["text"].to_pylist()


def test_a_page_under_two_urls_may_have_a_dropped_section(
    tmp_path: Path, page: Page, batches: Batches
) -> None:
    body = (
        b'<body><div class="mw-parser-output"><h2>Summary</h2><p>Short.</p><h2>Plot</h2><p>'
        + prose(60).encode()
    )
    urls = ("https://wiki.example/wiki/A", "https://wiki.example/wiki/B")
    figures, tables = run(tmp_path / "out", batches([page(body, 1, url=url) for url in urls]))
    assert figures["dropped_by_reason"] == {REPEATED: 1, "too short": 2}
    assert tables["dropped"].num_rows == 3


def test_repairs_leave_a_few_passages_and_drops_their_figure(
    tmp_path: Path, page: Page, batches: Batches
) -> None:
    pages = [page(article(f"{prose(60, n)} It rained.\u200b{{{{cite}}}}"), n) for n in range(20)]
    pages.append(page(article(GERMAN), 99))
    figures, tables = run(tmp_path / "a", batches(pages))
    assert figures["changed_by_rule"] == {"control characters": 20, "markup": 20}
    rows = tables["changed"].to_pylist()
    assert [row["rule"] for row in rows] == ["control characters"] * 5 + ["markup"] * 5
    assert all("\\u200b{{cite}}" in row["before"] for row in rows[:5])
    assert all("It rained." in row["after"] and "{{" not in row["after"] for row in rows[5:])
    (dropped,) = tables["dropped"].to_pylist()
    assert dropped["reason"] == "language is de, not en"
    assert 0.9 <= dropped["figure"] <= 1
    run(tmp_path / "b", batches(pages[::-1]))
    for name in ("documents", "dropped", "changed"):
        one, other = (tmp_path / folder / f"{name}.parquet" for folder in "ab")
        assert one.read_bytes() == other.read_bytes()
