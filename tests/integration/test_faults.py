"""Every row of the table of faults, against real sockets and real crawls (issue 3).

All rows that a crawl survives are sources of one crawl, each a site of its own with twelve films,
and so are all that end one: a fault of one site must not touch another. After each crawl the store
is whole and the report tells; when the faults are mended, the same command gets what is missing.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag

import pyarrow.parquet as pq
import pytest

from crawlers.outcome import CrawlOutcome
from pipeline.extract import SourceRules, extract
from tests.crawl_workplace import Finished, Workplace
from tests.integration.fault_server import (
    TITLES,
    Asked,
    FaultServer,
    dies,
    films,
    paths,
    rest_after,
    source,
)
from tests.integration.fault_table import ENDS, GOES_ON, MB, OPTIONS, PAGE, Ends, GoesOn, bomb
from tests.integration.judge import is_told, is_whole

FILMS = {f"/wiki/{title.replace(' ', '_')}" for title in TITLES}
#: What one of the oversized pages would add to the memory of a crawl that held it whole.
LARGE = 100 * MB


@dataclass(frozen=True)
class Crawled:
    """A crawl of rows, and the next one, after all faults were mended. By row: what was asked."""

    origins: dict[str, str]  # by row
    crawl: Finished
    outcome: CrawlOutcome  # of the first crawl, as are the pages
    pages: dict[str, dict[str, Any]]
    asked: dict[str, list[Asked]]
    again: Finished
    asked_again: dict[str, list[Asked]]

    def had(self, name: str) -> dict[str, dict[str, Any]]:
        """The pages of the row's site that the first crawl stored, by path."""
        origin = self.origins[name]
        return {
            url.removeprefix(origin): page
            for url, page in self.pages.items()
            if url.startswith(f"{origin}/")
        }

    def failures(self, name: str) -> list[str]:
        """What was told of the row's pages."""
        return [
            f"{failure['url']} {failure['what']}; {failure['remedy']}"
            for failure in self.outcome.failures
            if failure["url"].startswith(f"{self.origins[name]}/")
        ]

    def errors(self, name: str) -> list[str]:
        """The error lines about the row's site."""
        return [line for line in self.crawl.errors if self.origins[name] in line]


def crawl_twice(folder: Path, rows: Sequence[GoesOn | Ends]) -> Crawled:
    workplace = Workplace(folder)
    servers = {row.name: FaultServer(films(), row.path, row.fault, row.times) for row in rows}
    workplace.franchise("films", *(source(server, name=name) for name, server in servers.items()))
    crawl = workplace.crawl("wikipedia", "films", *OPTIONS)
    is_whole(crawl.store)
    outcome, pages = crawl.outcome, crawl.pages()
    asked = {name: server.mend() for name, server in servers.items()}
    for lock in (folder / "data" / "hosts").iterdir():
        lock.unlink()  # the day is over for which some asked to be left alone
    again = workplace.crawl("wikipedia", "films", *OPTIONS)
    asked_again = {name: server.mend() for name, server in servers.items()}
    for server in servers.values():
        server.die()
    origins = {name: server.origin for name, server in servers.items()}
    return Crawled(origins, crawl, outcome, pages, asked, again, asked_again)


@pytest.fixture(scope="module")
def crawls(tmp_path_factory: pytest.TempPathFactory) -> tuple[Crawled, Crawled]:
    """Of GOES_ON and of ENDS, at the same time: most of it is waiting."""
    bomb()  # made before anything waits for it
    folders = [tmp_path_factory.mktemp(name) for name in ("goes-on", "ends")]
    with ThreadPoolExecutor(2) as pool:
        survived, ended = pool.map(crawl_twice, folders, (GOES_ON, ENDS))
    return survived, ended


@pytest.fixture(scope="module")
def survived(crawls: tuple[Crawled, Crawled]) -> Crawled:
    return crawls[0]


@pytest.fixture(scope="module")
def ended(crawls: tuple[Crawled, Crawled]) -> Crawled:
    return crawls[1]


