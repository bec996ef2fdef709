"""How a crawl treats a site that asks for something. Times are the server's own.

What a crawl makes of a site that is unwell stands row by row in tests/integration/fault_table.py.
"""

import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from threading import Lock

import pyarrow.parquet as pq
import pytest

from crawlers.outcome import requests_path
from crawlers.samplesite.exchange import Request, Response, Site, text
from crawlers.samplesite.server import SiteServer


def gap_after(served, path: str) -> float:
    """Seconds from the first request of a path to the next request of anything."""
    entries = served.requests()
    index = next(i for i, entry in enumerate(entries) if entry.path == path)
    return entries[index + 1].time - entries[index].time


def test_retry_after_in_seconds_pauses_the_host(served, crawl) -> None:
    busy = text(429, "slow down", Retry_After="2")
    served.site.script["/wiki/Film_2"] = [busy]
    done = crawl()
    assert done.status == 0, done.stderr
    assert gap_after(served, "/wiki/Film_2") >= 2.0
    assert done.outcome.retries_after_429 == 1
    assert done.outcome.fetched == 4


def test_retry_after_as_a_date(served, crawl) -> None:
    moment = datetime.now(UTC) + timedelta(seconds=4)
    date = format_datetime(moment, usegmt=True)
    served.site.script["/wiki/Film_1"] = [text(503, "busy", Retry_After=date)]
    done = crawl()
    assert done.status == 0, done.stderr
    first, second = (entry.time for entry in served.requests("/wiki/Film_1"))
    waited_until = datetime.now(UTC) - timedelta(seconds=time.monotonic() - second)
    assert second > first
    assert waited_until >= moment.replace(microsecond=0) - timedelta(seconds=0.1)


def test_maxlag_is_waited_for(served, crawl) -> None:
    lagged = text(200, '{"error": {"code": "maxlag", "lag": 9}}', "application/json",
                  Retry_After="1", MediaWiki_API_Error="maxlag")  # fmt: skip
    served.site.script["/w/api.php"] = [lagged]
    done = crawl()
    assert done.status == 0, done.stderr
    times = [entry.time for entry in served.requests("/w/api.php")]
    assert len(times) == 2
    assert times[1] - times[0] >= 1.0
    assert "maxlag=5" in served.paths("/w/api.php")[0]


def test_a_crawl_delay_beyond_reason_stops_the_host(served, crawl) -> None:
    served.site.always["/robots.txt"] = text(200, "User-agent: *\nCrawl-delay: 86400\n")
    done = crawl()
    assert done.status == 1
    assert "86400 s between two requests" in done.errors[-1]
    assert served.paths() == ["/robots.txt"]


def test_robots_closes_a_page_but_not_the_api(served, crawl) -> None:
    rules = "User-agent: *\nDisallow: /w/\nDisallow: /wiki/Film_3\n"
    served.site.always["/robots.txt"] = text(200, rules)
    done = crawl()
    assert done.status == 0, done.stderr
    assert "/wiki/Film_3" not in served.paths()
    assert "closes /wiki/Film_3" in done.outcome.failures[0]["what"]
    assert "/w/api.php used under https://" in done.outcome.robots[served.origin]


def test_a_typed_rule_opens_nothing_that_robots_txt_closes(served, workplace) -> None:
    """Nor is it cited as what does: the record would prove itself by what a person typed."""
    served.site.always["/robots.txt"] = text(200, "User-agent: *\nDisallow: /w/\n")
    typed = {"rule": "I may", "rule_url": "https://example.org/rule"}
    source = {"spider": "wikipedia", "site": served.origin, "titles": ["Film 1"], "policy": typed}
    workplace.franchise("films", source)
    done = workplace.crawl("wikipedia", "films")
    assert done.status == 0, done.stderr
    rules = pq.read_table(requests_path(done.store.root, done.outcome.crawl_id))["rule"].to_pylist()
    by = "https://wikitech.wikimedia.org/wiki/Robot_policy"
    assert f"robots.txt closes it to robots; open by {by}" in rules
    assert "example.org" not in f"{rules} {done.outcome.robots}"


