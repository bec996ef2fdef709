"""A host has one pace: over schemes, sources, and crawls, at once and one after the other."""

import asyncio
import json
import signal
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from crawlers.outcome import requests_path
from crawlers.politeness.host import Host
from crawlers.politeness.host_lock import HostLock, HostPast
from crawlers.samplesite.exchange import text
from crawlers.sites import Sites, host_name, origin_of
from crawlers.sources import MediaWikiSource
from crawlers.store.journal import read_journal
from pipeline.schema import REQUESTS

#: What the server's clock and ours may differ by, in seconds.
_CLOCK = 0.1


def wiki(site: str, **policy: Any) -> MediaWikiSource:
    keys = {"spider": "mediawiki", "licence": "CC0-1.0", "titles": ["A"], "policy": policy}
    return MediaWikiSource.model_validate({**keys, "site": site})


def sites(*sources: MediaWikiSource, stopped: list[Host] | None = None) -> Sites:
    hear = [] if stopped is None else stopped
    return Sites(sources, lambda _: "here", hear.append, longest_wait=900)


@pytest.mark.parametrize(
    ("url", "name", "origin"),
    [
        ("http://H.example/a", "h.example", "http://h.example"),
        ("https://h.example:443/", "h.example", "https://h.example"),
        ("http://h.example:80", "h.example", "http://h.example"),
        ("https://h.example:80", "h.example:80", "https://h.example:80"),
        ("http://127.0.0.1:8137/x?y", "127.0.0.1:8137", "http://127.0.0.1:8137"),
        ("http://[::1]:8137/", "[::1]:8137", "http://[::1]:8137"),
    ],
)
def test_http_and_https_of_a_name_are_one_host(url: str, name: str, origin: str) -> None:
    assert (host_name(url), origin_of(url)) == (name, origin)


def test_http_and_https_have_one_pace_and_one_name_in_the_record() -> None:
    of = sites(wiki("http://w.example"))
    assert of.host("http://w.example/a") is of.host("https://w.example/b")
    assert of.recorded_as("https://w.example/b") == "http://w.example"
    assert of.recorded_as("https://other.example/b") == "https://other.example"
    assert list(of.in_force()) == ["http://w.example"]
    assert not sites(wiki("https://w.example")).may_visit("http://w.example/")


def test_of_two_sources_the_stricter_limits_hold() -> None:
    slow = wiki("https://w.example", delay=9)
    few = wiki("http://w.example", requests_per_minute=3)
    for sources in ([slow, few], [few, slow]):
        policy = sites(*sources).host("http://w.example/").policy
        assert (policy.delay, policy.requests_per_minute) == (9, 3)


def test_a_host_belongs_to_one_crawl(tmp_path: Path) -> None:
    first, second = (HostLock(tmp_path / "hosts", "127.0.0.1:80") for _ in range(2))
    assert first.take("one") == HostPast()
    assert second.take("two") is None
    assert second.holder() == "one"
    first.keep(HostPast(12.5, (2.5,)))
    first.release()
    assert second.take("two") == HostPast(12.5, (2.5,))


@pytest.mark.parametrize(
    "spoilt", ["", "{", "[]", '{"free_at": "x", "sent": 3}', '{"free_at": NaN, "sent": [null]}']
)
def test_a_spoilt_file_says_nothing(tmp_path: Path, spoilt: str) -> None:
    lock = HostLock(tmp_path, "../h")
    lock.path.write_text(spoilt)
    assert lock.path.parent == tmp_path
    assert lock.take("one") == HostPast()


def test_the_last_requests_count_for_the_next_crawl(tmp_path: Path) -> None:
    async def ask(times: int) -> list[float | None]:
        of = sites(wiki("http://127.0.0.1:1", requests_per_minute=3, delay=0.2))
        await of.take(tmp_path, "one", lambda: True)
        host = of.host("http://127.0.0.1:1/")
        gaps = []
        for _ in range(times):
            gaps.append(await host.turn(lambda: True))
            host.done()
        full = host._earliest() - host._sent[-1]
        of.release()
        return [*gaps, full]

    first, _ = asyncio.run(ask(1))
    assert first is None
    after, then, full = asyncio.run(ask(2))
    assert after is not None
    assert after >= 0.199  # the delay holds between two crawls
    assert then is not None
    assert full is not None
    assert full > 50  # and so do three requests a minute


