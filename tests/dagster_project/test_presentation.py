"""What the web says stays text in the Dagster UI."""

from dagster_project.presentation import Link, extract, table


def test_a_title_cannot_become_an_image_a_link_or_a_cell():
    hostile = "![x](http://evil/t.png) [a](javascript:b) <img src=x> a|b \\| *c*\nd"
    shown = table(["title"], [[hostile]]).value
    cell = shown.splitlines()[2]
    for mark in ("![", "](", "<img", "*c*"):
        assert mark not in cell
    assert cell.count("|") == 2
    assert len(shown.splitlines()) == 3


def test_an_extract_is_short_and_says_so():
    assert extract("word " * 1000).value.endswith("…")
    assert len(extract("word " * 1000).value) < 500


def test_a_link_leads_to_the_web_or_nowhere():
    good = table(["rule"], [[Link("the [rule]", "https://example.org/a(b)|c")]]).value
    assert "(https://example.org/a%28b%29%7Cc)" in good
    assert "[the &#91;rule&#93;]" in good
    bad = table(["rule"], [[Link("click", "javascript:alert(1)")]]).value
    assert "javascript" not in bad
