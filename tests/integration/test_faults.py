"""The table of what servers do wrong (issue 3), row by row, against real sockets and real crawls.

Where a crawl can go on it must: all rows of `GOES_ON` are sources of one crawl, each a site of its
own with twelve films, and the crawl ends complete. Where it cannot, as in `ENDS`, each row is a
crawl of its own that ends with status 1 and says why. After either the store is whole.
"""

import gzip
import json
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag

import brotli
import pyarrow.parquet as pq
import pytest

from crawlers.outcome import CrawlOutcome
from pipeline.extract import SourceRules, extract
from tests.crawl_workplace import Finished, Workplace
from tests.integration.fault_server import (
    TITLES,
    Asked,
    Fault,
    FaultServer,
    at_random,
    breaks_off,
    claims,
    dies,
    drips,
    drips_headers,
    films,
    floods_headers,
    packed,
    paths,
    rest_after,
    says,
    silent,
    streams,
)
from tests.integration.judge import is_told, is_whole

API = "/w/api.php"
ROBOTS = "/robots.txt"
PAGE = "/wiki/Film_03"
MB = 10**6
#: Waits and sizes so small that the table costs little, so large that a busy machine is no fault.
SETTINGS = {
    "DOWNLOAD_TIMEOUT": 3,
    "DOWNLOAD_MAXSIZE": 8 * 2**20,
    "RETRY_TIMES": 1,
    "RETRY_BACKOFF": 0.1,
    "CONCURRENT_REQUESTS": 64,  # a site that rests holds no other up
}
OPTIONS = tuple(part for item in SETTINGS.items() for part in ("-s", "{}={}".format(*item)))
TRIES = 2
#: A crawl of healthy sites peaks at 150 MB; a page of 100 MB, or a bomb, must not show.
MEMORY = 220 * MB


@dataclass(frozen=True)
class GoesOn:
    """A fault after which all else is had. `times`: how often it is committed; None: always."""

    name: str
    path: str
    fault: Fault
    times: int | None = None
    failure: tuple[str, ...] = ()  # words about the page, which is then missing; none: it is had
    asked: int = 1  # how often at most the path is asked for
    rest: float = 0.0  # seconds at least until the next request to this site
    body: bytes | None = None  # of the page as stored


@dataclass(frozen=True)
class Ends:
    """A fault after which nothing can be had of the site."""

    name: str
    path: str
    fault: Fault
    error: tuple[str, ...]  # words of the line on stderr
    stored: int  # how many pages came before
    asked: int = 1  # how often at most the path is asked for


def busy_until_a_date(wire) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=3), usegmt=True)
    says(503, "busy", Retry_After=date)(wire)


def lagging(**headers: str) -> Fault:
    """MediaWiki's word that its databases lag, with status 200."""
    said = {"Content_Type": "application/json", "MediaWiki_API_Error": "maxlag", **headers}
    return says(200, '{"error": {"code": "maxlag", "info": "Waiting for a database"}}', **said)


@cache
def bomb() -> bytes:
    """Some 300 kB that unpack to 300 MB."""
    packer = zlib.compressobj(wbits=31)
    return b"".join(packer.compress(bytes(MB)) for _ in range(300)) + packer.flush()


INVALID = b"<html><body><h2>Plot</h2><p>Na\xefve \xff\xfe\xc3( end.\x00</p></body></html>"
BROKE_OFF = ("broke off", "run the same command again")
TOO_LARGE = ("larger than allowed", "DOWNLOAD_MAXSIZE")
TOO_SLOW = ("not whole in time", "DOWNLOAD_TIMEOUT")
NOT_ASKED = ("which was not asked for",)
LOOP = ("redirects without end",)  # REDIRECT_MAX_TIMES = 5
OFF_THE_SITE = ("leads off the site", "`site:`")

