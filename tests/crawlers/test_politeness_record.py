"""The politeness record of real crawls, set beside what the server logged."""

import asyncio
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pyarrow.parquet as pq
import pytest
from scrapy.http import Request

from crawlers.outcome import requests_path
from crawlers.politeness import rule
from crawlers.politeness.record import RequestRecord
from crawlers.samplesite.exchange import Response, html, text
from crawlers.sites import origin_of
from crawlers.store.journal import read_journal
from pipeline.schema import REQUESTS

Row = dict[str, Any]


def record(done) -> list[Row]:
    table = pq.read_table(requests_path(done.store.root, done.outcome.crawl_id))
    assert table.schema.equals(REQUESTS)
    return sorted(table.to_pylist(), key=lambda row: row["time"])


def path(row: Row, served) -> str:
    return row["url"].removeprefix(served.origin)


def test_every_request_that_the_server_saw_is_a_row(served, crawl) -> None:
    served.site.always["/robots.txt"] = text(200, "User-agent: *\nCrawl-delay: 0.1\n")
    served.wiki.create("Film 5", "<p>Pokémon.</p>")
    done = crawl(titles=("Film 1", "Film 2", "Film 5", "No such film"))
    rows = record(done)
    logged = served.requests()
    assert [(path(row, served), row["status"]) for row in rows] == [
        (entry.path, entry.status) for entry in logged
    ]
    assert [row["kind"] for row in rows] == ["robots", "listing", "page", "page", "page"]
    assert [row["rule"] for row in rows] == [
        rule.ROBOTS_ITSELF, *["robots.txt allows; Crawl-delay 0.1 s"] * 4
    ]  # fmt: skip
    assert all(row["sent"] and row["attempt"] == 1 and row["asked"] is None for row in rows)
    assert rows[0]["done"] == "Crawl-delay 0.1"
    assert [row["gap"] is None for row in rows] == [True, False, False, False, False]
    for earlier, later, row in zip(logged, logged[1:], rows[1:], strict=False):
        assert row["gap"] == pytest.approx(later.time - earlier.time, abs=0.09)
        assert row["gap"] >= 0.1
        assert row["wait"] <= 0.5
    for row in rows:
        assert row["host"] == served.origin
        assert row["crawl_id"] == done.outcome.crawl_id
        assert (row["franchise"], row["spider"]) == ("films", "wikipedia")
        assert 0 < row["seconds"] < 5
    assert rows[0]["bytes"] == len(b"User-agent: *\nCrawl-delay: 0.1\n")
    assert sum(row["bytes"] for row in rows) == done.outcome.bytes


def test_the_outcomes_figures_are_the_records(served, crawl) -> None:
    done = crawl()
    rows = record(done)
    sent = [row["time"] for row in rows if row["sent"]]
    assert done.outcome.requests == len(sent)
    assert done.outcome.requests_per_minute == max(
        sum(end - timedelta(minutes=1) < time <= end for time in sent) for end in sent
    )
    assert done.outcome.shortest_gap == min(row["gap"] for row in rows if row["gap"] is not None)
    lines = [line for line in done.stderr.splitlines() if "in the busiest minute" in line]
    gap = f"{done.outcome.shortest_gap:.2f}"
    assert lines == [f"wikipedia: 6 requests, {gap} s apart at least, 6 in the busiest minute"]


def test_a_rest_and_the_next_attempt(served, crawl) -> None:
    served.site.script["/wiki/Film_2"] = [text(429, "slow down", Retry_After="1")]
    served.site.script["/wiki/Film_3"] = [text(503, "busy")]
    served.site.script["/w/api.php"] = [
        text(200, "{}", "application/json", Retry_After="1", MediaWiki_API_Error="maxlag")
    ]
    done = crawl()
    assert done.status == 0, done.stderr
    rows = record(done)
    by_path: dict[str, list[Row]] = {}
    for row in rows:
        by_path.setdefault(path(row, served).partition("?")[0], []).append(row)

    def told(of: str) -> list[tuple[Any, ...]]:
        return [(row["status"], row["attempt"], row["asked"], row["done"]) for row in by_path[of]]

    assert told("/wiki/Film_2") == [
        (429, 1, 1.0, "rests 1 s, then asks again"),
        (200, 2, None, None),
    ]
    assert told("/wiki/Film_3") == [
        (503, 1, None, "rests 0.1 s, then asks again"),
        (200, 2, None, None),
    ]
    assert told("/w/api.php") == [
        (200, 1, 1.0, "maxlag: rests 1 s, then asks again"),
        (200, 2, None, None),
    ]
    after = next(later for row, later in pairwise(rows) if row["status"] == 429)
    assert after["wait"] >= 0.9
    assert after["gap"] >= 1.0
    assert done.outcome.rests == 3
    assert "3 rests when a server was busy" in done.stderr


