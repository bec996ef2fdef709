"""Refuses a host whose name leads to an address that is not public, before anything is sent there.

A name whose owner points it at this machine or its network (DNS rebinding), or a mistake in
`site:`, would have a crawl read what the outside cannot. Scrapy is made to connect to the address
that was looked at, so that a second answer of the name's owner changes nothing. A site given as an
IP address, or as localhost, is what the operator meant. Through a proxy it is the proxy that looks
the name up, and what it means here says nothing. Ranges: https://www.iana.org/assignments/iana-ipv4-special-registry
"""

import asyncio
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

from scrapy.crawler import Crawler
from scrapy.exceptions import CannotResolveHostError
from scrapy.http import Request
from scrapy.resolver import dnscache

from crawlers.component import Component
from crawlers.politeness.host import Host
from crawlers.politeness.rule import NO_IPV4, NOT_PUBLIC


class AddressMiddleware(Component):
    """Downloader middleware; after HttpProxyMiddleware, which says whether there is a proxy."""

    def __init__(self, crawler: Crawler):
        super().__init__(crawler)
        self._looked_up: dict[str, asyncio.Task[None]] = {}  # by origin

    async def process_request(self, request: Request) -> None:
        """Raise HostStopped where the address is not public, CannotResolveHostError without one."""
        if request.meta.get("proxy"):
            return
        host = self.spider.sites.host(request.url)
        if host.origin not in self._looked_up:
            self._looked_up[host.origin] = asyncio.create_task(self._look_up(host))
        await asyncio.shield(self._looked_up[host.origin])

    async def _look_up(self, host: Host) -> None:
        name = urlsplit(host.origin).hostname or ""
        if name == "localhost" or _is_address(name):
            return
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(name, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            del self._looked_up[host.origin]  # a later request may have more luck
            raise CannotResolveHostError(f"{name}: {error}") from error
        addresses = [str(address[4][0]) for address in found]
        if private := [address for address in addresses if not is_public(address)]:
            raise host.stop(
                f"the name {name} leads to {private[0]}, which is not a public address",
                "see whether `site:` is right; to crawl a site of your own network, give its "
                "address instead of its name",
                NOT_PUBLIC,
            )
        reachable = [
            address for address in addresses if isinstance(ip_address(address), IPv4Address)
        ]
        if not reachable:  # Scrapy's resolver knows no other, and would ask for one by itself
            raise host.stop(
                f"the name {name} leads to IPv6 addresses only, and a crawl goes by IPv4",
                "crawl through a proxy that reaches them (http_proxy, https_proxy)",
                NO_IPV4,
            )
        dnscache[name] = reachable[0]


def is_public(address: str) -> bool:
    """Whether an IP address is one that the whole internet can reach."""
    ip = ip_address(address.partition("%")[0])  # without a zone
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    return ip.is_global and not ip.is_multicast


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
