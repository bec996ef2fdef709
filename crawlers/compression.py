"""Unpacks gzip: within the bound that a page's size has, and only what is there whole.

Scrapy's own middleware takes what a torn stream still yields for the page, and passes on what it
cannot unpack as it came (as tried on 2.19); both would be stored as pages. Here gzip alone is asked
for, which every server speaks, and read by zlib a piece at a time, so that a few kB that unpack to
gigabytes cost no more memory than the largest page.
"""

import zlib

from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.retry import get_retry_request
from scrapy.http import Request, Response
from scrapy.responsetypes import responsetypes

from crawlers.component import Component
from crawlers.explain import ALLOW_LARGER, TOO_LARGE
from crawlers.politeness.refusal import Refused

_GZIP = 16 + zlib.MAX_WBITS
_PIECE = 2**16


class CompressionMiddleware(Component):
    """Downloader middleware in place of Scrapy's HttpCompressionMiddleware."""

    def __init__(self, crawler: Crawler):
        super().__init__(crawler)
        self._largest = crawler.settings.getint("DOWNLOAD_MAXSIZE")

    def process_request(self, request: Request) -> None:
        """Ask for gzip."""
        request.headers["Accept-Encoding"] = "gzip"

    def process_response(self, request: Request, response: Response) -> Request | Response:
        """The response unpacked; another try where it is torn. Raises Refused."""
        try:
            result = self._unpacked(request, response)
        except Refused as error:
            self.spider.record.of(request).done = error.what
            raise
        if isinstance(result, Request):
            self.spider.record.of(request).done = "torn gzip; asks again"
        return result

    def _unpacked(self, request: Request, response: Response) -> Request | Response:
        encodings = _encodings(response)
        if not encodings or not response.body:
            return response
        largest = request.meta.get("download_maxsize", self._largest)
        try:
            body = _unpacked(response.body, encodings, largest)
        except Refused:
            if response.status == 200:
                raise
            body = b""  # the status of an error, or the header of a challenge, is enough
        except EOFError as error:
            again = get_retry_request(request, spider=self.spider, reason="torn gzip")
            if again is None:
                raise Refused(
                    f"cannot be unpacked: {error}", "run the same command again later"
                ) from error
            return again
        headers = response.headers.copy()
        del headers["Content-Encoding"]
        kind = responsetypes.from_args(headers=headers, url=response.url, body=body)
        return response.replace(cls=kind, headers=headers, body=body)


def _unpacked(packed: bytes, encodings: list[str], largest: int) -> bytes:
    """The content. Raises Refused, and EOFError where some is missing or damaged."""
    if encodings not in (["gzip"], ["x-gzip"]):
        raise Refused(
            f"came packed as {', '.join(encodings)[:60]!r}, which was not asked for",
            "see what the site says in a browser",
        )
    try:
        return gunzip(packed, largest)
    except OverflowError as error:
        raise Refused(TOO_LARGE, ALLOW_LARGER) from error
    except zlib.error as error:
        raise EOFError(str(error)) from error


def gunzip(packed: bytes, largest: int) -> bytes:
    """The content of a gzip file, at most `largest` bytes.

    Raises OverflowError where it is more, EOFError where the file breaks off, zlib.error where it
    is none. Zeros after the end are padding (RFC 1952 does not forbid them, gzip(1) passes them).
    """
    content = bytearray()
    while packed.strip(b"\0"):
        member = zlib.decompressobj(_GZIP)
        while not member.eof:
            piece = member.decompress(packed, _PIECE)
            packed = member.unconsumed_tail
            content += piece
            if len(content) > largest:
                raise OverflowError(f"more than {largest} bytes")
            if not piece and not packed and not member.eof:
                raise EOFError("it breaks off in the middle")
        packed = member.unused_data
    return bytes(content)


def _encodings(response: Response) -> list[str]:
    """Content-Encoding, which may be given in several lines, without what means nothing."""
    said = b",".join(response.headers.getlist("Content-Encoding")).decode("latin-1").lower()
    return [name for part in said.split(",") if (name := part.strip()) not in ("", "identity")]
