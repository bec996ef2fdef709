"""The item pipeline that puts pages into the store as they come, and keeps the politeness record.

Record and pages stand under one lock: who may write the one may write the other.
"""

import asyncio

from scrapy.exceptions import CloseSpider, DropItem

from crawlers.component import Component
from crawlers.page import GONE, Page
from crawlers.politeness.signals import split
from crawlers.store.page_store import PageWriter, StoreBusyError
from crawlers.store.unfinished import begin

#: Why a crawl ended that never had the store: its last_crawl.json is not this crawl's to write.
NO_STORE = "no_store"
#: What to do about a store that cannot be written to.
MAKE_ROOM = "make room or name another data root with LOREMILL_DATA, and run the same command"


class StorePipeline(Component):
    """Opens the store for the crawl, and seals it at its end, however it ends."""

    writer: PageWriter | None = None

    def open_spider(self) -> None:
        """Take the store's lock; recover what a killed crawl left."""
        try:
            self.spider.taken_down.refresh()  # a record that cannot be read ends the crawl
            self.writer = self.spider.store.writer(self.spider.crawl_id)
            self.spider.record.open(self._cannot_record)
            self.spider.unfinished = begin(self.spider.store.root, self.spider.crawl_id)
        except StoreBusyError as error:  # which names the store
            self.spider.outcome.errors.append(str(error))
            raise CloseSpider(NO_STORE) from error
        except ValueError as error:
            self.spider.outcome.errors.append(f"{self.spider.store.root}: {error}")
            raise CloseSpider(NO_STORE) from error
        except OSError as error:
            self._cannot_store("the pages of the crawl before, which its journal keeps", error)
            raise CloseSpider(NO_STORE) from error

    def process_item(self, item: Page) -> Page:
        """Append the page; a store that cannot be written to ends the crawl."""
        assert self.writer is not None
        if self.spider.ending:
            raise DropItem("the store cannot be written to", log_level="DEBUG")
        if self._is_taken_down(item):
            raise DropItem("it was taken down", log_level="DEBUG")
        try:
            self.writer.append(item)
        except OSError as error:
            self._cannot_store(item.url, error)
            self._end()
            raise DropItem("the store cannot be written to", log_level="DEBUG") from error
        if item.status == GONE and item.final_url is not None:
            self.spider.outcome.moved += 1
        elif item.status == GONE:
            self.spider.outcome.gone += 1
        elif item.crawl_id != self.spider.crawl_id:  # an earlier one's, under another label
            self.spider.outcome.unchanged += 1
        else:
            self.spider.outcome.fetched += 1
            self.spider.outcome.said(split(item.signals))
        return item

    def close_spider(self) -> None:
        """Seal what came; what cannot be sealed stays in the journal for the next crawl."""
        if self.writer is None:
            return
        try:
            self.spider.record.close()
        except OSError as error:
            self._cannot_store(str(self.spider.record.path), error)
        try:
            self.writer.close()
        except OSError as error:
            self._cannot_store("the last pages", error)

    def _is_taken_down(self, page: Page) -> bool:
        """Whether a page is to stay out: a redirect led to it, or it was taken down meanwhile.

        It is no more among the listed ones then.
        """
        names = {"title": page.title, "page_id": page.page_id}
        if page.status == GONE or not self.spider.taken_down.has(page.url, page.final_url, **names):
            return False
        self.spider.outcome.listed -= 1
        self.spider.outcome.taken_down += 1
        return True

    def _cannot_record(self, error: OSError) -> None:
        """A crawl that cannot show how it treats a site ends."""
        self._cannot_store(str(self.spider.record.path), error)
        self._end()

    def _end(self) -> None:
        if not self.spider.ending:
            self.spider.ending = True
            closing = self.crawler.engine.close_spider_async(reason="store_failed")
            self._closing = asyncio.create_task(closing)

    def _cannot_store(self, url: str, error: OSError) -> None:
        self.spider.outcome.fail(
            url,
            f"cannot be stored: {error}",
            MAKE_ROOM,
            fatal=str(self.spider.store.root),
        )
