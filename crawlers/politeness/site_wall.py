"""Keeps a crawl on the sites that its sources name: a redirect elsewhere is refused, unfetched.

This covers redirects to private addresses too, and stands before robots.txt, so that not even that
is asked of a host nobody named. Where a site's policy opens only some paths, the rest is refused.
So is an address whose path has dot segments, written out or escaped: a server takes it for another
path than the one that robots.txt was asked about (RFC 3986, 6.2.2), and Scrapy sends it as it is.
"""

from urllib.parse import unquote, urlsplit

from scrapy.http import Request

from crawlers.component import Component
from crawlers.politeness.refusal import Refused
from crawlers.politeness.rule import DOT_SEGMENTS, NOT_OPEN, OFF_SITE


class SiteWallMiddleware(Component):
    """Downloader middleware in place of Scrapy's OffsiteMiddleware."""

    def process_request(self, request: Request) -> None:
        """Raise Refused where the url is not one of this crawl's sites."""
        spider = self.spider
        if not spider.sites.may_visit(request.url):
            via = request.meta.get("redirect_urls", ["?"])[-1]
            raise Refused(
                f"{via} leads off the site, to {request.url}",
                "if the site has moved, say so with `site:`",
                OFF_SITE,
            )
        if has_dot_segments(request.url):
            raise Refused(
                f"{request.url} has . or .. as a part of its path, by which it may mean another "
                "than robots.txt was asked about",
                "write the path out",
                DOT_SEGMENTS,
            )
        only = spider.sites.host(request.url).policy.only_paths
        path = urlsplit(request.url).path
        if only and path != "/robots.txt" and not path.startswith(only):
            raise Refused(
                f"of {urlsplit(request.url).hostname} only {', '.join(only)} is open to robots",
                "name a mirror with `site:`",
                NOT_OPEN,
            )


def has_dot_segments(url: str) -> bool:
    """Whether . or .. stands between slashes of the path, as a server may unescape it."""
    parts = unquote(urlsplit(url).path).replace("\\", "/").split("/")
    return "." in parts or ".." in parts
