"""The alarm rings where the same pages give less, and is still for what pages naturally do."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipeline.drift import LEAST, NAMED, Drift, compare
from pipeline.drift_pages import BOUND, UnreadablePagesError
from tests.pipeline.extractions import article, extracted, films, rebuilt

Pages = list[dict[str, Any]]


@pytest.fixture
def drift(tmp_path: Path):
    """Compares two extractions."""

    def make(before: Pages, now: Pages) -> Drift:
        return compare(extracted(tmp_path / "last", before), extracted(tmp_path / "new", now))

    return make


def test_pages_that_give_what_they_gave(drift) -> None:
    found = drift([article(n) for n in range(5)], [article(n) for n in range(5)])
    (whole,) = found.compared
    assert (whole.source, whole.pages, found.beyond, found.pages) == ("wiki", 5, [], ())
    assert [(m.name, m.before, m.after) for m in whole.measures[:2]] == [
        ("pages with a story", 5, 5),
        ("sections a page", 1, 1),
    ]


def test_a_source_in_new_markup_rings_and_names_its_pages(drift) -> None:
    found = drift([article(n) for n in range(5)], [rebuilt(n) for n in range(5)])
    assert found.beyond[0] == (
        "in wiki, pages with a story fell from 5 to 0 (100%) over the 5 pages read before and now"
    )
    assert found.fallen == 5
    assert {page.url for page in found.pages} == {
        f"https://wiki.example/wiki/Lamp_{n}" for n in range(5)
    }
    assert all((page.documents_before, page.documents) == (1, 0) for page in found.pages)


def test_a_few_changed_pages_ring_though_the_source_hardly_falls(drift) -> None:
    before = [article(n) for n in range(100)]
    now = [rebuilt(n) if n < LEAST else article(n) for n in range(100)]
    found = drift(before, now)
    assert [part.changed for part in found.compared if part.beyond] == [True]
    assert found.fallen == LEAST


def test_one_source_of_two_is_named(drift) -> None:
    before = [article(n) for n in range(5)] + [article(n, source="b") for n in range(5, 10)]
    now = [article(n) for n in range(5)] + [rebuilt(n, source="b") for n in range(5, 10)]
    assert {told.split(",")[0] for told in drift(before, now).beyond} == {"in b"}


@pytest.mark.parametrize("lost", range(1, LEAST))
def test_a_small_source_does_not_ring_by_an_edit(drift, lost: int) -> None:
    now = [rebuilt(n) if n < lost else article(n) for n in range(4)]
    assert drift([article(n) for n in range(4)], now).beyond == []


def test_pages_that_are_gone_or_new_do_not_count(drift) -> None:
    before = [article(n) for n in range(20)]
    now = [article(n) for n in range(15, 20)] + [rebuilt(n) for n in range(20, 40)]
    found = drift(before, now)
    assert (found.compared[0].pages, found.beyond) == (5, [])


def test_pages_without_a_story_before_cannot_fall(drift) -> None:
    found = drift([rebuilt(n) for n in range(9)], [rebuilt(n) for n in range(9)])
    assert found == Drift()


def test_sections_that_are_no_longer_found_ring(drift) -> None:
    before = [films(n, 4) for n in range(LEAST)]
    now = [films(n, 2) for n in range(LEAST)]
    told = drift(before, now).beyond
    assert any("sections a page fell from 4 to 2 (50%)" in sentence for sentence in told)
    assert not any("with a story" in sentence for sentence in told)


@pytest.mark.parametrize(("words", "rings"), [(80, True), (95, False)])
def test_characters_a_page_ring_beyond_the_bound_only(drift, words: int, rings: bool) -> None:
    found = drift([article(n, 110) for n in range(6)], [article(n, words) for n in range(6)])
    assert bool(found.beyond) is rings
    assert all("characters a page fell" in told for told in found.beyond)


def test_a_book_that_shrinks_is_one_page(drift) -> None:
    """Though the mean of the source falls by far."""
    before = [films(1, 60), *(article(n) for n in range(2, 9))]
    now = [films(1, 2), *(article(n) for n in range(2, 9))]
    found = drift(before, now)
    assert found.compared[0].measures[2].fall > BOUND
    assert found.beyond == []


def test_the_pages_named_are_bounded_and_lost_most(drift) -> None:
    before = [article(n, 40 + n) for n in range(NAMED + 20)]
    found = drift(before, [rebuilt(n) for n in range(NAMED + 20)])
    lost = [page.characters_before for page in found.pages]
    assert (len(lost), found.fallen) == (NAMED, NAMED + 20)
    assert lost == sorted(lost, reverse=True)


@pytest.mark.parametrize("damage", ["gone", "torn", "earlier"])
def test_a_record_of_pages_that_cannot_be_read_is_told(tmp_path: Path, damage: str) -> None:
    last = extracted(tmp_path / "last", [article(1)])
    pages = last / "pages.parquet"
    if damage == "gone":
        pages.unlink()
    elif damage == "torn":
        pages.write_bytes(pages.read_bytes()[:-9] + bytes(9))
    else:
        pq.write_table(pq.read_table(pages).drop_columns(["characters"]), pages)
    with pytest.raises(UnreadablePagesError, match=r"pages\.parquet"):
        compare(last, extracted(tmp_path / "new", [article(1)]))


def test_figures_lead_back_to_what_was_compared(drift) -> None:
    found = drift([article(n) for n in range(5)], [rebuilt(n) for n in range(5)])
    assert Drift.from_figures(found.figures()).beyond == found.beyond
