"""Which sites a crawl may visit, under which policy and licence, and what it knows of their hosts.

All of it follows from the sources that a person wrote; nothing else may be asked for anything. A
host is one machine to be spared, whether it is asked by http or by https and by however many
sources: it has one pace, the strictest that was written for it.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from crawlers.policy import SitePolicy, UnknownHostError, is_loopback, origins, policy_of
from crawlers.politeness.host import Host
from crawlers.politeness.host_lock import HostLock
from crawlers.sources import AnySource, SiteSource, source_name
from crawlers.yaml_spec import SpecError

#: Seconds between two looks at a host that another crawl has, and between two lines about it.
_LOOK_UP = 0.25
_TOLD_EVERY = 60.0

_log = logging.getLogger(__name__)


class Sites:
    """The sites of a crawl's sources, and their hosts.

    `where` says where a source was written down. Raises SpecError for a site without a policy.
    """

    def __init__(
        self,
        sources: Iterable[AnySource],
        where: Callable[[AnySource], str],
        on_stop: Callable[[Host], None],
        longest_wait: float,
    ):
        self._origins: set[str] = set()
        self._hosts: dict[str, Host] = {}  # by host_name
        self._locks: list[HostLock] = []
        self._licences: dict[str, str] = {}  # by source
        policies: dict[str, tuple[str, SitePolicy]] = {}  # by host_name, with the first origin
        for source in sources:
            for origin in map(origin_of, origins(source)):
                assert isinstance(source, SiteSource)
                try:
                    policy = policy_of(source, origin)
                except UnknownHostError as error:
                    raise SpecError([f"{where(source)}: site: {error}"]) from error
                self._origins.add(origin)
                name = host_name(origin)
                first, known = policies.get(name, (origin, policy))
                policies[name] = first, _stricter(known, policy)
                self._licences[source_name(source)] = policy.licence  # of two, the texts' site
            if source.licence:
                self._licences[source_name(source)] = source.licence
        for name, (origin, policy) in policies.items():
            self._hosts[name] = Host(origin, policy, on_stop, longest_wait)

    def licence(self, source: AnySource) -> str:
        """The licence of a source's texts: the YAML's word, or that of the site they come from."""
        return self._licences[source_name(source)]

    def may_visit(self, url: str) -> bool:
        """Whether the url is on one of the crawl's sites; https stands for http too."""
        origin = origin_of(url)
        return origin in self._origins or origin.replace("https:", "http:", 1) in self._origins

    def host(self, url: str) -> Host:
        """What this crawl knows of the host of a url that it may visit."""
        host = self._hosts[host_name(url)]
        host.was_met = True
        return host

    def robots_signals(self, url: str) -> str | None:
        """What the robots.txt that goes for a url says of use by machines."""
        return self.host(url).signals.get(origin_of(url))

    def recorded_as(self, url: str) -> str:
        """The host as the record names it: by one origin, so that its pace can be read there."""
        return self._hosts[host_name(url)].origin if self.may_visit(url) else origin_of(url)

    def in_force(self) -> dict[str, dict[str, Any]]:
        """How each host met so far is treated, as `recorded_as`; the delay may be robots.txt's."""
        return {
            host.origin: asdict(host.policy) | {"delay": host.floor}
            for host in self._hosts.values()
            if host.was_met
        }

    async def take(self, folder: Path, crawl: str, going_on: Callable[[], bool]) -> None:
        """Have the hosts for this crawl alone, waiting for those that others have.

        The locks' files stand in `folder`. Raises OSError where one cannot be written.
        """
        for name in sorted(self._hosts):
            lock = HostLock(folder, name)
            told = -math.inf
            while (past := lock.take(crawl)) is None:
                if not going_on():
                    return
                if time.monotonic() - told >= _TOLD_EVERY:
                    told = time.monotonic()
                    _log.warning("waiting for %s, which uses %s", lock.holder(), name)
                await asyncio.sleep(_LOOK_UP)
            self._locks.append(lock)
            self._hosts[name].belongs_to(lock, past)

    def release(self) -> None:
        """Leave the hosts to other crawls; nothing may be sent after this."""
        while self._locks:
            self._locks.pop().release()

    def live(self) -> list[str]:
        """The sites that are not this machine's own."""
        return sorted(o for o in self._origins if not is_loopback(urlsplit(o).hostname or ""))


def origin_of(url: str) -> str:
    """http(s)://host[:port] as RFC 6454 has it: in small letters, without the scheme's own port."""
    return f"{urlsplit(url).scheme}://{host_name(url)}"


def host_name(url: str) -> str:
    """host[:port]; the same for http and https, each at its own port."""
    parts = urlsplit(url)
    name = parts.hostname or ""
    name = f"[{name}]" if ":" in name else name
    own = {"http": 80, "https": 443}.get(parts.scheme)
    return name if parts.port in (None, own) else f"{name}:{parts.port}"


def _stricter(one: SitePolicy, other: SitePolicy) -> SitePolicy:
    """The first policy, with the stricter limits of both."""
    return replace(
        one,
        delay=max(one.delay, other.delay),
        requests_per_minute=min(one.requests_per_minute, other.requests_per_minute),
        concurrency=min(one.concurrency, other.concurrency),
    )
