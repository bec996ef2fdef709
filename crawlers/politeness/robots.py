"""robots.txt as RFC 9309 has it, fail-closed: 4xx allows; 5xx, time-outs and silence forbid.

Scrapy's own middleware fetches where robots.txt cannot be had, and leaves Crawl-delay to others.
A path that the site's policy opens by a rule of its own (Wikipedia's API) passes, and the record
says so. RFC: https://www.rfc-editor.org/rfc/rfc9309
"""

import asyncio
from urllib.parse import urlsplit

from protego import Protego
from scrapy.crawler import Crawler
from scrapy.http import Request, Response
from scrapy.http.request import NO_CALLBACK

from crawlers.component import Component
from crawlers.contact import ROBOT
from crawlers.explain import EXPECTED, explain
from crawlers.politeness.host import Host
from crawlers.politeness.refusal import HostStopped, Refused

#: How much of robots.txt is read; the RFC asks for 500 KiB at least.
_READ = 512 * 2**10
_FIRST = 1000  # priority: before any page


class RobotsMiddleware(Component):
    """Downloader middleware in place of Scrapy's RobotsTxtMiddleware."""

    def __init__(self, crawler: Crawler):
        super().__init__(crawler)
        self._rules: dict[str, asyncio.Task[Protego]] = {}  # by origin

    async def process_request(self, request: Request) -> None:
        """Raise Refused where robots.txt closes the url, HostStopped where it cannot be had."""
        if request.meta.get("robots.txt"):
            return
        host = self.spider.host(request.url)
        if host.origin not in self._rules:
            self._rules[host.origin] = asyncio.create_task(self._fetch(host))
        rules = await asyncio.shield(self._rules[host.origin])
        path = urlsplit(request.url).path
        if path in host.policy.allowed_paths:
            self._note_exception(host, rules, request.url, path)
        elif not rules.can_fetch(request.url, ROBOT):
            raise Refused(
                f"{host.origin}/robots.txt closes {path} to robots",
                "leave it out, or ask the site's owner",
            )

    async def _fetch(self, host: Host) -> Protego:
        url = f"{host.origin}/robots.txt"
        request = Request(url, NO_CALLBACK, priority=_FIRST, meta={"robots.txt": True})
        try:
            response = await self.crawler.engine.download_async(request)
        except HostStopped:
            raise
        except EXPECTED as error:
            what, _ = explain(error)
            raise self._forbid(host, f"{url} could not be had: {what}") from error
        if response.status >= 500 or response.status == 429:
            raise self._forbid(host, f"{url} answered {response.status}")
        rules = Protego.parse(_text(response))
        delay = rules.crawl_delay(ROBOT)
        self._note(host, f"{response.status}" + (f", Crawl-delay {delay:g}" if delay else ""))
        if delay is not None:
            host.at_least(float(delay))
        return rules

    def _forbid(self, host: Host, what: str) -> HostStopped:
        self._note(host, f"forbids all: {what}")
        return host.stop(
            f"{what}, so nothing there may be crawled (RFC 9309)",
            "see whether the site is up and its `site:` is right, then try again",
        )

    def _note_exception(self, host: Host, rules: Protego, url: str, path: str) -> None:
        said = self.spider.outcome.robots[host.origin]
        if path not in said and not rules.can_fetch(url, ROBOT):
            self._note(host, f"{said}; {path} used under {host.policy.rule_url}")

    def _note(self, host: Host, said: str) -> None:
        self.spider.outcome.robots[host.origin] = said


def _text(response: Response) -> str:
    """The rules; a file that is not there allows everything."""
    if response.status >= 400:
        return ""
    return response.body[:_READ].decode("utf-8-sig", errors="replace")
