"""The last gate before the network: every request waits here for its host's turn.

Delay, requests at a time and a minute come from the site's policy and robots.txt; Retry-After on
429 and 503 pauses the whole host, not only the page that met it; errors without it back off, twice
as long each time. Slow answers lengthen the delay as Scrapy's AutoThrottle does (same settings),
but never below what the site asked for. What is done here goes into the politeness record: nothing
else sees both what was sent and, as Scrapy tells every middleware of an exception, what was refused
before it came so far (tried on 2.19).
"""

import logging
import time
from urllib.parse import urljoin

from scrapy.crawler import Crawler
from scrapy.http import Request, Response

from crawlers.component import Component
from crawlers.explain import NO_ANSWER, explain
from crawlers.politeness.host import Host
from crawlers.politeness.record import Row
from crawlers.politeness.refusal import HostStopped, Refused
from crawlers.politeness.retry_after import retry_after
from crawlers.politeness.rule import LEFT_ALONE

#: Statuses by which a server says that it is busy or broken: it needs rest, not repetition.
_NEEDS_REST = {429, 500, 502, 503, 504, 522, 524}
#: Rest without Retry-After, as a multiple of the back-off after a broken connection.
_BUSY = 5
#: Requests in a row without any answer, or pages in a row that were too much for it at the first
#: try, after which the host counts as down.
_DOWN_AFTER = 8
_AGAIN, _GIVEN_UP = "asks again", "gives up"

_log = logging.getLogger(__name__)


class PaceMiddleware(Component):
    """Downloader middleware; must stand next to the downloader, so that no turn is lost."""

    def __init__(self, crawler: Crawler):
        super().__init__(crawler)
        settings = crawler.settings
        self._retries = settings.getint("RETRY_TIMES")
        self._retried = {int(code) for code in settings.getlist("RETRY_HTTP_CODES")}
        self._redirects = settings.getint("REDIRECT_MAX_TIMES")
        self._backoff = settings.getfloat("RETRY_BACKOFF")
        self._throttle = settings.getbool("AUTOTHROTTLE_ENABLED")
        self._target = settings.getfloat("AUTOTHROTTLE_TARGET_CONCURRENCY")
        self._longest_delay = settings.getfloat("AUTOTHROTTLE_MAX_DELAY")

    async def process_request(self, request: Request) -> None:
        """Wait for the host's turn."""
        host = self.spider.sites.host(request.url)
        request.meta["download_slot"] = host.origin
        came = time.monotonic()
        gap = await host.turn(lambda: self.crawler.engine.running and not self.spider.ending)
        self.spider.record.of(request).send(time.monotonic() - came, gap)
        self.spider.outcome.was_sent(gap, host.in_the_last_minute())

    def process_response(self, request: Request, response: Response) -> Response:
        """Learn from the answer how fast the next request may come, then let it come."""
        host, row = self.spider.sites.host(request.url), self.spider.record.of(request)
        row.status, row.bytes = response.status, len(response.body)
        try:
            self._learn(host, row, request, response)
        except HostStopped:
            row.done = LEFT_ALONE
            raise
        finally:
            self.spider.record.end(request, at_once=host.is_paced)
            host.done()
        return response

    def process_exception(self, request: Request, exception: Exception) -> None:
        """Back off from a host that does not answer, and give it up in the end."""
        row = self.spider.record.of(request)
        paced = False
        what, _ = explain(exception)
        if isinstance(exception, NO_ANSWER):
            host = self.spider.sites.host(request.url)
            row.done = f"{what}; {self._next(request)}"
            self._back_off(host, request, exception)
            if host.stopped:
                row.done = f"{what}; {LEFT_ALONE}"
        else:
            row.done = what
        if row.sent:
            host = self.spider.sites.host(request.url)
            host.done()
            paced = host.is_paced
        else:
            row.rule = getattr(exception, "rule", None) or row.rule or what
        self.spider.record.end(request, at_once=paced)

    def _back_off(self, host: Host, request: Request, exception: Exception) -> None:
        host.unanswered += 1
        host.pause(self._backoff * 2 ** request.meta.get("retry_times", 0))
        if host.unanswered >= _DOWN_AFTER:
            host.stop(
                f"did not answer {host.unanswered} requests in a row ({type(exception).__name__})",
                "see whether the site is up, then run the same command to go on",
            )

    def _learn(self, host: Host, row: Row, request: Request, response: Response) -> None:
        host.unanswered = 0
        outcome = self.spider.outcome
        outcome.bytes += len(response.body)
        tried = request.meta.get("retry_times", 0)
        if response.status == 429 and tried < self._retries:
            outcome.retries_after_429 += 1
        row.done = self._what_follows(request, response)
        if response.status in (429, 503):
            row.asked = retry_after(response)
        if response.status in _NEEDS_REST:
            rest = _BUSY * self._backoff * 2**tried if row.asked is None else row.asked
            host.obey(rest, f"status {response.status}")
            outcome.rests += 1
            row.done = f"rests {rest:.3g} s, then {self._next(request)}"
            _log.warning("%s: status %d, resting for %.0f s", host.origin, response.status, rest)
            host.overtaxed += not tried  # a broken page stays so: only others say more of the host
            if host.overtaxed >= _DOWN_AFTER:
                raise host.stop(
                    f"was too busy for {host.overtaxed} pages in a row (status {response.status})",
                    "run the same command again later",
                )
        else:
            host.overtaxed = 0
        latency = request.meta.get("download_latency")
        if self._throttle and latency is not None:
            fine = response.status == 200
            host.adapt(latency / self._target, self._longest_delay, fine=fine)

    def _what_follows(self, request: Request, response: Response) -> str | None:
        """What Scrapy will do about an answer that is no page; None where it is one."""
        location = response.headers.get("Location")
        if 300 <= response.status < 400 and location:
            if request.meta.get("redirect_times", 0) >= self._redirects:
                return _GIVEN_UP
            try:
                return f"redirected to {urljoin(request.url, location.decode('latin-1'))}"
            except ValueError as error:  # which Scrapy would raise, too
                raise Refused(
                    f"is redirected to what is no address ({error})",
                    "see what the site says in a browser",
                ) from error
        return self._next(request) if response.status in self._retried else None

    def _next(self, request: Request) -> str:
        """What RetryMiddleware will do, which stands on the way back."""
        return _AGAIN if request.meta.get("retry_times", 0) < self._retries else _GIVEN_UP
