"""The wikis of Fandom: each at a host of its own, with the API beside its front page."""

from crawlers.spiders.mediawiki import MediaWikiSpider


class FandomSpider(MediaWikiSpider):
    """What may be asked of it stands in crawlers/policy.py."""

    name = "fandom"
