"""What each site allows, as data: which interface is used under which published rule, how fast.

Facts were taken from the sites' own pages on the date that stands with them; middlewares enforce
them, and robots.txt, read at run time, can only make them stricter. The one exception is
`allowed_paths`: paths that robots.txt closes to everyone while a rule of the site opens them to
robots that keep to its limits.
"""

import ipaddress
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

#: Scrapy's spiders and the host each was made for; a franchise's `site:` may name another.
SPIDER_HOSTS = {
    "bulbapedia": "bulbapedia.bulbagarden.net",
    "wikipedia": "en.wikipedia.org",
    "gutenberg": "gutenberg.pglaf.org",
}


class UnknownHostError(ValueError):
    """No policy says how this host may be crawled."""


@dataclass(frozen=True)
class SitePolicy:
    """How one site may be crawled. Times in seconds."""

    host: str
    interface: str  # what is used of the site, in a person's words
    rule: str  # the published rule that permits it
    rule_url: str
    licence: str  # SPDX id of the texts
    non_commercial: bool
    attribution: str  # whom to name
    checked: str  # when the rule was last read
    article_path: str = "/wiki/"
    api_path: str | None = None
    allowed_paths: tuple[str, ...] = ()  # open to robots by `rule` although robots.txt closes them
    only_paths: tuple[str, ...] = ()  # nothing else may be asked for; empty: anything
    delay: float = 1.0  # from the start of one request to the start of the next
    concurrency: int = 1  # requests at a time
    requests_per_minute: int = 60


_POLICIES = (
    SitePolicy(
        host="en.wikipedia.org",
        interface="articles as HTML, lists through the Action API",
        rule="Robot policy: API and pages are open to identified robots within the limits, one "
        "API request at a time; on 429 wait as Retry-After says",
        rule_url="https://wikitech.wikimedia.org/wiki/Robot_policy",
        licence="CC-BY-SA-4.0",
        non_commercial=False,
        attribution="Wikipedia contributors",
        checked="autumn 2026",
        api_path="/w/api.php",
        allowed_paths=("/w/api.php",),
        delay=0.5,
        requests_per_minute=120,  # 200 are allowed with a User-Agent that names its operator
    ),
    SitePolicy(
        host="bulbapedia.bulbagarden.net",
        interface="articles as HTML, lists through the Action API",
        rule="robots.txt, with its Crawl-delay; a challenge means no",
        rule_url="https://bulbapedia.bulbagarden.net/robots.txt",
        licence="CC-BY-NC-SA-2.5",
        non_commercial=True,
        attribution="Bulbapedia contributors",
        checked="autumn 2026",
        api_path="/w/api.php",
        delay=5.0,
        requests_per_minute=12,
    ),
    SitePolicy(
        host="www.gutenberg.org",
        interface="the catalogue",
        rule="the terms close the site's pages to robots; the catalogue's feeds are made for them",
        rule_url="https://www.gutenberg.org/ebooks/offline_catalogs.html",
        licence="LicenseRef-PublicDomainUS",
        non_commercial=False,
        attribution="Project Gutenberg",
        checked="autumn 2026",
        only_paths=("/cache/epub/feeds/",),
        delay=2.0,
        requests_per_minute=30,
    ),
    SitePolicy(
        host="gutenberg.pglaf.org",
        interface="book files of a mirror",
        rule="Information about robot access to our pages: harvest from a mirror, waiting 2 s",
        rule_url="https://www.gutenberg.org/policy/robot_access.html",
        licence="LicenseRef-PublicDomainUS",
        non_commercial=False,
        attribution="Project Gutenberg",
        checked="autumn 2026",
        delay=2.0,
        requests_per_minute=30,
    ),
)
_BY_HOST = {policy.host: policy for policy in _POLICIES}
#: Other mirrors under the same rule (https://www.gutenberg.org/MIRRORS.ALL).
_BY_HOST["aleph.gutenberg.org"] = replace(
    _BY_HOST["gutenberg.pglaf.org"], host="aleph.gutenberg.org"
)


def policy_for(url: str, spider: str) -> SitePolicy:
    """The policy for a url that the spider may ask for.

    Loopback stands in for the spider's own site: its paths and licence, but no delay or limit
    beyond what robots.txt there says. Raises UnknownHostError.
    """
    host = urlsplit(url).hostname or ""
    if is_loopback(host):
        return replace(
            _BY_HOST[SPIDER_HOSTS[spider]],
            host=host,
            only_paths=(),
            delay=0.0,
            requests_per_minute=100_000,
        )
    if host not in _BY_HOST:
        raise UnknownHostError(
            f"no policy says how {host} may be crawled; known are {', '.join(sorted(_BY_HOST))} "
            "and loopback; read the site's rules and add it to crawlers/policy.py"
        )
    return _BY_HOST[host]


def is_loopback(host: str) -> bool:
    """Whether the host is this machine, by its name alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