GOES_ON = (
    GoesOn("429 with seconds", PAGE, says(429, Retry_After="1"), 1, asked=2, rest=1.0),
    GoesOn("503 with a date", PAGE, busy_until_a_date, 1, asked=2, rest=2.0),
    GoesOn("429 without Retry-After", PAGE, says(429), 1, asked=2, rest=0.5),
    GoesOn("429 with a wait that is none", PAGE, says(429, Retry_After="soon"), 1, asked=2,
           rest=0.5),
    GoesOn("429 in a packing that was not asked for", PAGE, says(429, "?", Content_Encoding="br"),
           1, asked=2, rest=0.5),
    GoesOn("503 for one page", PAGE, says(503), None, ("busy or broken (status 503)",), TRIES),
    GoesOn("reset in mid-body, once", PAGE, breaks_off("length", reset=True), 1, asked=2),
    *(
        GoesOn(f"reset in mid-body ({framing})", PAGE, breaks_off(framing, reset=True), None,
               BROKE_OFF, TRIES)
        for framing in ("length", "chunks", "close")
    ),
    *(
        GoesOn(f"truncated body ({framing})", PAGE, breaks_off(framing), None, BROKE_OFF, TRIES)
        for framing in ("length", "chunks", "close")
    ),
    GoesOn("Content-Length too long", PAGE, claims(+500), None, BROKE_OFF, TRIES),
    GoesOn("Content-Length too short", PAGE, claims(-500), None, BROKE_OFF, TRIES),
    GoesOn("slow drip", PAGE, drips, None, TOO_SLOW, TRIES),
    GoesOn("slow drip of headers", PAGE, drips_headers, None, TOO_SLOW, TRIES),
    GoesOn("silence", PAGE, silent, None, TOO_SLOW, TRIES),
    GoesOn("no HTTP", PAGE, at_random, None, ("no answer that can be read",), TRIES),
    GoesOn("redirect loop", PAGE, says(302, Location=PAGE), None, LOOP, 6),
    GoesOn("redirect off the site", PAGE, says(302, Location="http://localhost:9/"), None,
           OFF_THE_SITE),
    GoesOn("redirect to a private address", PAGE, says(302, Location="http://10.0.0.1/secret"),
           None, OFF_THE_SITE),
    GoesOn("redirect to a cloud's metadata", PAGE,
           says(302, Location="http://169.254.169.254/latest/meta-data/"), None, OFF_THE_SITE),
    GoesOn("redirect to a file", PAGE, says(302, Location="file:///etc/hostname"), None,
           ("answered with status 302",)),
    GoesOn("redirect to no address", PAGE, says(302, Location="http://[::1"), None,
           ("what is no address",)),
    GoesOn("gzip", PAGE, packed(gzip.compress, "gzip")),
    GoesOn("gzip bomb", PAGE, packed(lambda _: bomb(), "gzip"), None, TOO_LARGE),
    GoesOn("truncated gzip", PAGE, packed(gzip.compress, "gzip", cut=0.5), None,
           ("cannot be unpacked", "breaks off"), TRIES),
    GoesOn("gzip that is none", PAGE, packed(lambda body: body, "gzip"), None,
           ("cannot be unpacked",), TRIES),
    *(
        GoesOn(f"packed as {encoding}", PAGE, packed(pack, encoding), None, NOT_ASKED)
        for encoding, pack in (("br", brotli.compress), ("deflate", zlib.compress),
                               ("gzip, gzip", gzip.compress), ("zstd", bytes))
    ),
    GoesOn("100 MB page with its length", PAGE, streams(100 * MB, "length"), None, TOO_LARGE),
    GoesOn("100 MB page in chunks", PAGE, streams(100 * MB, "chunks"), None, TOO_LARGE),
    GoesOn("100 MB page until it closes", PAGE, streams(100 * MB, "close"), None, TOO_LARGE),
    GoesOn("maxlag", API, lagging(Retry_After="1"), 1, asked=2, rest=1.0),
    GoesOn("maxlag without Retry-After", API, lagging(), 1, asked=2, rest=5.0),
    GoesOn("robots.txt 404", ROBOTS, says(404)),
    GoesOn("robots.txt of 5 MB", ROBOTS,
           says(200, f"User-agent: *\nDisallow: {PAGE}\n" + "# filler\n" * 550_000), None,
           ("robots.txt closes",), asked=1),
    GoesOn("invalid UTF-8", PAGE, says(200, INVALID), body=INVALID),
    GoesOn("empty body", PAGE, says(200), None, ("is no HTML page", "0 bytes")),
    GoesOn("another kind", PAGE, says(200, "{}", Content_Type="application/json"), None,
           ("is no HTML page", "application/json")),
)  # fmt: skip

