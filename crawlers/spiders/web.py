"""A site that is no wiki, by CSS selectors in the YAML; and the base of a spider for any other.

`pages` are stories or, with `links`, pages that list them, followed by `next` to their end. A site
that lists differently, a JSON index say, gets a subclass in a file of its own, of which only
`listing` is written: `read` or `read_json` fetches an index, `story` makes an entry of it. What
has changed is decided by ETag, Last-Modified and the body itself.
"""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import urldefrag, urlsplit

from scrapy import Request
from scrapy.http import HtmlResponse, Response, TextResponse

from crawlers.explain import SourceError, status
from crawlers.franchise_spider import Found, FranchiseSpider
from crawlers.page import Page, as_title
from crawlers.sources import AnySource, WebSource

#: List pages of one source; a `next` that leads on beyond this leads in circles.
_MOST_LISTS = 1000


class WebSpider(FranchiseSpider):
    """What may be asked of a site is robots.txt's to say, and the YAML's."""

    name = "web"
    #: Content types in which the site serves its stories.
    story_types: tuple[str, ...] = ("text/html", "application/xhtml+xml")

    async def listing(self, source: AnySource) -> AsyncIterator[Found]:
        """The source's stories, by `pages` or the links of these."""
        assert isinstance(source, WebSource)
        seen: set[str] = set()
        for path in source.pages:
            if source.links is None:
                yield self.story(f"{source.site}{path}", source)
            else:
                async for found in self._linked(f"{source.site}{path}", source, seen):
                    yield found

    def story(self, url: str, source: AnySource, title: str | None = None) -> Found:
        """A listed story: to be fetched if it has changed. `title`: not the page's own."""
        url = urldefrag(url).url
        title = as_title(title) if title else None
        stored = self.stored(url)
        headers = {}
        if stored is not None and title in (None, stored.title):
            if self.has(stored):
                self.known.arrive(stored.final_url or url, url)
                return Found(url)
            headers = {"If-None-Match": stored.etag, "If-Modified-Since": stored.last_modified}
        request = Request(
            url,
            callback=self.parse_story,
            errback=self.page_failed,
            headers={name: value for name, value in headers.items() if value},
            cb_kwargs={"listed_url": url, "source": source, "title": title},
            meta={"handle_httpstatus_list": [304]},
            dont_filter=True,  # each url comes here once
        )
        return Found(url, request)

    async def read(self, url: str) -> TextResponse:
        """A page of the listing. Raises SourceError where it is not there or no text."""
        response = await self.crawler.engine.download_async(Request(url))
        if response.status != 200:
            what, remedy = status(response.status)
            raise SourceError(f"the list {url} {what}", remedy)
        if not isinstance(response, TextResponse):
            raise SourceError(f"the list {url} is no text")
        return response

    async def read_json(self, url: str) -> Any:
        """A listing in JSON. Raises SourceError where it is not there or no JSON."""
        response = await self.read(url)
        try:
            return json.loads(response.body)
        except (ValueError, RecursionError) as error:
            raise SourceError(f"the list {url} is no JSON ({error})") from error

    def parse_story(
        self, response: Response, listed_url: str, source: AnySource, title: str | None
    ) -> Iterator[Page]:
        """The story as served, where it is not the stored one."""
        first = self.known.arrive(response.url, listed_url)
        if first != listed_url:
            self.fail(
                listed_url,
                f"leads to {response.url}, as does {first}: stored once",
                "if it is no story, as a page to log in, see what the site says in a browser",
            )
            return
        if response.status == 304:
            self.unchanged(listed_url, source)
            return
        served = (response.headers.get("Content-Type") or b"").decode("latin-1")
        kind = served.partition(";")[0].strip().lower()
        if response.status != 200 or kind not in self.story_types or not response.body.strip():
            self.fail(
                response.url,
                f"is no story in {' or '.join(self.story_types)} (status {response.status}, "
                f"{kind[:80] or 'no type'}, {len(response.body)} bytes)",
                "see what the site says in a browser",
            )
            return
        address = urlsplit(listed_url)
        page = self.page(
            listed_url,
            source,
            response,
            title=title or _title(response, source) or address.path.rpartition("/")[2] or "index",
            page_id=f"{address.path}{'?' if address.query else ''}{address.query}".strip("/"),
            attribution_url=response.url,
        )
        if self.is_stored(page):
            self.unchanged(listed_url, source)
        else:
            yield page

    async def _linked(self, url: str, source: WebSource, seen: set[str]) -> AsyncIterator[Found]:
        """The stories that a list page and those after it link to; no page is asked twice."""
        assert source.links is not None
        following: str | None = url
        while following is not None and following not in seen:
            if len(seen) == _MOST_LISTS:
                what = f"{_MOST_LISTS} list pages were read and `next` leads on"
                self.fail(following, what, "see whether `next` is right", source)
                return
            seen.add(following)
            page = await self.read(following)
            if not isinstance(page, HtmlResponse):
                raise SourceError(f"the list {page.url} is no HTML page")
            links = _addresses(page, source.links)
            if not links:
                what = f"nothing that matches `links`, {source.links!r}, is a link"
                self.fail(page.url, what, "see how the page is marked up", source)
            elsewhere = [link for link in links if not self.sites.may_visit(link)]
            if elsewhere:
                what = f"{len(elsewhere)} links lead off the site, the first to {elsewhere[0]}"
                self.fail(page.url, what, "make `links` closer, or add a source for that site")
            for link in links:
                if link not in elsewhere:
                    yield self.story(link, source)
            following = next(iter(_addresses(page, source.next)), None) if source.next else None


def _addresses(page: HtmlResponse, selector: str) -> list[str]:
    """Where the matching elements, or the first link in each, lead; absolute, each once."""
    addresses: dict[str, None] = {}
    for element in page.css(selector):
        href = element.attrib.get("href") or element.css("a[href]").attrib.get("href")
        try:
            address = urldefrag(page.urljoin((href or "").strip())).url
        except ValueError:  # e.g. a bracket where a host should be
            continue
        in_page = (href or "#").lstrip().startswith("#")
        if not in_page and address.startswith(("http://", "https://")):
            addresses[address] = None
    return list(addresses)


def _title(response: Response, source: AnySource) -> str:
    """The story's own heading, else the page's title; empty where there is neither."""
    if not isinstance(response, HtmlResponse):
        return ""
    story = getattr(source, "story", "body")
    for found in (
        response.css(story).xpath("string(descendant-or-self::h1[1])").get(),
        response.xpath("string(//h1)").get(),
        response.xpath("string(//title)").get(),
    ):
        if title := as_title(found or ""):
            return title
    return ""
