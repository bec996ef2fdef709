"""What people said of a model's stories stands in its report, where anybody said anything."""

from typing import Any

from lxml import html

from pipeline.ratings.stories import HUMAN, Side, Writer
from pipeline.ratings.tally import tallies
from pipeline.ratings.votes import Vote

EVIL = "ines <script>alert('owned')</script>"
MODEL, PEOPLE = Writer("demo-gpt2", 200), Writer(HUMAN)


def votes(won: int) -> list[Vote]:
    """So many of eight pairs of the model and people, won by the model."""
    return [
        Vote(
            "2026-01-02T03:04:05+00:00", EVIL, Side(MODEL, "a", n), Side(PEOPLE, "b", n),
            "left" if n < won else "right",
        )
        for n in range(8)
    ]  # fmt: skip


def test_the_tally_stands_in_the_report_with_its_definition(made: Any) -> None:
    made.tallies = tallies(votes(7), {"demo-gpt2": "a", HUMAN: "b"})
    figures = made.write()
    page = html.fromstring(made.page.read_bytes())
    section = page.get_element_by_id("rated")
    told = " ".join(section.text_content().split())
    assert "demo-gpt2, step 200 won 7 of 8 pairs against people (88 %, 95 % interval" in told
    (rater,) = section.xpath(".//tbody/tr")
    cells = [" ".join(cell.text_content().split()) for cell in rater]
    assert cells == [EVIL, "7", "1", "0", "0"]
    assert not page.xpath("//script")
    (about,) = section.xpath(".//button/@popovertarget")
    assert "in random order" in " ".join(page.get_element_by_id(about).text_content().split())
    assert figures["rated"][0]["won_by_first"] == 7


def test_without_votes_there_is_no_such_section(made: Any) -> None:
    assert "rated" not in made.write()
    page = html.fromstring(made.page.read_bytes())
    assert page.xpath("//main/section/@id")
    assert "rated" not in page.xpath("//main/section/@id")
