"""Which sites a crawl may visit, under which policy and licence, and what it knows of their hosts.

All of it follows from the sources that a person wrote; nothing else may be asked for anything.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

from crawlers.policy import SitePolicy, UnknownHostError, is_loopback, origins, policy_of
from crawlers.politeness.host import Host
from crawlers.sources import AnySource, SiteSource, source_name
from crawlers.yaml_spec import SpecError


class Sites:
    """The sites of a crawl's sources, by origin.

    `where` says where a source was written down. Raises SpecError for a site without a policy.
    """

    def __init__(
        self,
        sources: Iterable[AnySource],
        where: Callable[[AnySource], str],
        on_stop: Callable[[Host], None],
        longest_wait: float,
    ):
        self._on_stop = on_stop
        self._longest_wait = longest_wait
        self._hosts: dict[str, Host] = {}
        self._policies: dict[str, SitePolicy] = {}  # by origin, as the first source has it
        self._licences: dict[str, str] = {}  # by source
        for source in sources:
            for origin in origins(source):
                assert isinstance(source, SiteSource)
                try:
                    policy = policy_of(source, origin)
                except UnknownHostError as error:
                    raise SpecError([f"{where(source)}: site: {error}"]) from error
                self._policies.setdefault(origin, policy)
                self._licences[source_name(source)] = policy.licence  # of two, the texts' site
            if source.licence:
                self._licences[source_name(source)] = source.licence

    def licence(self, source: AnySource) -> str:
        """The licence of a source's texts: the YAML's word, or that of the site they come from."""
        return self._licences[source_name(source)]

    def may_visit(self, url: str) -> bool:
        """Whether the url is on one of the crawl's sites; https stands for http too."""
        origin = _origin(url)
        return origin in self._policies or _insecure(origin) in self._policies

    def host(self, url: str) -> Host:
        """What this crawl knows of the host of a url that it may visit."""
        origin = _origin(url)
        if origin not in self._hosts:
            policy = self._policies.get(origin) or self._policies[_insecure(origin)]
            self._hosts[origin] = Host(origin, policy, self._on_stop, self._longest_wait)
        return self._hosts[origin]

    def in_force(self) -> dict[str, dict[str, Any]]:
        """How each host met so far is treated, by origin; the delay may be robots.txt's."""
        return {
            origin: asdict(host.policy) | {"delay": host.floor}
            for origin, host in self._hosts.items()
        }

    def live(self) -> list[str]:
        """The sites that are not this machine's own."""
        return sorted(o for o in self._policies if not is_loopback(urlsplit(o).hostname or ""))


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _insecure(origin: str) -> str:
    """The origin by http that https stands for too."""
    return origin.replace("https:", "http:", 1)