def test_refusals_are_rows_too(served, crawl, serve) -> None:
    other = serve()
    rules = "User-agent: *\nDisallow: /w/\nDisallow: /wiki/Film_3\n"
    served.site.always["/robots.txt"] = text(200, rules)
    served.site.always["/wiki/Film_1"] = text(302, "", Location=f"{other.origin}/x")
    served.site.always["/wiki/Film_2"] = html(
        200, "<html><head><title>Just a moment...</title></head></html>"
    )
    done = crawl()
    rows = record(done)
    told = {(path(row, served).partition("?")[0], row["sent"]): row for row in rows}
    api = told["/w/api.php", True]
    assert api["rule"].startswith(f"{rule.CLOSED}; open by https://")
    assert told["/wiki/Film_1", True]["done"] == f"redirected to {other.origin}/x"
    off_site = told[f"{other.origin}/x", False]
    assert (off_site["host"], off_site["rule"]) == (other.origin, rule.OFF_SITE)
    assert "leads off the site" in off_site["done"]
    assert told["/wiki/Film_3", False]["rule"] == rule.CLOSED
    assert told["/wiki/Film_2", True]["done"] == f"a challenge page: {rule.LEFT_ALONE}"
    left = told["/wiki/Film_4", False]
    assert left["rule"] == rule.LEFT_ALONE
    assert "challenge page" in left["done"]
    assert (left["gap"], left["status"], left["bytes"], left["seconds"]) == (None,) * 4
    assert sum(row["sent"] for row in rows) == len(served.requests())


def test_what_was_not_answered_says_why(served, crawl) -> None:
    served.site.dead_after = "/wiki/Film_1"
    rows = record(crawl("-s", "RETRY_TIMES=1"))
    unanswered = [row for row in rows if row["sent"] and row["status"] is None]
    assert len(unanswered) == served.site.refused
    ends = {row["attempt"]: row["done"].rpartition("; ")[2] for row in unanswered}
    assert ends == {1: "asks again", 2: "gives up"}
    assert all(row["bytes"] is None and row["seconds"] is not None for row in unanswered)


def test_a_rest_beyond_reason_and_what_waited_then(served, crawl) -> None:
    served.site.script["/wiki/Film_2"] = [text(429, "tomorrow", Retry_After="86400")]
    rows = record(crawl())
    (told,) = (row for row in rows if row["status"] == 429)
    assert (told["asked"], told["done"]) == (86400.0, rule.LEFT_ALONE)
    waiting = [row for row in rows if row["rule"] == rule.LEFT_ALONE]
    assert [path(row, served) for row in waiting] == ["/wiki/Film_3", "/wiki/Film_4"]
    answered = told["time"] + timedelta(seconds=told["seconds"])
    assert all(row["time"] >= answered - timedelta(milliseconds=2) for row in waiting)


def test_what_waits_when_the_crawl_ends_was_not_sent(workplace, served) -> None:
    served.site.always["/robots.txt"] = text(200, "User-agent: *\nCrawl-delay: 0.7\n")
    titles = [f"Film {n}" for n in range(1, 5)]
    workplace.franchise("films", {"spider": "wikipedia", "site": served.origin, "titles": titles})
    process = workplace.start("wikipedia", "films", "-s", "LOREMILL_CRAWL_ID=ended")
    while not served.paths("/wiki/"):
        time.sleep(0.05)
        assert process.poll() is None
    process.terminate()
    process.communicate()
    root = workplace.store("films", "wikipedia").root
    rows = pq.read_table(requests_path(root, "ended")).to_pylist()
    assert [row["sent"] for row in rows].count(True) == len(served.paths())
    assert {row["rule"] for row in rows if not row["sent"]} == {rule.CRAWL_ENDED}


@pytest.mark.parametrize(
    ("answer", "done"),
    [
        (Response(200, b"\x1f\x8b\x08torn", {"Content-Encoding": "gzip"}), "torn gzip; asks again"),
        (html(200, "<html><body>It ends in mid"), "a page without its end; asks again"),
    ],
    ids=["gzip", "page"],
)
def test_what_could_not_be_believed_says_so(served, crawl, answer: Response, done: str) -> None:
    served.site.script["/wiki/Film_1"] = [answer]
    rows = [row for row in record(crawl(titles=("Film 1",))) if row["kind"] == "page"]
    assert [(row["attempt"], row["done"]) for row in rows] == [(1, done), (2, None)]


def test_a_redirect_without_end_is_given_up(served, crawl) -> None:
    served.site.always["/wiki/Film_1"] = text(302, "", Location="/wiki/Film_1")
    rows = record(crawl(titles=("Film 1", "Film 2")))
    hops = [row["done"] for row in rows if path(row, served) == "/wiki/Film_1"]
    assert hops == [f"redirected to {served.origin}/wiki/Film_1"] * 5 + ["gives up"]


