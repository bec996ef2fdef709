"""The rules by which a request passes or is refused, in the words that the record has for them.

One place for all, so that a record's rows of one kind bear one name and can be counted by it.
"""

ROBOTS_ITSELF = "robots.txt itself"
ALLOWED = "robots.txt allows"
NO_ROBOTS = "there is no robots.txt"  # so everything is open (RFC 9309, 2.3.1.3)
CLOSED = "robots.txt closes it to robots"

OFF_SITE = "leads off the site"
NOT_OPEN = "not among the paths that are open to robots"
DOT_SEGMENTS = "its path has dot segments"
NO_IPV4 = "the host has no IPv4 address"
NOT_PUBLIC = "the host's address is not a public one"
LEFT_ALONE = "the host is left alone"
CRAWL_ENDED = "the crawl was stopped"


def allowed(rule: str, delay: float | None) -> str:
    """E.g. `robots.txt allows; Crawl-delay 5 s`."""
    return rule if delay is None else f"{rule}; Crawl-delay {delay:g} s"


def opened(rule_url: str) -> str:
    """Of a path that robots.txt closes to everyone and a rule of the site opens to robots."""
    return f"{CLOSED}; open by {rule_url}"
