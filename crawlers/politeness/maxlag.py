"""Waits when MediaWiki says that its databases lag behind (`maxlag`), then asks again.

The error comes with status 200, so nothing else would take it for one.
https://www.mediawiki.org/wiki/Manual:Maxlag_parameter
"""

import logging

from scrapy.downloadermiddlewares.retry import get_retry_request
from scrapy.http import Request, Response

from crawlers.component import Component
from crawlers.politeness.retry_after import retry_after
from crawlers.politeness.rule import LEFT_ALONE

#: What the manual recommends where the answer names no wait.
_WAIT = 5.0
#: Lag passes; a listing is not given up for it as soon as for an error.
_PATIENCE = 20

_log = logging.getLogger(__name__)


class MaxlagMiddleware(Component):
    """Downloader middleware."""

    def process_response(self, request: Request, response: Response) -> Request | Response:
        """A later copy of the request, where the answer is a maxlag error."""
        if response.headers.get("MediaWiki-API-Error") != b"maxlag":
            return response
        spider = self.spider
        row = spider.record.of(request)
        wait = retry_after(response)
        row.asked = _WAIT if wait is None else wait
        row.done = LEFT_ALONE
        spider.sites.host(request.url).obey(row.asked, "maxlag")
        spider.outcome.rests += 1
        again = get_retry_request(
            request, spider=spider, reason="maxlag", max_retry_times=_PATIENCE, logger=_log
        )
        row.done = f"maxlag: rests {row.asked:.3g} s, then {'asks again' if again else 'gives up'}"
        return again or response
