"""What the web says stays text in the Dagster UI."""

import logging
from pathlib import Path

import dagster as dg
import pytest
from markdown_it import MarkdownIt

from dagster_project.presentation import Link, progress, result, table
from pipeline.artifact import Artifact


def test_a_title_cannot_become_an_image_a_link_or_a_cell():
    hostile = "![x](http://evil/t.png) [a](javascript:b) <img src=x> a|b \\| *c*\nd"
    shown = table(["title"], [[hostile]]).value
    cell = shown.splitlines()[2]
    for mark in ("![", "](j", "<img", "*c*"):
        assert mark not in cell
    assert _links(hostile) == [("http://evil/t.png", "http://evil/t.png")]  # as it says itself
    assert cell.count("|") == 2
    assert len(shown.splitlines()) == 3


def test_a_link_leads_to_the_web_or_nowhere():
    good = table(["rule"], [[Link("the [rule]", "https://example.org/a(b)|c")]]).value
    assert "(https://example.org/a%28b%29%7Cc)" in good
    assert "[the &#91;rule&#93;]" in good
    entity = table(["rule"], [[Link("rule", "https://example.org/?a=1&copy;=2")]]).value
    assert "(https://example.org/?a=1&amp;copy;=2)" in entity
    bad = table(["rule"], [[Link("click", "javascript:alert(1)")]]).value
    assert "javascript" not in bad


def test_what_fails_is_told_where_a_terminal_sees_it(capfd: pytest.CaptureFixture[str]) -> None:
    found = [
        dg.AssetCheckResult(
            passed=False, check_name="grave", description="40 % copied; fewer steps"
        ),
        dg.AssetCheckResult(
            passed=False,
            check_name="slight",
            description="sample 3 loops",
            severity=dg.AssetCheckSeverity.WARN,
        ),
        dg.AssetCheckResult(passed=True, check_name="good", description="all is well"),
    ]
    result(_context(), Artifact(Path("data/x"), "1", "f", "d"), {}, found)
    told = capfd.readouterr().err.splitlines()
    assert any(
        "ERROR" in line and line.endswith("grave fails: 40 % copied; fewer steps") for line in told
    )
    assert any("WARNING" in line and line.endswith("slight fails: sample 3 loops") for line in told)
    assert not any("all is well" in line for line in told)


def test_progress_is_told_now_and_then_and_at_the_end(capfd: pytest.CaptureFixture[str]) -> None:
    tell = progress(_context(), "texts")
    for done in range(1, 158):
        tell("words", done, 157)
    tell("judge", 1, 1)
    told = [line.split(" - ")[-1] for line in capfd.readouterr().err.splitlines()]
    assert told == ["words: 157 of 157 texts", "judge: 1 of 1 texts"]


def _context() -> dg.AssetExecutionContext:
    context = dg.build_asset_context()
    context.log.setLevel(logging.INFO)
    return context


def _links(cell: str) -> list[tuple[str, str]]:
    """(text, address) of the links in a cell, as a Markdown reader has them."""
    tokens = MarkdownIt("commonmark").enable("table").parse(table(["said"], [[cell]]).value)
    children = [part for token in tokens for part in token.children or []]
    assert not any(part.type in ("image", "html_inline") for part in children)
    return [
        (children[at + 1].content, str(part.attrs["href"]))
        for at, part in enumerate(children)
        if part.type == "link_open"
    ]


def test_an_address_in_a_text_leads_where_it_says():
    rule = "https://wikitech.wikimedia.org/wiki/Robot_policy"
    said = f"200, Crawl-delay 5; /w/api.php used under {rule}; see ({rule}#a~b), too."
    assert _links(said) == [(rule, rule), (f"{rule}#a~b", f"{rule}#a~b")]


def test_an_address_in_a_hostile_text_is_nothing_but_a_link_to_itself():
    for hostile in (
        "https://a/](javascript:alert(1))",
        "https://a/)![x](https://b/t.png)",
        "https://a/<img src=x onerror=y>",
        "[click](javascript:alert(1)) https://a/`b` | c",
    ):
        for text, address in _links(hostile):
            assert text.startswith("https://")
            assert address.startswith("https://a/") or address == text
            assert "javascript" not in address.split(":")[0]
