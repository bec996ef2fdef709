"""The stable address of a report: it leads on without a script, and holds nobody's text."""

from pathlib import Path
from typing import Any

from lxml import html

from pipeline.reports.entrance import ENTRANCE, write_entrance


def test_it_leads_to_the_version_that_was_made_last(tmp_path: Path) -> None:
    root = tmp_path / "fox-gpt2"
    for version in ("0f1e2d3c4b5a", "a5b4c3d2e1f0-1"):
        (root / version).mkdir(parents=True)
        write_entrance(root, root / version / "report.html")
        page = html.fromstring((root / ENTRANCE).read_bytes())
        assert page.xpath("//a/@href") == [f"{version}/report.html"]
        (refresh,) = page.xpath("//meta[@http-equiv='refresh']/@content")
        assert refresh == f"0; url={version}/report.html"
    assert sorted(path.name for path in root.iterdir() if path.is_file()) == [ENTRANCE]


def test_what_would_be_markup_stays_a_name(tmp_path: Path) -> None:
    root = tmp_path / "a&b \"<b>'"
    (root / "1").mkdir(parents=True)
    write_entrance(root, root / "1/report.html")
    page: Any = html.fromstring((root / ENTRANCE).read_bytes())
    assert page.xpath("string(//a)") == f"The report of {root.name}"
    assert not page.xpath("//b")
    (policy,) = page.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    assert policy.startswith("default-src 'none'; ")
