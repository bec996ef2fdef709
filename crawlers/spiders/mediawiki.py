"""Any MediaWiki: pages listed through its API with their revision, changed ones fetched as HTML.

A wiki that nobody has read the rules of is a source of this spider, by YAML alone; a subclass
stands for wikis whose policy is known, see wikipedia.py.
"""

import re
from collections.abc import AsyncIterator, Iterator, Sequence

from scrapy import Request
from scrapy.downloadermiddlewares.retry import get_retry_request
from scrapy.exceptions import ResponseDataLossError
from scrapy.http import Response

from crawlers.action_api import ActionApi
from crawlers.explain import explain
from crawlers.franchise_spider import Found, FranchiseSpider
from crawlers.page import Page
from crawlers.policy import origins, policy_of
from crawlers.sources import AnySource, MediaWikiSource
from crawlers.wiki_listing import (
    Listed,
    Missing,
    article_url,
    category_members,
    linked_pages,
    titled_pages,
)

#: In the script of every page's head. `wgRevisionId` is what is shown, 0 where that is unknown.
_REVISION = re.compile(rb'"wgRevisionId":\s*([1-9]\d*)')
#: Where a page's end is looked for; caches write a comment after it.
_END = 4096


class MediaWikiSpider(FranchiseSpider):
    """What may be asked of a wiki stands in its policy, or in the YAML."""

    name = "mediawiki"

    async def listing(self, source: AnySource) -> AsyncIterator[Found]:
        """The source's articles; a request for each whose revision the store does not have."""
        assert isinstance(source, MediaWikiSource)
        site = origins(source)[0]
        policy = policy_of(source, site)
        api = ActionApi(f"{site}{policy.api_path}", self._api)
        async for listed in self._articles(source, api):
            url = article_url(site, policy.article_path, listed.title)
            stored = self.stored(url, source)
            if stored is not None and stored.revision == listed.revision:
                yield Found(url, None)
                continue
            request = Request(
                url,
                callback=self.parse_page,
                errback=self.page_failed,
                cb_kwargs={"listed_url": url, "listed": listed, "source": source},
                dont_filter=True,  # each url comes here once
            )
            yield Found(url, request)

    def parse_page(
        self, response: Response, listed_url: str, listed: Listed, source: AnySource
    ) -> Iterator[Page | Request]:
        """The page as served, with the revision that its HTML shows."""
        kind = (response.headers.get("Content-Type") or b"").lower()
        if response.status != 200 or b"html" not in kind or not response.body.strip():
            self.fail(
                response.url,
                f"is no HTML page (status {response.status}, {kind.decode('latin-1')}, "
                f"{len(response.body)} bytes)",
                "see what the site says in a browser",
            )
            return
        if b"</html>" not in response.body[-_END:].lower():
            yield from self._torn(response)
            return
        shown = _REVISION.search(response.body)
        # A cache may serve an older page than the API lists: its own revision is the true one, and
        # the next crawl sees that it is not the latest.
        yield self.page(
            listed_url,
            source,
            response,
            title=listed.title,
            page_id=listed.page_id,
            revision=shown.group(1).decode() if shown else listed.revision,
            attribution_url=response.url,
        )

    def _torn(self, response: Response) -> Iterator[Request]:
        """Another try for a page without an end, which every skin of MediaWiki writes.

        Where a body ends with the connection, or its Content-Length is too short, HTTP itself does
        not tell that some is missing.
        """
        assert response.request is not None
        again = get_retry_request(response.request, spider=self, reason="torn page")
        if again is not None:
            yield again
        else:
            self.fail(response.url, *explain(ResponseDataLossError()))

    async def _articles(self, source: MediaWikiSource, api: ActionApi) -> AsyncIterator[Listed]:
        """What each line of the source names; one that names nothing is a mistake."""
        for pages, otherwise, remedy in self._lines(source, api):
            found = False
            async for listed in pages:
                found = True
                yield listed
            if not found:
                self.fail(api.url, otherwise, remedy, source)

    def _lines(
        self, source: MediaWikiSource, api: ActionApi
    ) -> Iterator[tuple[AsyncIterator[Listed], str, str]]:
        """In the YAML's order: pages, what to say where there are none, and the remedy."""
        for category in source.categories:
            pages = category_members(api, category, source.depth)
            deeper = "" if source.depth else ", or give `depth` if it holds only subcategories"
            remedy = f"see whether its name is right{deeper}"
            yield pages, f"the category {category!r} has no pages", remedy
        for title in source.list_pages:
            remedy = "see whether its title is right"
            yield linked_pages(api, title), f"the list page {title!r} links to no pages", remedy
        for series in source.series:
            pages = self._present(api, series.titles())
            remedy = "see whether prefix, numbers and digits are right"
            yield pages, f"the series {series.prefix!r} has no pages", remedy
        if source.titles:
            pages = self._present(api, source.titles)
            yield pages, "none of the titles has a page", "see whether they are right"

    async def _present(self, api: ActionApi, titles: Sequence[str]) -> AsyncIterator[Listed]:
        """The pages that exist; the others are reported and passed over."""
        async for page in titled_pages(api, titles):
            if isinstance(page, Missing):
                self.fail(api.url, f"{page.title!r} {page.why}", "leave it out if it stays so")
            else:
                yield page

    async def _api(self, url: str) -> Response:
        return await self.crawler.engine.download_async(Request(url))
