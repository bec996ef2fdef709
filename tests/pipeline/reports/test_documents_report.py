"""The page of documents shows, for each rule, how many and which it cost, and runs nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from lxml import html

from pipeline.reports.documents import write_documents_report
from pipeline.reports.documents.draw import DRAWN
from pipeline.reports.documents.sections import SHOWN, TEXT
from pipeline.schema import CHANGED, DROPPED

EVIL = "<script>alert(1)</script>\u202eevil<EOS>"
FIGURES = {
    "pages": 50, "pages_with_story": 40, "documents": 60, "words": 9000, "dropped": 20,
    "changed_by_rule": {"boilerplate": 12, "markup": 7},
}  # fmt: skip

Write = Callable[..., html.HtmlElement]


def dropped(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "doc_id": f"lamps/wiki/{number}#Plot", "franchise": "lamps", "source": "wiki",
        "url": f"https://wiki.example/wiki/{number}#Plot", "title": f"Lamp {number}",
        "section": "Plot", "licence": "CC-BY-SA-4.0", "stage": "clean", "reason": "too short",
        "figure": 7.0, "text": f"Text {number}.", **changes,
    }  # fmt: skip


def changed(number: int, rule: str, before: str, after: str) -> dict[str, Any]:
    return dropped(number) | {"rule": rule, "before": before, "after": after}


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def make(drops: list[Any], changes: list[Any], name: str = "page") -> html.HtmlElement:
        only = [{key: row[key] for key in CHANGED.names if key in row} for row in changes]
        pq.write_table(pa.Table.from_pylist(drops, DROPPED), tmp_path / "dropped.parquet")
        pq.write_table(pa.Table.from_pylist(only, CHANGED), tmp_path / "changed.parquet")
        target = tmp_path / f"{name}.html"
        write_documents_report(tmp_path, "Lamps", FIGURES, target)
        return html.fromstring(target.read_bytes())

    return make


def test_each_reason_has_its_count_and_a_draw(write: Write) -> None:
    drops = [dropped(n) for n in range(15)]
    drops += [dropped(20 + n, reason="lines repeat", figure=0.4213) for n in range(2)]
    page = write(drops, [])
    section = page.get_element_by_id("dropped")
    assert [h3.text for h3 in section.iter("h3")] == ["too short", "lines repeat"]
    counts = [" ".join(p.text_content().split()) for p in section.find_class("setting")]
    assert counts == ["15 pieces by clean", "2 pieces by clean"]
    assert len(section.findall(".//article")) == DRAWN + 2
    last = section.findall(".//article")[-1]
    number = last.find(".//a").text.removeprefix("Lamp ")
    assert last.find(".//a").get("href") == f"https://wiki.example/wiki/{number}#Plot"
    assert "0.421" in last.find("h4").text_content()
    assert last.find_class("story")[0].text == f"Text {number}."
    assert "CC-BY-SA-4.0" in last.find_class("meta")[0].text_content()
    assert "(seed 0)" in section.text_content()


def test_the_draw_does_not_depend_on_the_order(write: Write) -> None:
    drops = [dropped(n) for n in range(900)]
    told = [
        [a.text for a in write(rows, []).get_element_by_id("dropped").iterfind(".//article//a")]
        for rows in (drops, drops[::-1])
    ]
    assert told[0] == told[1]
    assert told[0] != [f"Lamp {n}" for n in range(DRAWN)]


def test_boilerplate_and_repairs_are_shown(write: Write) -> None:
    line = "Taken from the official site."
    changes = [changed(n, "boilerplate", line, "") for n in range(12)]
    changes.append(changed(50, "markup", "a {{x}} b", "a  b"))
    page = write([], changes)
    assert "Nothing: every piece" in page.get_element_by_id("dropped").text_content()
    cells = [
        c.text_content() for c in page.get_element_by_id("boilerplate").iterfind(".//tbody//*")
    ]
    assert line in cells
    assert "12" in cells
    repaired = page.get_element_by_id("repairs")
    assert "a {{x}} b" in repaired.text_content()
    assert "7 documents" in repaired.text_content()


def test_what_pages_say_stays_text_and_is_bounded(write: Write, tmp_path: Path) -> None:
    evil = dropped(
        1, title=EVIL, section=EVIL, reason=EVIL, licence=EVIL, text=EVIL + "x" * 100_000,
        url="javascript:alert(1)",
    )  # fmt: skip
    many = [dropped(n, reason=f"reason {n}") for n in range(2, 100)]
    repair = changed(1, "markup", EVIL, EVIL) | {"title": EVIL, "url": "javascript:alert(1)"}
    page = write([evil, *many], [repair, changed(2, "boilerplate", EVIL, "")])
    assert page.findall(".//script") == []
    assert not [a for a in page.iterfind(".//a") if a.get("href").startswith("javascript")]
    assert "\u202e" not in page.text_content()
    assert "<EOS>" in page.text_content()
    stories = [story.text_content() for story in page.find_class("story")]
    assert max(map(len, stories)) <= TEXT
    assert len(page.get_element_by_id("dropped").findall(".//h3")) == SHOWN
    assert "59 more reasons in dropped.parquet" in page.text_content()
    assert (tmp_path / "page.html").stat().st_size < 200_000
