"""Falls of a few pages a crawl add up until they ring, and what is no news is forgotten."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.drift import LEAST, Drift, compare
from pipeline.drift_pages import pages_in_both
from pipeline.drift_record import KEPT, carried_on, read_carried, record_name, write_carried
from tests.pipeline.extractions import article, extracted, rebuilt

_WEEK = timedelta(days=7)


class Line:
    """Crawls of a source of 40 pages, each a week after the last, each taken for good."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._pages = {number: article(number) for number in range(40)}
        self.today = date(2026, 1, 1)
        self._record: Path | None = None
        self._last = extracted(folder / "0", self._pages.values())
        self._built = 0

    def crawl(
        self,
        changed: Mapping[int, Callable[..., dict]],
        *,
        gone: int | None = None,
        accept: bool = False,
        later: timedelta = _WEEK,
    ) -> Drift:
        """What the alarm says after these pages were fetched again."""
        self.today += later
        self._built += 1
        for number, made in changed.items():
            self._pages[number] = made(number)
        self._pages.pop(gone, None)
        new = extracted(self._folder / str(self._built), self._pages.values())
        carried = read_carried(self._record, self.today)
        found = compare(self._last, new, carried)
        rung = {part.source for part in found.compared if part.beyond} if accept else ()
        pages = pages_in_both(self._last, new, carried)
        made = self._folder / record_name(str(self._built))
        write_carried(made, carried_on(pages, self.today, rung), self._record)
        self._record, self._last = made, new
        return found

    @property
    def carried(self) -> pa.Table:
        """What is remembered."""
        return read_carried(self._record, self.today)


@pytest.fixture
def line(tmp_path: Path) -> Line:
    return Line(tmp_path)


def _edited(number: int) -> dict:
    return article(number, 90, revision="71")


def test_a_drip_of_falls_rings(line: Line) -> None:
    assert line.crawl({0: rebuilt, 1: rebuilt}).beyond == []
    found = line.crawl({2: rebuilt, 3: rebuilt})
    assert found.beyond[0] == (
        "in wiki, pages with a story fell from 4 to 0 (100%) over the 4 pages that changed "
        "within a year"
    )
    assert found.fallen == 4
    assert all(page.documents_before == 1 and page.characters_before for page in found.pages)
    assert Drift.from_figures(found.figures()).beyond == found.beyond


def test_a_drip_among_edits_rings_by_its_share(line: Line) -> None:
    assert line.crawl(dict.fromkeys(range(20, 32), _edited)).beyond == []
    for week in range(3):
        assert line.crawl({week: rebuilt}).beyond == []  # at last 3 of 15: a fifth, not more
    assert line.crawl({3: rebuilt}).beyond


def test_single_losses_among_many_edits_never_ring(line: Line) -> None:
    """A page in six loses its story, in every month of a year."""
    for month in range(6):
        changed = {6 * month + n: (rebuilt if n == 0 else _edited) for n in range(6)}
        assert line.crawl(changed, later=timedelta(days=30)).beyond == []


def test_a_fall_is_no_news_after_a_year(line: Line) -> None:
    line.crawl({0: rebuilt, 1: rebuilt})
    assert line.crawl({2: rebuilt}, later=KEPT).beyond == []
    assert line.carried.num_rows == 1
    line.crawl({})
    assert line.crawl({3: rebuilt, 4: rebuilt}).beyond  # the one of that year and these


def test_what_was_accepted_starts_from_what_it_gives_now(line: Line) -> None:
    line.crawl({0: rebuilt, 1: rebuilt})
    assert line.crawl({2: rebuilt}, accept=True).beyond
    assert line.carried["documents_before"].null_count == LEAST
    assert line.crawl({}).beyond == []
    assert line.crawl(dict.fromkeys(range(10, 20), _edited)).beyond == []
    assert line.crawl({3: rebuilt}).beyond == []


def test_pages_that_are_well_again_have_not_fallen(line: Line) -> None:
    line.crawl({0: rebuilt, 1: rebuilt})
    line.crawl({0: _edited, 1: _edited})
    assert line.carried["documents_before"].null_count == line.carried.num_rows == 2
    assert line.crawl({2: rebuilt}).beyond == []


def test_a_page_that_is_gone_leaves_nothing(line: Line) -> None:
    line.crawl({0: rebuilt, 1: rebuilt})
    line.crawl({}, gone=0)
    assert line.carried.num_rows == 1
    assert line.crawl({2: rebuilt}).beyond == []


def test_one_record_stands_and_the_one_before_it(tmp_path: Path) -> None:
    line = Line(tmp_path)
    for number in range(4):
        line.crawl({10 + number: _edited})
    names = {path.name for path in tmp_path.glob("*.parquet")}
    assert names == {record_name("3"), record_name("4")}


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    path = tmp_path / record_name("1")
    path.write_bytes(b"PAR1")
    with pytest.raises(ValueError, match=r"drift-1\.parquet.*forgotten"):
        read_carried(path, date(2026, 1, 1))
