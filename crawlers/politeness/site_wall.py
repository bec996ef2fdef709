"""Keeps a crawl on the sites that its sources name: a redirect elsewhere is refused, unfetched.

This covers redirects to private addresses too, and stands before robots.txt, so that not even that
is asked of a host nobody named. Where a site's policy opens only some paths, the rest is refused.
"""

from urllib.parse import urlsplit

from scrapy.http import Request

from crawlers.component import Component
from crawlers.politeness.refusal import Refused
from crawlers.politeness.rule import NOT_OPEN, OFF_SITE


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
        only = spider.sites.host(request.url).policy.only_paths
        path = urlsplit(request.url).path
        if only and path != "/robots.txt" and not path.startswith(only):
            raise Refused(
                f"of {urlsplit(request.url).hostname} only {', '.join(only)} is open to robots",
                "name a mirror with `site:`",
                NOT_OPEN,
            )
