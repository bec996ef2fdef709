"""Pace and policy without a network: turns, limits a minute, Retry-After, quoting of titles."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy.http import Response

from crawlers.contact import is_contact, user_agent
from crawlers.policy import UnknownHostError, origins, policy_of
from crawlers.politeness import host as host_module
from crawlers.politeness.host import Host
from crawlers.politeness.refusal import HostStopped
from crawlers.politeness.retry_after import retry_after
from crawlers.sources import GutenbergSource, MediaWikiSource, SiteSource
from crawlers.wiki_listing import article_url


def wiki(spider: str = "wikipedia", **keys: object) -> MediaWikiSource:
    return MediaWikiSource.model_validate({"spider": spider, "titles": ["A"], **keys})


LOOPBACK = policy_of(wiki(), "http://127.0.0.1:8137")


class Clock:
    """Time that passes by nothing but waiting."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return 1_800_000_000.0 + self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(host_module, "time", clock)
    monkeypatch.setattr(asyncio, "sleep", clock.sleep)
    return clock


def turns(host: Host, count: int, clock: Clock) -> list[float]:
    async def take() -> list[float]:
        times = []
        for _ in range(count):
            await host.turn(lambda: True)
            times.append(clock.now)
            host.done()
        return times

    return asyncio.run(take())


def test_requests_per_minute(clock: Clock) -> None:
    host = Host("http://h", replace(LOOPBACK, requests_per_minute=3), lambda _: None)
    times = [time - 1_000 for time in turns(host, 7, clock)]
    assert times == pytest.approx([0, 0, 0, 60, 60, 60, 120])


def test_delay_is_never_below_what_the_site_asks(clock: Clock) -> None:
    host = Host("http://h", replace(LOOPBACK, delay=0.5), lambda _: None)
    host.at_least(1.5)
    host.at_least(0.1)
    assert [time - 1_000 for time in turns(host, 3, clock)] == pytest.approx([0, 1.5, 3])


@pytest.mark.parametrize("delay", [901.0, float("inf"), float("nan")])
def test_a_delay_beyond_reason_stops_the_host(delay: float, clock: Clock) -> None:
    stopped: list[Host] = []
    host = Host("http://h", LOOPBACK, stopped.append, longest_wait=900)
    with pytest.raises(HostStopped, match="Crawl-delay"):
        host.at_least(delay)
    assert stopped == [host]
    with pytest.raises(HostStopped):
        turns(host, 1, clock)


@given(st.lists(st.tuples(st.floats(0, 200), st.booleans()), max_size=20), st.floats(0, 900))
def test_slow_answers_lengthen_the_delay_and_fast_ones_never_undercut_the_floor(
    answers: list[tuple[float, bool]], crawl_delay: float
) -> None:
    host = Host("http://h", replace(LOOPBACK, delay=0.5), lambda _: None)
    host.at_least(crawl_delay)
    for latency, fine in answers:
        before = host.delay
        host.adapt(latency, 60, fine=fine)
        assert host.delay >= max(0.5, crawl_delay)
        assert host.delay >= min(latency, 60)
        assert fine or host.delay >= before
        assert host.delay <= max(60, crawl_delay, before)


def test_only_so_many_at_a_time() -> None:
    async def second_waits() -> bool:
        host = Host("http://h", LOOPBACK, lambda _: None)
        await host.turn(lambda: True)
        second = asyncio.create_task(host.turn(lambda: True))
        await asyncio.sleep(0.05)
        waited = not second.done()
        host.done()
        await asyncio.wait_for(second, 1)
        return waited

    assert asyncio.run(second_waits())


