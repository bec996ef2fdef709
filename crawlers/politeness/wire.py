"""One request of ours is one request on the wire, so that the record has all of them.

Where a kept connection turns out to be closed, Twisted sends the request again by itself, at once
and past every turn and count here; a server that falls silent got each request twice (as tried on
Twisted 26 with Scrapy 2.19). Here it fails instead, and is repeated as any other: after a rest.
"""

from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.crawler import Crawler


class WireHandler(HTTP11DownloadHandler):
    """Scrapy's handler of http and https, without the hidden repetition."""

    def __init__(self, crawler: Crawler):
        super().__init__(crawler)
        self._pool.retryAutomatically = False
