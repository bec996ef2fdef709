"""What one crawl knows of one host: its policy, its pace, and whether it must be left alone.

All waiting is done here, before a request reaches the downloader: Scrapy's own slot delays do not
hold back requests that are queued already when a 429 comes in.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime

from crawlers.policy import SitePolicy
from crawlers.politeness.host_lock import HostLock, HostPast
from crawlers.politeness.refusal import HostStopped
from crawlers.politeness.rule import CRAWL_ENDED, LEFT_ALONE

_MINUTE = 60.0
#: Requests a minute up to which a host's limit is one; a YAML can ask for no more.
_FEW = 600
#: Seconds of a wait between two looks at whether the crawl still goes on.
_LOOK_UP = 0.25


class Host:
    """One host during one crawl, asked by http, https or both. Times in seconds.

    `origin` is the one that a person wrote, and names the host in messages and records.
    """

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
        self.signals: dict[
            str, str | None
        ] = {}  # by origin: what robots.txt says of use by machines
        self.was_met = False  # whether a request was meant for it
        self._on_stop = on_stop
        self._lock: HostLock | None = None
        self._longest_wait = longest_wait
        self._free = asyncio.Semaphore(policy.concurrency)
        self._sent: deque[float] = deque()  # times of the last minute's requests
        self._paused_until = 0.0

    @property
    def is_paced(self) -> bool:
        """Whether it asks for a limit that counts; loopback asks for none by itself."""
        return self.floor > 0 or self.policy.requests_per_minute <= _FEW

    def belongs_to(self, lock: HostLock, past: HostPast) -> None:
        """This crawl alone has the host now; go on where the crawl before it ended."""
        self._lock = lock
        now, ago = time.monotonic(), time.time() - time.monotonic()
        self._sent.extend(sorted(min(sent - ago, now) for sent in past.sent))
        self._forget(now)
        self._paused_until = past.free_at - ago
        if self._paused_until - now > self._longest_wait:
            until = datetime.fromtimestamp(past.free_at, UTC)
            self.stop(
                f"asked an earlier crawl to be left alone until {until:%Y-%m-%d %H:%M} UTC",
                f"crawl again after that time, which stands in {lock.path}",
            )

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
        self.pause(seconds)
        self._keep()
        if seconds > self._longest_wait:
            raise self.stop(
                f"asks to be left alone for {seconds:.0f} s ({why}, Retry-After)",
                "crawl again after that time",
            )

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
        if self.is_paced:
            self._keep()
        return gap

    def in_the_last_minute(self) -> int:
        """How many requests were sent in the minute that ended with the last of them."""
        return len(self._sent)

    def done(self) -> None:
        """The request that had its turn has left the network."""
        self._free.release()

    def _keep(self) -> None:
        """Let the next crawl know, should this one be killed now."""
        if self._lock is not None:
            ago = time.time() - time.monotonic()
            sent = tuple(sent + ago for sent in self._sent) if self.is_paced else ()
            try:
                self._lock.keep(HostPast(self._earliest() + ago, sent))
            except OSError as error:
                self.stop(
                    f"what it was asked last cannot be kept in {self._lock.path} ({error})",
                    "make room, then run the same command to go on",
                )

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
