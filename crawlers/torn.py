"""An HTML page that only the end of the connection delimits must have its own end.

Without a Content-Length, chunks or gzip, HTTP/1.1 cannot tell a page from one whose connection
broke (RFC 9112, 6.3 and 8); Scrapy 2.19 flags such a response as `partial`. A page without its last
tag is asked for again, and then has failed. A text has no such tag: its spider must know.
"""

from scrapy.exceptions import ResponseDataLossError
from scrapy.http import Request, Response

from crawlers.component import Component

#: What Scrapy says of a body that ended with the connection.
UNDELIMITED = "partial"
#: Where a page's end is looked for; caches write a comment after it.
_END = 4096


class TornMiddleware(Component):
    """Downloader middleware, before the one that unpacks: gzip has an end of its own."""

    def process_response(self, request: Request, response: Response) -> Request | Response:
        """The response, or another try. Raises ResponseDataLossError after the last."""
        undelimited = UNDELIMITED in response.flags and "Content-Encoding" not in response.headers
        kind = (response.headers.get("Content-Type") or b"").lower()
        if response.status != 200 or not undelimited or b"html" not in kind or has_end(response):
            return response
        again = self.spider.ask_again(request)
        if again is None:
            raise ResponseDataLossError
        return again


def has_end(page: Response) -> bool:
    """Whether an HTML page has the tag that closes it."""
    return b"</html>" in page.body[-_END:].lower()
