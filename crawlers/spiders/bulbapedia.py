"""Bulbapedia, the Pokémon wiki. Non-commercial licence; challenges robots at times."""

from crawlers.spiders.mediawiki import MediaWikiSpider


class BulbapediaSpider(MediaWikiSpider):
    """What may be asked of it stands in crawlers/policy.py."""

    name = "bulbapedia"
