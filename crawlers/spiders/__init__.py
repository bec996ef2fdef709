"""The spiders that `scrapy list` shows, a file each: the general ones, and those of known sites.

LOREMILL_SPIDERS names a folder with more of them, for a site that is unlike all others. It counts
as a part of this package, so that Scrapy, the YAML's check and a crawl that Dagster starts all find
the same spiders.
"""

import os

if _folder := os.environ.get("LOREMILL_SPIDERS"):
    __path__.append(os.path.abspath(_folder))  # noqa: PTH100 - as Python's path entries are
