"""The last gate before the network: every request waits here for its host's turn.

Delay, requests at a time and a minute come from the site's policy and robots.txt; Retry-After on
429 and 503 pauses the whole host, not only the page that met it; errors without it back off, twice
as long each time. Slow answers lengthen the delay as Scrapy's AutoThrottle does (same settings),
but never below what the site asked for.
"""

import logging

from scrapy.crawler import Crawler
from scrapy.http import Request, Response

from crawlers.component import Component
from crawlers.explain import NO_ANSWER
from crawlers.politeness.host import Host
from crawlers.politeness.retry_after import retry_after

#: Statuses by which a server says that it is busy or broken: it needs rest, not repetition.
_NEEDS_REST = {429, 500, 502, 503, 504, 522, 524}
#: Rest without Retry-After, as a multiple of the back-off after a broken connection.
_BUSY = 5
#: Requests in a row without any answer after which the host counts as down.
_DOWN_AFTER = 8

_log = logging.getLogger(__name__)


class PaceMiddleware(Component):
    """Downloader middleware; must stand next to the downloader, so that no turn is lost."""

    def __init__(self, crawler: Crawler):
        super().__init__(crawler)
        self._sent: set[Request] = set()
        settings = crawler.settings
        self._retries = settings.getint("RETRY_TIMES")
        self._backoff = settings.getfloat("RETRY_BACKOFF")
        self._throttle = settings.getbool("AUTOTHROTTLE_ENABLED")
        self._target = settings.getfloat("AUTOTHROTTLE_TARGET_CONCURRENCY")
        self._longest_delay = settings.getfloat("AUTOTHROTTLE_MAX_DELAY")

    async def process_request(self, request: Request) -> None:
        """Wait for the host's turn."""
        host = self.spider.host(request.url)
        request.meta["download_slot"] = host.origin
        await host.turn(lambda: self.crawler.engine.running and not self.spider.ending)
        self._sent.add(request)
        self.spider.outcome.requests += 1

    def process_response(self, request: Request, response: Response) -> Response:
        """Learn from the answer how fast the next request may come, then let it come."""
        host = self.spider.host(request.url)
        try:
            self._learn(host, request, response)
        finally:
            self._done(host, request)
        return response

    def process_exception(self, request: Request, exception: Exception) -> None:
        """Back off from a host that does not answer, and give it up in the end."""
        if request not in self._sent:
            return  # refused before its turn
        host = self.spider.host(request.url)
        if isinstance(exception, NO_ANSWER):
            host.unanswered += 1
            host.pause(self._backoff * 2 ** request.meta.get("retry_times", 0))
            if host.unanswered >= _DOWN_AFTER:
                host.stop(
                    f"did not answer {host.unanswered} requests in a row "
                    f"({type(exception).__name__})",
                    "see whether the site is up, then run the same command to go on",
                )
        self._done(host, request)

    def _learn(self, host: Host, request: Request, response: Response) -> None:
        host.unanswered = 0
        self.spider.outcome.bytes += len(response.body)
        tried = request.meta.get("retry_times", 0)
        if response.status == 429 and tried < self._retries:
            self.spider.outcome.retries_after_429 += 1
        asked = retry_after(response) if response.status in (429, 503) else None
        if asked is None and response.status in _NEEDS_REST:
            asked = _BUSY * self._backoff * 2**tried
        if asked is not None:
            host.obey(asked, f"status {response.status}")
            _log.warning("%s: status %d, resting for %.0f s", host.origin, response.status, asked)
        self._adapt(host, request, response)

    def _done(self, host: Host, request: Request) -> None:
        # Not on Scrapy's signal that the request left the downloader: that comes before the answer
        # was judged, and the next request would be off before a pause could hold it.
        self._sent.remove(request)
        host.done()

    def _adapt(self, host: Host, request: Request, response: Response) -> None:
        """AutoThrottle's rule (docs.scrapy.org, "Throttling algorithm"), above the host's floor."""
        latency = request.meta.get("download_latency")
        if not self._throttle or latency is None:
            return
        target = latency / self._target
        delay = min(max(target, (host.delay + target) / 2, host.floor), self._longest_delay)
        if response.status == 200 or delay > host.delay:
            host.delay = max(delay, host.floor)