ENDS = (
    Ends("429 for a day", PAGE, says(429, Retry_After="86400"), ("86400 s", "Retry-After"), 2),
    Ends("503 storm", "/wiki/*", says(503), ("8 pages in a row", "status 503"), 0, asked=12),
    Ends("robots.txt 503", ROBOTS, says(503), ("answered 503", "RFC 9309"), 0, asked=TRIES),
    Ends("robots.txt time-out", ROBOTS, silent, ("not whole in time", "RFC 9309"), 0, asked=TRIES),
    Ends("robots.txt of 100 MB", ROBOTS, streams(100 * MB, "chunks"), ("larger", "RFC 9309"), 0),
    Ends("robots.txt elsewhere", ROBOTS, says(302, Location="http://localhost:9/robots.txt"),
         ("leads off the site", "RFC 9309"), 0),
    Ends("HTML where JSON was asked", API, says(200, "<html>Welcome</html>"), ("not JSON",), 0),
    Ends("API error with status 200", API,
         says(200, '{"error": {"code": "readonly", "info": "no"}}'), ("readonly: no",), 0),
    Ends("API error that forges lines", API,
         says(200, json.dumps({"error": {"code": "x", "info": "\x1b[2J\nerror: forged\n" * 99}})),
         (r"answered x: \x1b[2J\nerror: forged\n",), 0),
    Ends("JSON of another shape", API, says(200, '{"query": {"pages": [7]}}'), ("not the API",), 0),
    Ends("JSON without end", API, says(200, "[" * 10**6), ("not JSON",), 0),
    Ends("JSON that is no text", API, says(200, r'{"query": {"pages": [{"title": "\ud800"}]}}'),
         ("not JSON",), 0),
    Ends("API that breaks off", API, breaks_off("close"), ("not JSON",), 0),
    Ends("API that is reset", API, breaks_off("length", reset=True), BROKE_OFF, 0, asked=TRIES),
    Ends("API that drips", API, drips, TOO_SLOW, 0, asked=TRIES),
    Ends("API of 100 MB", API, streams(100 * MB, "chunks"), TOO_LARGE, 0),
    Ends("API in circles", API, says(302, Location=API), LOOP, 0, asked=6),
    Ends("API at no address", API, says(302, Location="http://[::1"), ("what is no address",), 0),
    Ends("maxlag for a day", API, lagging(Retry_After="86400"), ("86400 s", "maxlag"), 0),
    Ends("maxlag without end", API, lagging(Retry_After="0"), ("answered maxlag",), 0, asked=21),
    Ends("challenge by header", PAGE,
         says(403, "<html></html>", cf_mitigated="challenge"), ("challenge", "a no"), 2),
    Ends("challenge by title", PAGE,
         says(200, "<!doctype html><html><head><title>Just a moment...</title></head></html>"),
         ("challenge", "a no"), 2),
    Ends("challenge by markup", PAGE,
         says(503, "<html><body><script>window._cf_chl_opt={}</script></body></html>"),
         ("challenge", "a no"), 2),
    Ends("challenge in a packing that was not asked for", PAGE,
         says(403, "?", cf_mitigated="challenge", Content_Encoding="br"), ("challenge", "a no"), 2),
    Ends("challenge of the API", API,
         says(403, "<html></html>", cf_mitigated="challenge"), ("challenge", "a no"), 0),
    Ends("challenge for robots.txt", ROBOTS,
         says(403, "<html></html>", cf_mitigated="challenge"), ("challenge", "a no"), 0),
)  # fmt: skip


def source(server: FaultServer, **keys: object) -> dict[str, object]:
    """All films of the server, as the YAML has them."""
    named = {} if "categories" in keys else {"titles": list(TITLES)}
    return {"spider": "wikipedia", "site": server.origin, **named, **keys}


