"""robots.txt as RFC 9309 has it, fail-closed: 4xx allows; 5xx, time-outs and silence forbid.

Scrapy's own middleware fetches where robots.txt cannot be had, and leaves Crawl-delay to others.
A path that the site's policy opens by a rule of its own (Wikipedia's API) passes, and the record
says so. Redirects are followed as a page's are: on the site, five of them; one that leads off it,
which the RFC lets a crawler follow, says that the site has moved, so a person must look.
RFC: https://www.rfc-editor.org/rfc/rfc9309
"""

import asyncio
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from protego import Protego
from scrapy.crawler import Crawler
from scrapy.http import Request
from scrapy.http.request import NO_CALLBACK
from w3lib.encoding import read_bom

from crawlers.component import Component
from crawlers.contact import ROBOT
from crawlers.explain import EXPECTED, explain
from crawlers.politeness import rule
from crawlers.politeness.host import Host
from crawlers.politeness.record import ROBOTS
from crawlers.politeness.refusal import HostStopped, Refused
from crawlers.politeness.signals import robots_signals
from crawlers.sites import origin_of

#: How much of robots.txt is read; the RFC asks for 500 KiB at least.
_READ = 512 * 2**10
_FIRST = 1000  # priority: before any page


@dataclass(frozen=True)
class Rules:
    """What a robots.txt says to this robot."""

    protego: Protego
    passes: str  # the rule by which an open url passes
    read: float  # monotonic seconds


class RobotsMiddleware(Component):
    """Downloader middleware in place of Scrapy's RobotsTxtMiddleware."""

    def __init__(self, crawler: Crawler):
        super().__init__(crawler)
        self._rules: dict[str, asyncio.Task[Rules]] = {}  # by origin
        self._max_age = crawler.settings.getfloat("ROBOTS_MAX_AGE")

    async def process_request(self, request: Request) -> None:
        """Raise Refused where robots.txt closes the url, HostStopped where it cannot be had."""
        row = self.spider.record.of(request)
        if request.meta.get(ROBOTS):
            row.rule = rule.ROBOTS_ITSELF
            return
        host = self.spider.sites.host(request.url)
        rules = await self._rules_of(host, origin_of(request.url))
        path = urlsplit(request.url).path
        if rules.protego.can_fetch(request.url, ROBOT):
            row.rule = rules.passes
        elif path in host.policy.allowed_paths:
            row.rule = rule.opened(host.policy.allowed_by)
            self._note_exception(host, origin_of(request.url), path)
        else:
            raise Refused(
                f"{origin_of(request.url)}/robots.txt closes {path} to robots",
                "leave it out, or ask the site's owner",
                rule.CLOSED,
            )

    async def _rules_of(self, host: Host, origin: str) -> Rules:
        """An origin's rules, asked for once, and again when they are a day old (RFC 9309, 2.4)."""
        asked = self._rules.get(origin)
        if asked is None or (
            asked.done()
            and asked.exception() is None
            and time.monotonic() - asked.result().read > self._max_age
        ):
            asked = self._rules[origin] = asyncio.create_task(self._fetch(host, origin))
        return await asyncio.shield(asked)

    async def _fetch(self, host: Host, origin: str) -> Rules:
        url = f"{origin}/robots.txt"
        request = Request(url, NO_CALLBACK, priority=_FIRST, meta={ROBOTS: True})
        try:
            response = await self.crawler.engine.download_async(request)
        except HostStopped:
            raise
        except EXPECTED as error:
            what, _ = explain(error)
            raise self._forbid(host, origin, f"{url} could not be had: {what}") from error
        assert response.request is not None
        row = self.spider.record.of(response.request)  # redirects have made it another
        # What is neither there nor missing cannot be read, as where a redirect leads nowhere.
        if not 200 <= response.status < 300 and (
            not 400 <= response.status < 500 or response.status == 429
        ):
            row.done = f"{row.done}; forbids all" if row.done else "forbids all"
            raise self._forbid(host, origin, f"{url} answered {response.status}")
        text = robots_text(response.body) if response.status < 300 else ""
        rules = Protego.parse(text)
        delay = rules.crawl_delay(ROBOT)
        signals = host.signals[origin] = robots_signals(text)
        said = [f"Crawl-delay {delay:g}"] if delay else []
        said += [signals] if signals else []
        row.done = "; ".join(said) or None
        self._note(origin, ", ".join([str(response.status), *said]))
        if delay is not None:
            host.at_least(delay)
        passes = rule.ALLOWED if response.status < 300 else rule.NO_ROBOTS
        return Rules(rules, rule.allowed(passes, delay), time.monotonic())

    def _forbid(self, host: Host, origin: str, what: str) -> HostStopped:
        self._note(origin, f"forbids all: {what}")
        return host.stop(
            f"{what}, so nothing there may be crawled (RFC 9309)",
            "see whether the site is up and its `site:` is right, then try again",
        )

    def _note_exception(self, host: Host, origin: str, path: str) -> None:
        said = self.spider.outcome.robots[origin]
        if path not in said:
            self._note(origin, f"{said}; {path} used under {host.policy.allowed_by}")

    def _note(self, origin: str, said: str) -> None:
        self.spider.outcome.robots[origin] = said


def robots_text(body: bytes) -> str:
    """The whole lines of what is read of a robots.txt; UTF-8, unless it marks itself otherwise."""
    encoding, _ = read_bom(body)
    text = body[:_READ].decode(encoding or "utf-8", errors="replace").removeprefix("\ufeff")
    if len(body) <= _READ:
        return text
    lines = text.splitlines(keepends=True)
    return "".join(lines[:-1])
