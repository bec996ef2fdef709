"""A ZIM file of Kiwix in place of a live wiki: its articles as they were packed, HTML and all.

What names a page is the file's own name and the page's path, which stay from one edition to the
next; whom to credit is the page that it was made from, as far as the file tells.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator

from crawlers.franchise_spider import Found, FranchiseSpider
from crawlers.on_disk.named_file import named_file
from crawlers.on_disk.zim_file import ZimArticle, ZimFile
from crawlers.sources import AnySource, ZimSource


class ZimSpider(FranchiseSpider):
    """No request is ever sent."""

    name = "zim"

    async def listing(self, source: AnySource) -> AsyncIterator[Found]:
        """The source's articles, by title where titles are given, else in the file's order."""
        assert isinstance(source, ZimSource)
        path = named_file(source, self.file.parent)
        found = False
        for article in self._named(source, ZimFile(path, self.settings.getint("DOWNLOAD_MAXSIZE"))):
            await asyncio.sleep(0)
            if article is not None:
                found = True
                yield self._found(article, source)
        if not found:
            named = "none of the titles has an article" if source.titles else "there is no article"
            if source.title_contains:
                named += f" whose title contains {source.title_contains!r}"
            self.fail(source.path, named, "see in Kiwix what the articles are called", source)

    def _named(self, source: ZimSource, file: ZimFile) -> Iterator[ZimArticle | None]:
        """What the source means; None where a turn is to be given to the others."""
        part = (source.title_contains or "").casefold()
        for title in source.titles:
            article = file.titled(title)
            if article is None:
                what = f"{title!r} has no article of this title in the file"
                self.fail(source.path, what, "leave it out if it stays so")
            elif part in article.title.casefold():
                yield article
        for article in () if source.titles else file.articles():
            yield article if article and part in article.title.casefold() else None

    def _found(self, article: ZimArticle, source: ZimSource) -> Found:
        if article.body is None:
            what = ("the page is larger than allowed", "raise DOWNLOAD_MAXSIZE to keep it")
            return Found(article.url, failed=what)
        return Found(
            article.url,
            page=self.new_page(
                source,
                url=article.url,
                title=article.title,
                content_type=article.content_type,
                body=article.body,
                attribution_url=article.original,
            ),
        )