def test_rows_are_written_as_the_crawl_goes_and_survive_its_kill(workplace, served, crawl) -> None:
    served.site.always["/robots.txt"] = text(200, "User-agent: *\nCrawl-delay: 0.7\n")
    titles = [f"Film {n}" for n in range(1, 5)]
    workplace.franchise("films", {"spider": "wikipedia", "site": served.origin, "titles": titles})
    process = workplace.start("wikipedia", "films", "-s", "LOREMILL_CRAWL_ID=killed")
    folder = requests_path(workplace.store("films", "wikipedia").root, "killed").parent
    journal = folder / "killed.arrows"
    written = 0
    while not written:
        time.sleep(0.05)
        assert process.poll() is None
        if journal.exists():
            written = sum(batch.num_rows for batch in read_journal(journal, REQUESTS))
    process.kill()
    process.communicate()
    with journal.open("ab") as torn:
        torn.write(b"half a batch")
    served.site.always["/robots.txt"] = text(200, "")
    done = crawl()
    assert done.status == 0, done.stderr
    killed = pq.read_table(folder / "killed.parquet").to_pylist()
    assert len(killed) >= written
    assert killed[0]["url"] == f"{served.origin}/robots.txt"
    assert sorted(file.name for file in folder.iterdir()) == sorted(
        ["killed.parquet", f"{done.outcome.crawl_id}.parquet"]
    )


def test_a_crawl_by_the_name_of_an_earlier_one_goes_on_with_its_record(crawl) -> None:
    first = record(crawl("-s", "LOREMILL_CRAWL_ID=again"))
    both = record(crawl("-s", "LOREMILL_CRAWL_ID=again"))
    assert both[: len(first)] == first
    assert [row["kind"] for row in both[len(first) :]] == ["robots", "listing"]


def test_without_room_for_its_record_there_is_no_crawl(workplace, served, crawl) -> None:
    folder = requests_path(workplace.store("films", "wikipedia").root, "x").parent
    folder.parent.mkdir(parents=True)
    folder.write_text("in the way")
    done = crawl()
    assert done.status == 1
    assert served.paths() == []
    assert "cannot be stored" in done.errors[0]


_FULL = """
import asyncio, sys
from pathlib import Path
from resource import RLIMIT_FSIZE, setrlimit
from signal import SIG_IGN, SIGXFSZ, signal
from scrapy.http import Request
from crawlers.politeness.record import RequestRecord
from crawlers.sites import origin_of

async def crawl():
    record = RequestRecord(Path(sys.argv[1]), "c", "f", "s", origin_of)
    failed = asyncio.Event()
    record.open(lambda error: (print(error.errno, flush=True), failed.set()))
    for number in range(1000):
        record.end(Request(f"http://h/{number}" + "x" * 200))
    await asyncio.wait_for(failed.wait(), 10)
    record.close()

signal(SIGXFSZ, SIG_IGN)
setrlimit(RLIMIT_FSIZE, (20_000, 20_000))
asyncio.run(crawl())
"""


def test_a_full_disk_is_told_once_and_what_was_written_is_recovered(tmp_path) -> None:
    shown = subprocess.run(
        [sys.executable, "-c", _FULL, str(tmp_path)], capture_output=True, text=True, check=True
    ).stdout
    assert shown.split() == ["27"]  # EFBIG: the limit's way to say that there is no room

    async def recover() -> None:
        later = RequestRecord(tmp_path, "later", "f", "s", origin_of)
        later.open(lambda _: None)
        later.close()

    asyncio.run(recover())
    assert pq.read_table(requests_path(tmp_path, "c")).num_rows == 0  # its one batch was torn
    assert pq.read_table(requests_path(tmp_path, "later")).num_rows == 0


def test_what_sites_say_is_bounded_and_never_breaks_a_row(tmp_path) -> None:
    async def crawl() -> None:
        record = RequestRecord(tmp_path, "c", "f", "s", origin_of)
        record.open(lambda _: None)
        request = Request("http://h/" + "x" * 10_000)
        row = record.of(request)
        assert record.of(request) is row
        row.rule, row.done = "\ud800", "y" * 10_000
        record.end(request)
        again = record.of(request.replace(meta={"retry_times": 2, "robots.txt": True}))
        assert (again.attempt, again.kind) == (3, "robots")
        record.close()

    asyncio.run(crawl())
    (row,) = pq.read_table(requests_path(tmp_path, "c")).to_pylist()
    assert len(row["url"]) == len(row["done"]) == 2_000
    assert row["rule"] == "?"
    assert row["kind"] == "listing"
    assert abs(row["time"] - datetime.now(UTC)) < timedelta(minutes=1)
