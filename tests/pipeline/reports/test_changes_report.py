"""The page of changes says first what matters, shows what differs, and runs nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lxml import html

from pipeline.diff.changes import Changes, Reason
from pipeline.diff.documents import compare_documents
from pipeline.drift import compare
from pipeline.reports.changes import Comparison, Taken, write_changes_report
from pipeline.reports.changes.sections import SHOWN, TITLE
from tests.pipeline.extractions import article, extracted, rebuilt

EVIL = "<script>alert(1)</script>\u202eevil<EOS>"

Write = Callable[..., html.HtmlElement]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def make(
        *, documents: int = 0, changes: Changes | None = None, **told: Any
    ) -> html.HtmlElement:
        target = tmp_path / "reports/changes.html"
        write_changes_report(Comparison("Lamps", documents, changes, **told), target)
        return html.fromstring(target.read_bytes())

    return make


def _row(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "doc_id": f"lamps/wiki/{number}#Plot", "title": f"Lamp {number}", "section": "Plot",
        "url": f"https://wiki.example/wiki/{number}#Plot", "licence": "CC-BY-SA-4.0", **changes,
    }  # fmt: skip


def _verdict(page: html.HtmlElement) -> str:
    return str(page.find_class("verdict")[0].text_content())


def test_the_first_build_says_so(write: Write) -> None:
    page = write(documents=12)
    assert _verdict(page) == "12 documents. This is the first build."
    assert page.findall(".//section") == []


def test_nothing_changed(write: Write) -> None:
    assert (
        _verdict(write(changes=Changes(7, 7, []))) == "Nothing changed: 7 documents, as they were."
    )


def test_what_was_taken_down_is_said_first_with_its_reason(write: Write) -> None:
    at = "2026-11-21T14:00:00+00:00"
    page = write(
        changes=Changes(7, 7, []), taken_down=[Taken(1, at, f"asked {EVIL}"), Taken(2, None, None)]
    )
    assert _verdict(page) == (
        "3 documents were taken down. Nothing else changed: 7 documents, as they were."
    )
    assert "7 before, without those taken down" in page.text_content()
    rows = page.get_element_by_id("taken-down").findall(".//tbody/tr")
    told = [[cell.text_content() for cell in row] for row in rows]
    assert (told[0][:2], told[1]) == ([at, "1"], ["unknown", "2", "unknown"])
    assert told[0][2].startswith("asked <script>alert(1)</script>")
    assert "<script>alert" not in html.tostring(page, encoding="unicode")


def test_one_sentence_then_reasons_then_examples(write: Write, tmp_path: Path) -> None:
    last = extracted(tmp_path / "a", [article(n) for n in range(9)])
    new = extracted(tmp_path / "b", [article(n, 70, revision="71") for n in range(1, 11)])
    page = write(changes=compare_documents(last, new))
    assert _verdict(page) == "2 documents came, 1 went and 8 changed; 0 stayed as they were."
    figures = [value.text for value in page.find_class("value")]
    assert figures == ["10", "2", "1", "8", "0"]
    assert [section.get("id") for section in page.iterfind(".//section")] == [
        "reasons", "came", "went", "changed",
    ]  # fmt: skip
    rows = [
        [" ".join(cell.text_content().split()) for cell in row]
        for row in page.get_element_by_id("reasons").iterfind(".//tbody/tr")
    ]
    assert rows == [
        ["its page was edited", "changed", "8"],
        ["its page is new", "came", "2"],
        ["its page is no longer there", "went", "1"],
    ]
    articles = page.get_element_by_id("changed").findall(".//article")
    assert len(articles) == 4
    assert "revision 70 → 71" in articles[0].text_content()
    assert articles[0].find(".//del").text.strip()
    assert articles[0].find(".//a").get("href").startswith("https://wiki.example/wiki/Lamp_")


def test_a_refusal_stands_before_all_else(write: Write, tmp_path: Path) -> None:
    last = extracted(tmp_path / "a", [article(n) for n in range(6)])
    new = extracted(tmp_path / "b", [rebuilt(n) for n in range(6)])
    page = write(
        changes=compare_documents(last, new), drift=compare(last, new),
        refused="Open the pages named.", accept="dg launch --assets 'x'",
    )  # fmt: skip
    assert _verdict(page) == (
        "Refused: in wiki, pages with a story fell from 6 to 0 (100%) over the 6 pages read before "
        "and now. The last good documents stand."
    )
    assert "warning" in page.find_class("verdict")[0].get("class")
    assert page.find(".//header//pre").text_content() == "dg launch --assets 'x'"
    section = page.find(".//section")
    assert section.findtext("h2") == "Why it was refused"
    assert "6 → 0" in section.find(".//td[@class='n worse']").text_content()
    assert len(section.findall(".//a")) == 6


def test_a_corpus_shows_its_sides_and_what_was_configured_otherwise(write: Write) -> None:
    before = {"documents": 58, "words": 1200, "bytes": 7000}
    now = {"documents": 60, "words": 1300, "bytes": 7000}
    page = write(
        changes=Changes(58, 60, [Reason("came", "a new document", 2, [_row(1, split="train")])]),
        splits=[{"name": "train", "before": before, "now": now},
                {"name": "test", "before": None, "now": now}],
        settings=[("layout", '"documents"', '"lines"')],
    )  # fmt: skip
    cells = [cell.text_content() for cell in page.get_element_by_id("splits").iterfind(".//td")]
    assert cells == ["58 → 60", "1,200 → 1,300", "7,000", "60", "1,300", "7,000"]
    told = [
        cell.text_content() for cell in page.get_element_by_id("settings").iterfind(".//tbody/tr/*")
    ]
    assert told[0] == "layout"
    assert told[-2:] == ['"documents"', '"lines"']
    assert "train" in page.get_element_by_id("came").find(".//article").text_content()


def test_what_pages_say_stays_text_and_is_bounded(write: Write, tmp_path: Path) -> None:
    evil = _row(
        1, title=EVIL * 900, section=EVIL, licence=EVIL, url="javascript:alert(1)", partner=EVIL,
        excerpt={"lead": EVIL, "before": EVIL, "now": EVIL, "tail": EVIL},
    )  # fmt: skip
    reasons = [Reason("changed", EVIL * 900, 1, [evil])]
    reasons += [Reason("went", f"reason {n}", 1, [_row(n)]) for n in range(SHOWN + 9)]
    page = write(changes=Changes(99, 50, reasons))
    assert page.findall(".//script") == []
    assert not [a for a in page.iterfind(".//a") if a.get("href").startswith("javascript")]
    assert "\u202e" not in page.text_content()
    assert "<EOS>" in page.find(".//ins").text
    assert max(len(h4.text_content()) for h4 in page.iterfind(".//h4")) <= TITLE
    assert len(page.get_element_by_id("went").findall(".//h3")) == SHOWN
    assert "9 rarer reasons left out" in page.get_element_by_id("went").text_content()
    assert (tmp_path / "reports/changes.html").stat().st_size < 200_000
