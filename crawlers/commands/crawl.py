"""`scrapy crawl`, with an exit status that tells whether the crawl is complete.

Scrapy's own ends with 0 even where every request failed, and answers a mistake in a franchise with
a traceback.
"""

import argparse
import asyncio
import sys

from scrapy.commands.crawl import Command as CrawlCommand
from scrapy.exceptions import UsageError

from crawlers.component import spider_of
from crawlers.yaml_spec import SpecError


class Command(CrawlCommand):
    """Exit status 0: complete; 1: not, and `error:` lines say why; 2: bad input."""

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Run one spider to its end."""
        assert self.crawler_process is not None
        if len(args) != 1:
            raise UsageError("name one spider: scrapy crawl SPIDER -a franchise=NAME")
        spiders = self.crawler_process.spider_loader.list()
        if args[0] not in spiders:
            self._refuse(f"there is no spider {args[0]!r}; there are: {', '.join(sorted(spiders))}")
            return
        crawler = self.crawler_process.create_crawler(args[0])
        crawl = self.crawler_process.crawl(crawler, **opts.spargs)
        assert isinstance(crawl, asyncio.Task)
        self.crawler_process.start()
        try:
            crawl.result()
        except SpecError as error:
            for mistake in error.mistakes:
                self._refuse(mistake)
            return
        self.exitcode = 0 if spider_of(crawler).outcome.complete else 1
        if any(key.startswith("feedexport/failed_count") for key in crawler.stats.get_stats()):
            print("error: a feed (-o, -O) could not be written; the log says why", file=sys.stderr)
            self.exitcode = 1

    def _refuse(self, mistake: str) -> None:
        print(f"error: {mistake}", file=sys.stderr)
        self.exitcode = 2