def test_a_wait_ends_with_the_crawl(clock: Clock) -> None:
    host = Host("http://h", LOOPBACK, lambda _: None)
    host.pause(60)
    going_on = iter([True, False])
    with pytest.raises(HostStopped):
        asyncio.run(host.turn(lambda: next(going_on)))
    assert clock.now < 1_000 + 60


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        ("Sat, 21 Nov 2026 12:00:30 GMT", 30.0),
        ("Sat, 21 Nov 2026 11:00:00 GMT", 0.0),
        ("9" * 400, float("inf")),
        ("Mon, 01 Jan 0001 00:00:00 +9999", None),
        ("Sat, 21 Nov 2026 12:00:30 +99999999999", None),
        ("soon", None),
        ("-1", None),
        ("", None),
    ],
)
def test_retry_after(value: str, seconds: float | None) -> None:
    response = Response("http://h", headers={"Retry-After": value})
    assert retry_after(response, datetime(2026, 11, 21, 12, tzinfo=UTC)) == seconds


@pytest.mark.parametrize(
    "source",
    [
        wiki(),
        wiki("bulbapedia"),
        wiki("wikipedia", site="https://de.wikipedia.org"),
        wiki("fandom", site="https://starwars.fandom.com"),
        wiki("mediawiki", site="https://wiki.example.org", licence="CC-BY-NC-4.0"),
        GutenbergSource(spider="gutenberg", books=[1]),
    ],
)
def test_every_live_site_has_a_policy_that_says_where_it_is_from(source: SiteSource) -> None:
    for origin in origins(source):
        policy = policy_of(source, origin)
        assert policy.host in origin
        assert policy.rule_url.startswith("https://")
        assert policy.licence
        assert policy.delay >= 0.5
        assert policy.requests_per_minute <= 120
        assert policy.non_commercial == ("-NC" in policy.licence)


@pytest.mark.parametrize("site", ["https://example.org", "https://127.0.0.1.example.org"])
def test_a_site_nobody_knows_needs_at_least_its_licence(site: str) -> None:
    with pytest.raises(UnknownHostError, match="licence"):
        policy_of(wiki(), site)
    policy = policy_of(wiki(licence="CC-BY-4.0"), site)
    assert policy.rule_url == f"{site}/robots.txt"
    assert not policy.allowed_paths


def test_the_yaml_makes_limits_only_stricter() -> None:
    said = {"delay": 0.1, "requests_per_minute": 6, "rule": "asked the owner"}
    policy = policy_of(wiki(policy=said), "https://en.wikipedia.org")
    assert (policy.delay, policy.requests_per_minute) == (0.5, 6)
    assert policy.rule == "asked the owner"
    slower = policy_of(wiki(policy={"delay": 30}), "https://en.wikipedia.org")
    assert slower.delay == 30
    assert slower.requests_per_minute == 120


def test_a_wiki_has_its_own_paths() -> None:
    keys = {"site": "https://w.example.org", "licence": "CC0-1.0", "article_path": "/"}
    policy = policy_of(wiki("mediawiki", api_path="/mw/api.php", **keys), "https://w.example.org")
    assert (policy.article_path, policy.api_path) == ("/", "/mw/api.php")
    fandom = wiki("fandom", site="http://127.0.0.1:1")
    assert policy_of(fandom, "http://127.0.0.1:1").api_path == "/api.php"


@pytest.mark.parametrize(
    ("title", "path"),
    [
        ("AC/DC", "AC/DC"),
        ("What If…?", "What_If%E2%80%A6%3F"),
        ("100% Wolf", "100%25_Wolf"),
        ("Batman: Year One", "Batman:_Year_One"),
        ("Q&A + \"x\" 'y'", "Q%26A_%2B_%22x%22_%27y%27"),
        ("Pokémon, I Choose You!", "Pok%C3%A9mon,_I_Choose_You!"),
    ],
)
def test_titles_are_quoted_as_mediawiki_does(title: str, path: str) -> None:
    assert article_url("https://en.wikipedia.org", "/wiki/", title) == (
        f"https://en.wikipedia.org/wiki/{path}"
    )


def test_contact() -> None:
    assert is_contact("me@example.org")
    assert is_contact("https://example.org/me")
    assert not any(map(is_contact, ["me", "", "a@b", "me@example.org\r\nX: y", "ü@example.org"]))
    assert "(me@example.org)" in user_agent("me@example.org")
    assert "X: y" not in user_agent("me@example.org\r\nX: y")
