"""What each site allows, as data: which interface is used under which published rule, how fast.

Facts were taken from the sites' own pages on the date that stands with them; middlewares enforce
them, and robots.txt, read at run time, can only make them stricter, as can a franchise's YAML. The
one exception is `allowed_paths`: paths that robots.txt closes to everyone while a rule of the site
opens them to robots that keep to its limits. A site that is not listed here is crawled by its
robots.txt alone, slowly, under the licence that its franchise's YAML states.
"""

import ipaddress
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from crawlers.sources import AnySource, GutenbergSource, MediaWikiSource, SiteSource

#: The host that a spider was made for, and of two the listing's first; `site:` may name another.
_SPIDER_HOSTS = {
    "bulbapedia": ("bulbapedia.bulbagarden.net",),
    "wikipedia": ("en.wikipedia.org",),
    "gutenberg": ("www.gutenberg.org", "gutenberg.pglaf.org"),
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
    allowed_paths: tuple[str, ...] = ()  # open to robots although robots.txt closes them
    allowed_by: str = ""  # the address of the rule that opens them; no YAML can name another
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
        allowed_by="https://wikitech.wikimedia.org/wiki/Robot_policy",
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


#: Domains whose every host is a wiki under one rule.
_BY_DOMAIN = {
    "wikipedia.org": _BY_HOST["en.wikipedia.org"],
    "fandom.com": SitePolicy(
        host="*.fandom.com",
        interface="articles as HTML, lists through the Action API",
        rule="robots.txt of the wiki; the licence stands on Fandom's licensing page",
        rule_url="https://www.fandom.com/licensing",
        licence="CC-BY-SA-3.0",
        non_commercial=False,
        attribution="the wiki's contributors",
        checked="autumn 2026",
        api_path="/api.php",
        delay=2.0,
        requests_per_minute=30,
    ),
}
#: The policy of the site that a spider was made for; loopback stands in for it.
_MADE_FOR = {
    "fandom": _BY_DOMAIN["fandom.com"],
    **{spider: _BY_HOST[hosts[-1]] for spider, hosts in _SPIDER_HOSTS.items()},
}


def origins(source: AnySource) -> list[str]:
    """The sites a source is crawled from, http(s)://host[:port], the listing's first."""
    if not isinstance(source, SiteSource):
        return []
    return [source.site] if source.site else [f"https://{h}" for h in _SPIDER_HOSTS[source.spider]]


def policy_of(source: SiteSource, origin: str) -> SitePolicy:
    """How a source may use one of its sites.

    Loopback stands in for the spider's own site: its paths and licence, but no delay or limit
    beyond what the YAML and robots.txt there say. Raises UnknownHostError.
    """
    host = urlsplit(origin).hostname or ""
    domain = ".".join(host.split(".")[-2:])
    if is_loopback(host):
        policy = _MADE_FOR.get(source.spider) or _by_robots_alone(source, origin)
        policy = replace(policy, only_paths=(), delay=0.0, requests_per_minute=100_000)
    elif host in _BY_HOST:
        policy = _BY_HOST[host]
    elif domain in _BY_DOMAIN:
        policy = _BY_DOMAIN[domain]
    elif isinstance(source, GutenbergSource) or not source.licence:
        raise UnknownHostError(
            f"no policy says how {host} may be crawled; known are {', '.join(sorted(_BY_HOST))} "
            "and loopback; read the site's rules, then give `licence:`, or add it to "
            "crawlers/policy.py"
        )
    else:
        policy = _by_robots_alone(source, origin)
    return _as_written(replace(policy, host=host), source)


def _by_robots_alone(source: SiteSource, origin: str) -> SitePolicy:
    """For a site that nobody here has read the rules of."""
    is_wiki = isinstance(source, MediaWikiSource)
    return SitePolicy(
        host=urlsplit(origin).hostname or "",
        interface="articles as HTML, lists through the Action API" if is_wiki else "pages as HTML",
        rule="robots.txt, read before anything else and obeyed",
        rule_url=f"{origin}/robots.txt",
        licence=source.licence or "",
        non_commercial="-NC-" in (source.licence or ""),
        attribution=f"the authors of {urlsplit(origin).hostname}",
        checked="at every crawl",
        api_path="/w/api.php" if is_wiki else None,
        delay=2.0,
        requests_per_minute=30,
    )


def _as_written(policy: SitePolicy, source: SiteSource) -> SitePolicy:
    """What the YAML says beside it: limits only where they are stricter."""
    if source.licence:
        policy = replace(policy, licence=source.licence, non_commercial="-NC-" in source.licence)
    if isinstance(source, MediaWikiSource):
        api_path = source.api_path or policy.api_path
        policy = replace(policy, article_path=source.article_path, api_path=api_path)
    if (said := source.policy) is None:
        return policy
    return replace(
        policy,
        rule=said.rule or policy.rule,
        rule_url=said.rule_url or policy.rule_url,
        checked=said.checked or policy.checked,
        attribution=said.attribution or policy.attribution,
        delay=max(policy.delay, said.delay or 0.0),
        requests_per_minute=min(
            policy.requests_per_minute, said.requests_per_minute or policy.requests_per_minute
        ),
    )


def is_loopback(host: str) -> bool:
    """Whether the host is this machine, by its name alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