def test_bulbapedias_api_has_no_rule_of_its_own(workplace, serve: Callable) -> None:
    served = serve("bulbapedia")
    served.site.always["/robots.txt"] = text(200, "User-agent: *\nDisallow: /w/\n")
    workplace.franchise(
        "show", {"spider": "bulbapedia", "site": served.origin, "titles": ["EP001"]}
    )
    done = workplace.crawl("bulbapedia", "show")
    assert done.status == 1
    assert "robots.txt closes /w/api.php" in done.errors[-1]
    assert served.paths() == ["/robots.txt"]


def test_crawl_delay_is_kept_between_all_requests(served, crawl) -> None:
    served.site.always["/robots.txt"] = text(200, "User-agent: *\nCrawl-delay: 0.3\n")
    assert crawl().status == 0
    times = [entry.time for entry in served.requests()]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert len(gaps) == 5
    assert sum(gaps[1:]) >= 4 * 0.29  # what arrives a little late makes the next gap shorter
    assert min(gaps[1:]) >= 0.15


def test_redirect_off_the_site_is_refused(served, crawl, serve: Callable) -> None:
    other = serve()
    served.site.always["/wiki/Film_2"] = text(302, "", Location=f"{other.origin}/wiki/Film_2")
    served.site.always["/wiki/Film_3"] = text(302, "", Location="http://10.0.0.1/secret")
    done = crawl()
    assert done.status == 1  # half of the pages are missing
    assert other.paths() == []
    whats = [failure["what"] for failure in done.outcome.failures]
    assert len(whats) == 2
    assert all("leads off the site" in what for what in whats)


def test_refused_connection_is_one_clear_error(workplace) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        origin = f"http://127.0.0.1:{free.getsockname()[1]}"
    workplace.franchise("films", {"spider": "wikipedia", "site": origin, "titles": ["A"]})
    done = workplace.crawl("wikipedia", "films")
    assert done.status == 1
    assert len(done.errors) == 1
    assert "refused" in done.errors[0]
    assert "defs.yaml" in done.errors[0]
    assert origin in done.errors[0]
    assert not done.outcome.complete


def test_a_server_that_dies_is_not_hammered(served, crawl) -> None:
    served.site.always |= {f"/wiki/Film_{n}": text(500, "broken") for n in (1, 2)}
    done = crawl(titles=("Film 1", "Film 2"))
    assert done.status == 1
    assert "only 0 of 2 pages could be had" in done.errors[-1]
    assert len(served.paths("/wiki/Film_1")) == 4  # RETRY_TIMES = 3


@pytest.mark.parametrize("contact", [None, "nobody", "x@example.org\r\nX-Evil: 1"])
def test_no_live_crawl_without_a_contact(workplace, contact: str | None) -> None:
    workplace.franchise("films", {"spider": "wikipedia", "titles": ["A"]})
    if contact:
        workplace.environment["LOREMILL_CONTACT"] = contact
    done = workplace.crawl("wikipedia", "films")
    assert done.status == 1
    assert "LOREMILL_CONTACT" in done.errors[-1]
    assert done.outcome.requests == 0
    assert done.outcome.finish_reason == "no_contact"
    assert len(done.stderr.splitlines()) == 1  # no figures of a crawl that never began


def test_user_agent_names_tool_and_operator(workplace, served, crawl) -> None:
    workplace.environment["LOREMILL_CONTACT"] = "ops@example.org"
    crawl()
    agents = {entry.user_agent for entry in served.requests()}
    assert len(agents) == 1
    assert agents.pop().startswith("Loremill/")
    assert "(ops@example.org)" in served.requests()[0].user_agent


def test_unknown_host_has_no_policy(workplace) -> None:
    workplace.franchise(
        "films", {"spider": "wikipedia", "site": "https://wiki.example.org", "titles": ["A"]}
    )
    done = workplace.crawl("wikipedia", "films")
    assert done.status == 2
    assert "no policy says how wiki.example.org may be crawled" in done.errors[0]


def test_interrupt_keeps_what_came(workplace, served) -> None:
    served.site.always["/robots.txt"] = text(200, "User-agent: *\nCrawl-delay: 0.7\n")
    for n in range(5, 101):
        served.wiki.create(f"Film {n}", f"<p>Plot {n}.</p>")
    # More than a minute of crawling, so that a busy machine, too, stops it before it is done.
    titles = [f"Film {n}" for n in range(1, 101)]
    workplace.franchise("films", {"spider": "wikipedia", "site": served.origin, "titles": titles})
    process = workplace.start("wikipedia", "films")
    while len(served.paths("/wiki/")) < 2:
        time.sleep(0.05)
    process.terminate()
    _, stderr = process.communicate(timeout=50)
    assert process.returncode == 1
    assert "interrupted" in stderr
    assert workplace.outcome("films", "wikipedia").finish_reason == "shutdown"
    store = workplace.store("films", "wikipedia")
    assert 1 <= store.count() < 100
    assert list((store.root / "journal").iterdir()) == []