@dataclass(frozen=True)
class Together:
    """The one crawl of all rows that go on, and the next one, after all faults were mended."""

    crawl: Finished
    outcome: CrawlOutcome  # of the first
    pages: dict[str, dict[str, Any]]  # after the first
    asked: dict[str, list[Asked]]  # during the first, by row
    again: Finished
    asked_again: dict[str, list[Asked]]
    origins: dict[str, str]

    def had(self, row: GoesOn) -> dict[str, dict[str, Any]]:
        """The pages of the row's site that the first crawl stored, by path."""
        origin = self.origins[row.name]
        return {
            url.removeprefix(origin): page
            for url, page in self.pages.items()
            if url.startswith(f"{origin}/")
        }

    def failures(self, row: GoesOn) -> list[str]:
        """What was told of the row's site."""
        return [
            f"{failure['url']} {failure['what']}; {failure['remedy']}"
            for failure in self.outcome.failures
            if failure["url"].startswith(f"{self.origins[row.name]}/")
        ]


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> Together:
    bomb()  # before anything waits for it
    workplace = Workplace(tmp_path_factory.mktemp("goes-on"))
    servers = {row.name: FaultServer(films(), row.path, row.fault, row.times) for row in GOES_ON}
    workplace.franchise("films", *(source(server, name=name) for name, server in servers.items()))
    origins = {name: server.origin for name, server in servers.items()}
    crawl = workplace.crawl("wikipedia", "films", *OPTIONS)
    outcome, pages = crawl.outcome, crawl.pages()
    asked = {name: server.mend() for name, server in servers.items()}
    again = workplace.crawl("wikipedia", "films", *OPTIONS)
    asked_again = {name: server.mend() for name, server in servers.items()}
    for server in servers.values():
        server.die()
    return Together(crawl, outcome, pages, asked, again, asked_again, origins)


def test_a_crawl_goes_on_and_is_whole(together: Together) -> None:
    is_told(together.crawl, status=0)
    is_whole(together.crawl.store)
    assert together.crawl.peak < MEMORY


@pytest.mark.parametrize("row", GOES_ON, ids=lambda row: row.name)
def test_goes_on(together: Together, row: GoesOn) -> None:
    asked = together.asked[row.name]
    assert 1 <= len(paths(asked, row.path)) <= row.asked
    assert rest_after(asked, row.path) >= row.rest
    expected = {f"/wiki/{title.replace(' ', '_')}" for title in TITLES}
    if row.failure:
        (failure,) = together.failures(row)
        assert failure.startswith(f"{together.origins[row.name]}{PAGE}")
        for word in row.failure:
            assert word in failure
        expected.remove(PAGE)
    else:
        assert together.failures(row) == []
    assert together.had(row).keys() == expected
    if row.body is not None:
        assert together.had(row)[PAGE]["body"] == row.body


@pytest.mark.parametrize("row", GOES_ON, ids=lambda row: row.name)
def test_the_same_command_gets_what_was_missing(together: Together, row: GoesOn) -> None:
    missing = [PAGE] if row.failure else []
    assert paths(together.asked_again[row.name], "/wiki/*") == missing


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[FaultServer, Finished]]:
    """A crawl of each row that ends one, a few at a time."""

    def crawl(row: Ends) -> tuple[FaultServer, Finished]:
        server = FaultServer(films(), row.path, row.fault)
        workplace = Workplace(tmp_path_factory.mktemp("ends"))
        workplace.franchise("films", source(server))
        finished = workplace.crawl("wikipedia", "films", *OPTIONS)
        server.die()
        return server, finished

    with ThreadPoolExecutor(4) as pool:
        return {row.name: found for row, found in zip(ENDS, pool.map(crawl, ENDS), strict=True)}


