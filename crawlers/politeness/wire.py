"""One request of ours is one request on the wire, so that the record has all of them.

Where a kept connection turns out to be closed, Twisted sends the request again by itself, at once
and past every turn and count here; a server that falls silent got each request twice (as tried on
Twisted 26 with Scrapy 2.19). Here it fails instead, and is repeated as any other: after a rest.
And what Scrapy leaves in Twisted's own words, as where there is no route to the host, is said in
Scrapy's, so that it counts as a request that was not answered.
"""

from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler, TunnelError
from scrapy.crawler import Crawler
from scrapy.exceptions import DownloadFailedError
from scrapy.http import Request, Response
from twisted.internet.error import ConnectError, ConnectionClosed


class WireHandler(HTTP11DownloadHandler):
    """Scrapy's handler of http and https, without the hidden repetition."""

    def __init__(self, crawler: Crawler):
        super().__init__(crawler)
        self._pool.retryAutomatically = False

    async def download_request(self, request: Request) -> Response:
        """The response. Raises what stands in `explain.NO_ANSWER`, or DownloadCancelledError."""
        try:
            return await super().download_request(request)
        except (ConnectError, ConnectionClosed, TunnelError) as error:
            raise DownloadFailedError(str(error)) from error
