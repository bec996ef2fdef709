"""Any MediaWiki: pages listed through its API with their revision, changed ones fetched as HTML.

A wiki that nobody has read the rules of is a source of this spider, by YAML alone; a subclass
stands for wikis whose policy is known, see wikipedia.py. A page's id stays when it is moved
(https://www.mediawiki.org/wiki/Manual:Page_table), so a move is told from a deletion by it; of two
wikis on one host, as Fandom's languages are, each has ids of its own.
"""

import re
from collections.abc import AsyncIterator, Iterator, Sequence

from scrapy import Request
from scrapy.exceptions import ResponseDataLossError
from scrapy.http import Response

from crawlers.action_api import ActionApi
from crawlers.explain import explain
from crawlers.franchise_spider import Found, FranchiseSpider
from crawlers.page import Page
from crawlers.policy import origins, policy_of
from crawlers.sources import AnySource, MediaWikiSource, source_name
from crawlers.torn import has_end
from crawlers.wiki_listing import (
    Listed,
    Missing,
    article_url,
    category_members,
    found_pages,
    linked_pages,
    namespace_pages,
    titled_pages,
)

#: In the script of every page's head. `wgRevisionId` is what is shown, 0 where that is unknown.
_REVISION = re.compile(rb'"wgRevisionId":\s*([1-9]\d{0,17})\b')
#: The page that is shown, 0 for none.
_PAGE = re.compile(rb'"wgArticleId":\s*(\d{1,18})\b')


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
            before = [
                old
                for old in self.known.addresses(listed.page_id)
                if old != url and self._wiki(old) == self._wiki(url)
            ]
            stored = self.stored(url)
            if stored is not None and stored.revision == listed.revision:
                self.moved |= dict.fromkeys(before, url)  # a crawl that was killed knew already
                yield Found(url, name=(listed.title, listed.page_id))
                continue
            for old in before:
                self.moved.setdefault(old, None)
            request = Request(
                url,
                callback=self.parse_page,
                errback=self.page_failed,
                cb_kwargs={
                    "listed_url": url, "listed": listed, "source": source, "before": before,
                },
                dont_filter=True,  # each url comes here once
            )  # fmt: skip
            yield Found(url, request, name=(listed.title, listed.page_id))

    def parse_page(
        self,
        response: Response,
        listed_url: str,
        listed: Listed,
        source: AnySource,
        before: Sequence[str],
    ) -> Iterator[Page | Request]:
        """The page as served, with the revision that its HTML shows; `before`: where it was."""
        kind = (response.headers.get("Content-Type") or b"").lower()
        if response.status != 200 or b"html" not in kind or not response.body.strip():
            self.fail(
                response.url,
                f"is no HTML page (status {response.status}, {kind.decode('latin-1')}, "
                f"{len(response.body)} bytes)",
                "see what the site says in a browser",
            )
            return
        if not has_end(response):
            yield from self._torn(response)
            return
        page_id = _shown(_PAGE, response)
        if page_id not in (None, listed.page_id):
            self.fail(
                response.url,
                f"shows the page with id {page_id}, not {listed.page_id} as the API listed",
                "run the same command again: it may have been replaced meanwhile",
            )
            return
        self.moved |= dict.fromkeys(before, listed_url)
        revision = _shown(_REVISION, response) or listed.revision
        if int(revision) < int(listed.revision):
            # A cache: the page's own revision is the true one, so the next crawl asks again.
            self.outcome.stale += 1
            stored = self.stored(listed_url)
            if stored is not None and stored.revision == revision:
                self.unchanged(listed_url, source)
                return
        yield self.page(
            listed_url,
            source,
            response,
            title=listed.title,
            page_id=listed.page_id,
            revision=revision,
            attribution_url=response.url,
        )

    def _torn(self, response: Response) -> Iterator[Request]:
        """Another try for a page without an end, which every skin of MediaWiki writes.

        Where a body ends with the connection, or its Content-Length is too short, HTTP itself does
        not tell that some is missing.
        """
        assert response.request is not None
        again = self.ask_again(response.request)
        if again is not None:
            yield again
        else:
            self.fail(response.url, *explain(ResponseDataLossError()))

    def _wiki(self, url: str) -> str | None:
        """Of this crawl's wikis the one that a page's address is of; one host may have several."""
        wikis = [f"{origins(one)[0]}{one.article_path}" for one in self.sources
                 if isinstance(one, MediaWikiSource)]  # fmt: skip
        return max((wiki for wiki in wikis if url.startswith(wiki)), key=len, default=None)

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
        for namespace in source.namespaces:
            remedy = "see whether its number is right; 0 has the articles"
            pages = namespace_pages(api, namespace)
            yield pages, f"the namespace {namespace} has no pages", remedy
        for words in source.searches:
            pages = self._found(api, words, source)
            yield pages, f"the search {words!r} finds no pages", "try it in a browser"
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

    async def _found(
        self, api: ActionApi, words: str, source: MediaWikiSource
    ) -> AsyncIterator[Listed]:
        """What a search tells; that it tells no more does not make the rest gone."""
        async for page in found_pages(api, words):
            if isinstance(page, Missing):
                self._cut.add(source_name(source))
                remedy = "make it narrower, or name a category or a namespace"
                self.fail(api.url, f"the search {words!r} {page.why}", remedy)
            else:
                yield page

    async def _api(self, url: str) -> Response:
        return await self.crawler.engine.download_async(Request(url))


def _shown(what: re.Pattern[bytes], response: Response) -> str | None:
    found = what.search(response.body)
    return found.group(1).decode() if found else None
