"""The item pipeline that puts pages into the store as they come."""

import asyncio

from scrapy.exceptions import CloseSpider

from crawlers.component import Component
from crawlers.page import GONE, Page
from crawlers.page_store import PageWriter, StoreBusyError


class StorePipeline(Component):
    """Opens the store for the crawl, and seals it at its end, however it ends."""

    writer: PageWriter | None = None

    def open_spider(self) -> None:
        """Take the store's lock; recover what a killed crawl left."""
        spider = self.spider
        try:
            self.writer = spider.store.writer(spider.crawl_id)
        except StoreBusyError as error:
            spider.outcome.errors.append(str(error))
            raise CloseSpider("store_busy") from error

    def process_item(self, item: Page) -> Page:
        """Append the page; a store that cannot be written to ends the crawl."""
        assert self.writer is not None
        outcome = self.spider.outcome
        try:
            self.writer.append(item)
        except OSError as error:
            outcome.fail(
                item.url,
                f"cannot be stored: {error}",
                "make room or name another data root with LOREMILL_DATA",
                fatal=str(self.spider.store.root),
            )
            closing = self.crawler.engine.close_spider_async(reason="store_failed")
            self._closing = asyncio.create_task(closing)
            raise
        if item.status == GONE:
            outcome.gone += 1
        else:
            outcome.fetched += 1
        return item

    def close_spider(self) -> None:
        """Seal what came."""
        if self.writer is not None:
            self.writer.close()