@pytest.mark.parametrize("row", ENDS, ids=lambda row: row.name)
def test_ends(apart: dict[str, tuple[FaultServer, Finished]], row: Ends) -> None:
    server, crawl = apart[row.name]
    is_told(crawl, status=1)
    is_whole(crawl.store)
    (error,) = crawl.errors
    for word in ("defs.yaml", server.origin, *row.error):
        assert word in error
    asked = paths(server.asked)
    at_fault = paths(server.asked, row.path)
    assert 1 <= len(at_fault) <= row.asked
    assert set(asked[asked.index(at_fault[0]) :]) == set(at_fault)  # and nothing after it
    assert len(crawl.pages()) == row.stored
    assert crawl.peak < MEMORY


def test_extraction_survives_bytes_that_are_no_text(together: Together, tmp_path: Path) -> None:
    rules = {row.name: SourceRules(None, None, "en") for row in GOES_ON}
    extract(together.crawl.store.current(), rules, tmp_path)
    documents = pq.read_table(tmp_path / "documents.parquet").to_pylist()
    dropped = pq.read_table(tmp_path / "dropped.parquet").to_pylist()
    seen = {urldefrag(row["url"]).url for row in documents + dropped}
    assert seen == together.again.pages().keys()
    assert all("\x00" not in row["text"] for row in documents)


def test_a_server_that_dies_and_returns(
    workplace: Workplace, faulty: Callable[..., FaultServer]
) -> None:
    server = faulty("/wiki/Film_05", dies)
    workplace.franchise("films", source(server))
    crawl = workplace.crawl("wikipedia", "films", *OPTIONS)
    is_told(crawl, status=1)
    is_whole(crawl.store)
    had = crawl.pages().keys()
    assert had == {f"{server.origin}/wiki/Film_{n:02}" for n in range(1, 5)}
    (error,) = crawl.errors
    assert "did not answer" in error
    server.mend()
    server.serve_again()
    again = workplace.crawl("wikipedia", "films", *OPTIONS)
    is_told(again, status=0)
    is_whole(again.store)
    assert paths(server.asked, "/wiki/*") == [f"/wiki/Film_{n:02}" for n in range(5, 13)]
    assert len(again.pages()) == len(TITLES)


def test_what_has_no_bound_of_its_own_ends_the_crawl(
    workplace: Workplace, faulty: Callable[..., FaultServer]
) -> None:
    server = faulty(PAGE, floods_headers)
    workplace.franchise("films", source(server))
    memory = ("-s", "MEMUSAGE_LIMIT_MB=180", "-s", "MEMUSAGE_CHECK_INTERVAL_SECONDS=0.2")
    crawl = workplace.crawl("wikipedia", "films", *OPTIONS, *memory)
    is_told(crawl, status=1)
    is_whole(crawl.store)
    assert "memusage_exceeded" in crawl.errors[0]


def test_more_pages_than_a_crawl_may_have(
    workplace: Workplace, faulty: Callable[..., FaultServer]
) -> None:
    server = faulty()
    workplace.franchise("films", source(server))
    crawl = workplace.crawl("wikipedia", "films", *OPTIONS, "-s", "MAX_PAGES=5")
    is_told(crawl, status=1)
    is_whole(crawl.store)
    (error,) = crawl.errors
    for word in ("defs.yaml", server.origin, "more pages than a crawl may have (5)", "MAX_PAGES"):
        assert word in error
    assert len(paths(server.asked, "/wiki/*")) == 5
    enough = workplace.crawl("wikipedia", "films", *OPTIONS, "-s", "MAX_PAGES=12")
    is_told(enough, status=0)


def test_categories_are_followed_no_deeper_than_asked(
    workplace: Workplace, faulty: Callable[..., FaultServer]
) -> None:
    server = faulty()
    for level in range(6):  # 0 > 1 > … > 5 > 0: a circle
        below = (f"Level {(level - 1) % 6}",)
        server.site.wiki.create(f"Category:Level {level}", categories=below)
        server.site.wiki.create(f"Deep {level}", categories=(f"Level {level}",))
    for depth, pages in ((2, 3), (10, 6)):
        server.asked.clear()
        workplace.franchise("films", source(server, categories=["Level 0"], depth=depth))
        crawl = workplace.crawl("wikipedia", "films", *OPTIONS)
        is_told(crawl, status=0)
        assert len(crawl.pages()) == pages
        assert len(paths(server.asked, API)) == pages  # each category is listed once
