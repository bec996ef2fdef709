"""The peer: a spider as one writes it with Scrapy alone, its pages saved as JSON lines.

`scrapy runspider benchmarks/bare_spider.py -a site=http://… -O pages.jsonl`: lists a category
through the API as ours does, fetches every page, and keeps the same facts of each. It knows no
re-crawl, no journal and no politeness, and hashes nothing. Scrapy's settings are its defaults.
"""

import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

import scrapy
from scrapy.http import Response

_QUERY = {
    "action": "query",
    "format": "json",
    "formatversion": "2",
    "generator": "categorymembers",
    "gcmtitle": "Category:Pages",
    "gcmtype": "page",
    "gcmlimit": "500",
    "prop": "info|pageprops",
    "ppprop": "disambiguation",
    "redirects": "1",
}


class BareSpider(scrapy.Spider):
    """Pages of one category."""

    name = "bare"

    def __init__(self, site: str, **arguments: Any):
        super().__init__(**arguments)
        self.site = site

    async def start(self) -> AsyncIterator[scrapy.Request]:
        """The first request of the listing."""
        yield self._listing({})

    def parse_listing(self, response: Response) -> Iterator[scrapy.Request]:
        """The pages of one answer, and the next."""
        reply = json.loads(response.body)
        for page in reply["query"]["pages"]:
            url = f"{self.site}/wiki/{quote(page['title'].replace(' ', '_'))}"
            yield scrapy.Request(url, self.parse_page, cb_kwargs={"listed": page})
        if "continue" in reply:
            yield self._listing(reply["continue"])

    def parse_page(self, response: Response, listed: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """What our store keeps of a page, its body as text."""

        def header(name: str) -> str | None:
            value = response.headers.get(name)
            return value.decode("latin-1") if value else None

        yield {
            "url": response.request.url if response.request else response.url,
            "final_url": response.url,
            "title": listed["title"],
            "page_id": str(listed["pageid"]),
            "revision": str(listed["lastrevid"]),
            "etag": header("ETag"),
            "last_modified": header("Last-Modified"),
            "fetched_at": datetime.now(UTC).isoformat(),
            "status": response.status,
            "content_type": header("Content-Type"),
            "body": response.text,
            "licence": "CC-BY-SA-4.0",
            "source": "bare",
        }

    def _listing(self, following: dict[str, str]) -> scrapy.Request:
        return scrapy.Request(
            f"{self.site}/w/api.php?{urlencode({**_QUERY, **following})}", self.parse_listing
        )
