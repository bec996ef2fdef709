"""What the parts of the crawl that Scrapy builds have in common: their crawler, and its spider."""

from typing import Self

from scrapy.crawler import Crawler

from crawlers.franchise_spider import FranchiseSpider


class Component:
    """A middleware, pipeline, extension or storage of this project."""

    def __init__(self, crawler: Crawler):
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """As Scrapy builds it."""
        return cls(crawler)

    @property
    def spider(self) -> FranchiseSpider:
        """The spider of this crawl."""
        return spider_of(self.crawler)


def spider_of(crawler: Crawler) -> FranchiseSpider:
    """The crawler's spider, as the components need it."""
    assert isinstance(crawler.spider, FranchiseSpider)
    return crawler.spider
