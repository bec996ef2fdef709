"""What one crawl knows of one host: its policy, its pace, and whether it must be left alone.

All waiting is done here, before a request reaches the downloader: Scrapy's own slot delays do not
hold back requests that are queued already when a 429 comes in.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable

from crawlers.policy import SitePolicy
from crawlers.politeness.refusal import HostStopped
from crawlers.politeness.rule import CRAWL_ENDED, LEFT_ALONE

_MINUTE = 60.0
#: Seconds of a wait between two looks at whether the crawl still goes on.
_LOOK_UP = 0.25


class Host:
    """One origin (scheme, host, port) during one crawl. Times in seconds."""

    def __init__(
        self,
        origin: str,
        policy: SitePolicy,
        on_stop: Callable[["Host"], None],
        longest_wait: float = math.inf,  # that the site may ask for; beyond, it is left alone
    ):
        self.origin = origin
        self.policy = policy
        self.floor = policy.delay  # the policy's, or robots.txt's Crawl-delay where that is longer
        self.delay = policy.delay  # at least the floor; longer while the host answers slowly
        self.stopped: HostStopped | None = None
        self.unanswered = 0  # requests in a row that brought no response
        self.overtaxed = 0  # pages in a row that met a busy or broken server at the first try
        self.signals: str | None = None  # what robots.txt says of use by machines
        self._on_stop = on_stop
        self._longest_wait = longest_wait
        self._free = asyncio.Semaphore(policy.concurrency)
        self._sent: deque[float] = deque()  # times of the last minute's requests
        self._paused_until = 0.0

    def at_least(self, delay: float) -> None:
        """Keep this distance from now on (robots.txt: Crawl-delay).

        Raises HostStopped where that is longer than a crawl waits.
        """
        if not delay <= self._longest_wait:  # so that "nan" does not pass
            raise self.stop(
                f"asks for {delay:.0f} s between two requests (Crawl-delay)",
                f"a crawl waits {self._longest_wait:.0f} s at most (RETRY_AFTER_MAX); "
                "ask the site's owner for another way",
            )
        self.floor = max(self.floor, delay)
        self.delay = max(self.delay, self.floor)

    def pause(self, seconds: float) -> None:
        """Send nothing for so long (back-off)."""
        self._paused_until = max(self._paused_until, time.monotonic() + seconds)

    def obey(self, seconds: float, why: str) -> None:
        """Send nothing for so long because the site asks for it (Retry-After).

        Raises HostStopped where that is longer than a crawl waits.
        """
        if seconds > self._longest_wait:
            raise self.stop(
                f"asks to be left alone for {seconds:.0f} s ({why}, Retry-After)",
                "crawl again after that time",
            )
        self.pause(seconds)

    def stop(self, what: str, remedy: str, rule: str = LEFT_ALONE) -> HostStopped:
        """Send nothing more in this crawl; `rule` is what the record says of each request."""
        if self.stopped is None:
            self.stopped = HostStopped(what, remedy, rule)
            self._on_stop(self)
        return self.stopped

    def adapt(self, latency: float, longest: float, *, fine: bool) -> None:
        """AutoThrottle's rule (docs.scrapy.org, "Throttling algorithm"), above the host's floor.

        The delay goes halfway to the latency for which one request would be under way at a time,
        at most to `longest`; an answer that is not `fine` may come fast and never shortens it.
        """
        delay = min(max(latency, (self.delay + latency) / 2), longest)
        if fine or delay > self.delay:
            self.delay = max(delay, self.floor)

    async def turn(self, going_on: Callable[[], bool]) -> float | None:
        """Wait until a request may be sent, and count it; `done` must follow.

        The seconds since the request before it; None for the first. Raises HostStopped where the
        host was stopped or the crawl ended meanwhile.
        """
        await self._free.acquire()
        try:
            while True:
                if self.stopped is not None:
                    raise self.stopped
                if not going_on():
                    raise HostStopped(CRAWL_ENDED, "run the same command to go on", CRAWL_ENDED)
                wait = self._earliest() - time.monotonic()
                if wait <= 0:
                    break
                await asyncio.sleep(min(wait, _LOOK_UP))
        except BaseException:
            self._free.release()
            raise
        now = time.monotonic()
        gap = now - self._sent[-1] if self._sent else None
        self._sent.append(now)
        self._forget(now)
        return gap

    def in_the_last_minute(self) -> int:
        """How many requests were sent in the minute that ended with the last of them."""
        return len(self._sent)

    def done(self) -> None:
        """The request that had its turn has left the network."""
        self._free.release()

    def _earliest(self) -> float:
        """The monotonic time from which the next request may be sent."""
        self._forget(time.monotonic())
        earliest = self._paused_until
        if self._sent:
            earliest = max(earliest, self._sent[-1] + self.delay)
        if len(self._sent) >= self.policy.requests_per_minute:
            earliest = max(earliest, self._sent[0] + _MINUTE)
        return earliest

    def _forget(self, now: float) -> None:
        """What was sent more than a minute ago, but for the last."""
        while len(self._sent) > 1 and self._sent[0] <= now - _MINUTE:
            self._sent.popleft()