def test_kill_and_again_fetches_only_what_is_missing(workplace, served) -> None:
    served.site.always["/robots.txt"] = text(200, "User-agent: *\nCrawl-delay: 0.2\n")
    titles = [f"Film {n}" for n in range(1, 5)]
    workplace.franchise("films", {"spider": "wikipedia", "site": served.origin, "titles": titles})
    process = workplace.start("wikipedia", "films")
    while len(served.paths("/wiki/")) < 3:
        time.sleep(0.02)
    process.kill()
    process.communicate()
    done = workplace.crawl("wikipedia", "films")
    assert done.status == 0, done.stderr
    assert done.store.count() == 4
    assert done.outcome.unchanged >= 1
    assert len(served.paths("/wiki/")) <= 6  # at most those in flight come twice


def test_a_host_that_falls_silent_is_left_alone(workplace, served) -> None:
    for n in range(5, 31):
        served.wiki.create(f"Film {n}", f"<p>Plot {n}.</p>")
    served.site.dead_after = "/wiki/Film_3"
    titles = [f"Film {n}" for n in range(1, 31)]
    workplace.franchise("films", {"spider": "wikipedia", "site": served.origin, "titles": titles})
    done = workplace.crawl("wikipedia", "films")
    assert done.status == 1
    assert len(done.errors) == 1
    assert "did not answer 8 requests in a row" in done.errors[0]
    assert served.site.refused <= 10
    assert done.store.count() == 3


@dataclass
class Watched:
    """Answers slowly, and counts how many requests it answers at once."""

    site: Site
    at_once: int = 0
    most: int = 0
    lock: Lock = field(default_factory=Lock)

    @property
    def name(self) -> str:
        return self.site.name

    def content_hash(self) -> str:
        return ""

    def answer(self, request: Request) -> Response:
        with self.lock:
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        time.sleep(0.05)
        try:
            return self.site.answer(request)
        finally:
            with self.lock:
                self.at_once -= 1


def test_of_several_sources_no_two_requests_are_under_way(workplace, served) -> None:
    for n in range(1, 5):
        served.wiki.create(f"Show {n}", "<p>Plot.</p>", categories=("Shows",))
    watched = Watched(served.site)
    server = SiteServer([watched], [0])
    site = {"spider": "wikipedia", "site": server.origins[0]}
    workplace.franchise(
        "films",
        {**site, "name": "first", "titles": ["Film 1", "Film 2"]},
        {**site, "name": "second", "categories": ["Shows"]},
        {**site, "name": "third", "titles": ["Film 3", "Film 4"]},
    )
    with server:
        done = workplace.crawl("wikipedia", "films")
    assert done.status == 0, done.stderr
    assert done.outcome.fetched == 8
    assert watched.most == 1


#: A minute of one second, else it would take real ones.
_SHORT_MINUTE = """
import crawlers.politeness.host as host
from scrapy.cmdline import execute
host._MINUTE = 1.0
execute()
"""


def test_the_cap_a_minute_holds_over_a_crawl(workplace, served) -> None:
    titles = [f"Film {n}" for n in range(1, 5)]
    source = {"spider": "wikipedia", "site": served.origin, "titles": titles}
    workplace.franchise("films", {**source, "policy": {"requests_per_minute": 2}})
    subprocess.run(
        [sys.executable, "-c", _SHORT_MINUTE, "crawl", "wikipedia", "-a", "franchise=films"],
        cwd=workplace.folder,
        env=workplace.environment,
        check=True,
    )
    assert workplace.outcome("films", "wikipedia").requests_per_minute == 2
    times = [entry.time for entry in served.requests()]
    assert len(times) == 6
    # What arrives a little late comes closer to the next: two minutes' gaps even it out.
    assert times[4] - times[0] >= 1.9
    assert times[5] - times[1] >= 1.9
