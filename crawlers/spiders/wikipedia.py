"""English Wikipedia."""

from crawlers.spiders.mediawiki import MediaWikiSpider


class WikipediaSpider(MediaWikiSpider):
    """What may be asked of it stands in crawlers/policy.py."""

    name = "wikipedia"
