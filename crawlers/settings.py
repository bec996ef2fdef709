"""Scrapy's settings: polite and fail-closed. What a single site allows stands in policy.py."""

import os

from crawlers.franchise import data_root

BOT_NAME = "loremill"
SPIDER_MODULES = ["crawlers.spiders"]
NEWSPIDER_MODULE = "crawlers.spiders"
COMMANDS_MODULE = "crawlers.commands"

# Who crawls (goes into the User-Agent, see contact.py), where pages go, what the crawl is called.
LOREMILL_CONTACT = os.environ.get("LOREMILL_CONTACT")
LOREMILL_DATA = str(data_root())
LOREMILL_CRAWL_ID = os.environ.get("LOREMILL_CRAWL_ID")
LOREMILL_LIMIT = os.environ.get("LOREMILL_LIMIT")  # at most so many pages of each source

# Nobody reaches into a running crawl.
REMOTE_CONTROL_ENABLED = False
TELNETCONSOLE_ENABLED = False

# Politeness is ours, in the order in which a request passes; responses come back the other way.
ROBOTSTXT_OBEY = False  # Scrapy's own fetches where robots.txt answers 503; RobotsMiddleware obeys
DOWNLOADER_MIDDLEWARES = {
    "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": None,
    "crawlers.politeness.site_wall.SiteWallMiddleware": 50,
    "crawlers.politeness.robots.RobotsMiddleware": 100,
    "crawlers.politeness.maxlag.MaxlagMiddleware": 540,
    "crawlers.politeness.challenge.ChallengeMiddleware": 570,
    "scrapy.downloadermiddlewares.httpcompression.HttpCompressionMiddleware": None,
    "crawlers.compression.CompressionMiddleware": 590,  # whole bodies only, and bounded
    "crawlers.torn.TornMiddleware": 595,
    "crawlers.politeness.address.AddressMiddleware": 760,  # after HttpProxyMiddleware
    "crawlers.politeness.pace.PaceMiddleware": 1000,
}
DOWNLOAD_HANDLERS = {
    "http": "crawlers.politeness.wire.WireHandler",
    "https": "crawlers.politeness.wire.WireHandler",
}
AUTOTHROTTLE_ENABLED = True
AUTOTHROTTLE_TARGET_CONCURRENCY = 1.0
AUTOTHROTTLE_MAX_DELAY = 60.0
CONCURRENT_REQUESTS = 8  # in all; of one host as many as its policy says, mostly one
CONCURRENT_REQUESTS_PER_DOMAIN = 8
CONCURRENT_ITEMS = 1  # of one answer; Scrapy starts that many tasks for each, and they have one
DOWNLOAD_DELAY = 0.0  # waiting is done by PaceMiddleware
RETRY_TIMES = 3
RETRY_BACKOFF = 1.0  # seconds, doubled each time; five times as long where the server is busy
ROBOTS_MAX_AGE = 86_400.0  # seconds for which a robots.txt holds (RFC 9309, 2.4)
RETRY_AFTER_MAX = 900.0  # seconds; a host that asks for more is left alone

# Bounds.
MEMUSAGE_LIMIT_MB = 2048  # a crawl takes some 200; what has no bound of its own, as headers, ends
MEMUSAGE_CHECK_INTERVAL_SECONDS = 5.0
MAX_PAGES = 200_000  # of one crawl, changed or not; a source has its own `limit`
MAX_GONE = 0.5  # of a source's pages that may go at once; 1 where a person means it, see gone.py
DOWNLOAD_MAXSIZE = 16 * 2**20  # bytes of a page, as it comes and unpacked
DOWNLOAD_WARNSIZE = 0
DOWNLOAD_TIMEOUT = 60  # seconds of a whole page, however steadily it drips
DOWNLOAD_VERIFY_CERTIFICATES = True
REDIRECT_MAX_TIMES = 5
METAREFRESH_ENABLED = False  # interstitials use it, articles don't
COOKIES_ENABLED = False
REFERRER_POLICY = "no-referrer"

# A torn page is asked for again as it was, see spiders/mediawiki.py.
SPIDER_MIDDLEWARES = {"scrapy.spidermiddlewares.metacopy.MetaCopyDetectionMiddleware": None}

# Where pages go.
ITEM_PIPELINES = {"crawlers.store_pipeline.StorePipeline": 100}
FEED_EXPORTERS = {"parquet": "crawlers.parquet_feed.ParquetItemExporter"}
FEED_STORAGES = {
    "": "crawlers.parquet_feed.AtomicFileStorage",
    "file": "crawlers.parquet_feed.AtomicFileStorage",
}
FEED_STORE_EMPTY = False  # a crawl that found nothing new leaves the last file

# What is said: progress and errors, by CrawlReport; Scrapy itself only warns.
EXTENSIONS = {
    "scrapy.extensions.throttle.AutoThrottle": None,  # PaceMiddleware does its work
    "scrapy.extensions.logstats.LogStats": None,
    "crawlers.crawl_report.CrawlReport": -1,  # before the feeds
}
PROGRESS_INTERVAL = 5.0  # seconds
LOG_LEVEL = "WARNING"
RETRY_GIVE_UP_LOG_LEVEL = "INFO"  # CrawlReport says it
STATS_DUMP = False
WARN_ON_GENERATOR_RETURN_VALUE = False  # it reads a callback's source anew for every answer