@pytest.mark.parametrize("status", [0, 1], ids=["goes on", "ends"])
def test_the_report_tells(crawls: tuple[Crawled, Crawled], status: int) -> None:
    crawled = crawls[status]
    is_told(crawled.crawl, crawled.outcome, status)
    assert crawled.crawl.peak < crawled.again.peak + LARGE  # `again` met healthy sites only


@pytest.mark.parametrize("row", GOES_ON, ids=lambda row: row.name)
def test_goes_on(survived: Crawled, row: GoesOn) -> None:
    asked = survived.asked[row.name]
    assert 1 <= len(paths(asked, row.path)) <= row.asked
    assert rest_after(asked, row.path) >= row.rest
    had, failures = survived.had(row.name), survived.failures(row.name)
    assert had.keys() == (FILMS - {PAGE} if row.failure else FILMS)
    assert len(failures) == bool(row.failure)
    for failure in failures:
        assert failure.startswith(survived.origins[row.name] + PAGE)
        assert all(word in failure for word in row.failure), failure
    if row.body is not None:
        assert had[PAGE]["body"] == row.body


@pytest.mark.parametrize("row", ENDS, ids=lambda row: row.name)
def test_ends(ended: Crawled, row: Ends) -> None:
    (error,) = ended.errors(row.name)
    assert all(word in error for word in ("defs.yaml", *row.error)), error
    asked = paths(ended.asked[row.name])
    at_fault = paths(ended.asked[row.name], row.path)
    assert 1 <= len(at_fault) <= row.asked
    assert set(asked[asked.index(at_fault[0]) :]) == set(at_fault)  # and nothing after it
    assert len(ended.had(row.name)) == row.stored


@pytest.mark.parametrize("row", [*GOES_ON, *ENDS], ids=lambda row: row.name)
def test_the_same_command_gets_what_was_missing(
    survived: Crawled, ended: Crawled, row: GoesOn | Ends
) -> None:
    crawled = survived if isinstance(row, GoesOn) else ended
    missing = FILMS - crawled.had(row.name).keys()
    assert sorted(paths(crawled.asked_again[row.name], "/wiki/*")) == sorted(missing)


@pytest.mark.parametrize("status", [0, 1], ids=["goes on", "ends"])
def test_all_is_had_in_the_end(crawls: tuple[Crawled, Crawled], status: int) -> None:
    crawled = crawls[status]
    is_told(crawled.again, crawled.again.outcome, 0)
    is_whole(crawled.again.store)
    assert len(crawled.again.pages()) == len(FILMS) * len(crawled.origins)


def test_extraction_survives_bytes_that_are_no_text(survived: Crawled, tmp_path: Path) -> None:
    rules = {row.name: SourceRules(None, None, "en") for row in GOES_ON}
    extract(survived.again.store.current(), rules, tmp_path)
    documents = pq.read_table(tmp_path / "documents.parquet").to_pylist()
    dropped = pq.read_table(tmp_path / "dropped.parquet").to_pylist()
    seen = {urldefrag(row["url"]).url for row in documents + dropped}
    assert seen == survived.again.pages().keys()
    assert all("\x00" not in row["text"] for row in documents)


def test_a_server_that_dies_and_returns(
    workplace: Workplace, faulty: Callable[..., FaultServer]
) -> None:
    server = faulty("/wiki/Film_05", dies)
    workplace.franchise("films", source(server))
    crawl = workplace.crawl("wikipedia", "films", *OPTIONS)
    is_told(crawl, crawl.outcome, 1)
    is_whole(crawl.store)
    had = crawl.pages().keys()
    assert had == {f"{server.origin}/wiki/Film_{n:02}" for n in range(1, 5)}
    (error,) = crawl.errors
    assert "did not answer" in error
    server.mend()
    server.serve_again()
    again = workplace.crawl("wikipedia", "films", *OPTIONS)
    is_told(again, again.outcome, 0)
    is_whole(again.store)
    assert paths(server.asked, "/wiki/*") == [f"/wiki/Film_{n:02}" for n in range(5, 13)]
    assert len(again.pages()) == len(TITLES)