@pytest.mark.parametrize(("asked", "may_go_on"), [(60.0, True), (3600.0, False)])
def test_a_rest_outlives_the_crawl(tmp_path: Path, asked: float, may_go_on: bool) -> None:
    stopped: list[Host] = []

    async def take() -> Host:
        of = sites(wiki("http://127.0.0.1:1"), stopped=stopped)
        await of.take(tmp_path, "one", lambda: True)
        return of.host("http://127.0.0.1:1/")

    lock = HostLock(tmp_path, "127.0.0.1:1")
    assert lock.take("before") is not None
    lock.keep(HostPast(time.time() + asked))
    lock.release()
    host = asyncio.run(take())
    assert host._earliest() - time.monotonic() == pytest.approx(asked, abs=5)
    assert (host.stopped is None) == may_go_on
    assert stopped == ([] if may_go_on else [host])
    if host.stopped is not None:
        assert "left alone until" in host.stopped.what
        assert str(lock.path) in host.stopped.remedy


def test_a_rest_of_a_real_crawl_holds_for_the_next(served, crawl) -> None:
    busy = replace(text(429, "slow down"), headers={"Retry-After": "5000"})
    served.site.script["/wiki/Film_1"] = [busy]
    assert "asks to be left alone for 5000 s" in crawl().errors[0]
    before = len(served.requests())
    again = crawl()
    assert "asked an earlier crawl to be left alone until" in again.errors[0]
    assert again.status == 1
    assert len(served.requests()) == before


def two_franchises(workplace, served, delay: float) -> None:
    for name in ("x", "y"):
        source = {"spider": "wikipedia", "site": served.origin, "policy": {"delay": delay},
                  "titles": ["Film 1", "Film 2"]}  # fmt: skip
        workplace.franchise(name, source)


def test_two_crawls_at_once_keep_one_delay(workplace, served) -> None:
    two_franchises(workplace, served, 0.5)
    crawls = [workplace.start("wikipedia", "x"), workplace.start("wikipedia", "y")]
    told = "".join(process.communicate()[1] for process in crawls)
    assert [process.returncode for process in crawls] == [0, 0]
    times = [entry.time for entry in served.requests()]
    assert len(times) == 8
    assert all(later - earlier >= 0.5 - _CLOCK for earlier, later in pairwise(times))
    assert told.count("waiting for the crawl of ") == 1
    assert f"uses {host_name(served.origin)}" in told


def test_a_waiting_crawl_can_be_ended_and_a_killed_one_frees_the_host(workplace, served) -> None:
    two_franchises(workplace, served, 0.3)
    lock = HostLock(workplace.folder / "data" / "hosts", host_name(served.origin))
    assert lock.take("the crawl of z by hand") is not None
    waiting = workplace.start("wikipedia", "x")
    assert waiting.stderr is not None
    assert "waiting for the crawl of z by hand" in waiting.stderr.readline()
    waiting.send_signal(signal.SIGINT)
    _, told = waiting.communicate()
    assert waiting.returncode == 1
    assert "interrupted" in told
    assert served.requests() == []
    lock.release()

    killed = workplace.start("wikipedia", "x")
    while len(served.requests()) < 2:
        time.sleep(0.02)
    killed.kill()
    killed.communicate()
    last = served.requests()[-1].time
    done = workplace.crawl("wikipedia", "y")
    assert done.status == 0
    rows = pq.read_table(requests_path(done.store.root, done.outcome.crawl_id)).to_pylist()
    assert rows[0]["gap"] >= 0.3 - _CLOCK
    assert served.requests()[-4].time - last >= 0.3 - _CLOCK


def test_a_killed_crawls_record_has_what_a_site_with_a_delay_was_asked(workplace, served) -> None:
    two_franchises(workplace, served, 0.5)
    killed = workplace.start("wikipedia", "x")
    while len(served.requests()) < 3:
        time.sleep(0.02)
    killed.kill()
    killed.communicate()
    folder = workplace.store("x", "wikipedia").root / "requests"
    (journal,) = folder.glob("*.arrows")
    rows = [row for batch in read_journal(journal, REQUESTS) for row in batch.to_pylist()]
    asked = [entry.path for entry in served.requests()]
    assert [row["url"].removeprefix(served.origin) for row in rows][:2] == asked[:2]


def test_what_the_lock_says_of_its_crawl(workplace, served) -> None:
    two_franchises(workplace, served, 0.05)
    workplace.crawl("wikipedia", "y")
    (file,) = (workplace.folder / "data" / "hosts").iterdir()
    told = json.loads(file.read_bytes())
    assert told["crawl"] == "the crawl of y by wikipedia"
    assert len(told["sent"]) == 4
