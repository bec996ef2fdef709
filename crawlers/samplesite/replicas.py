"""The two wikis before any page is written: names, licences and robots.txt.

The bundled text is CC0, yet each replica declares its model's licence where the software shows one
(footer, siteinfo), so that what a spider and an extractor meet is shaped like the real thing.
"""

from crawlers.samplesite.wiki import Wiki

_BULBAPEDIA_ROBOTS = """\
User-agent: *
Crawl-delay: 0.05
Disallow: /wiki/Special:Search
Disallow: /wiki/Special:Random
Disallow: /wiki/Special:Randompage
Disallow: /wiki/Shipping:
"""

_WIKIPEDIA_ROBOTS = """\
# Friendly, low-speed bots are welcome viewing article pages, but not dynamically generated pages.
User-agent: UbiCrawler
Disallow: /

User-agent: *
Allow: /w/api.php?action=mobileview&
Allow: /w/load.php?
Allow: /api/rest_v1/?doc
Disallow: /w/
Disallow: /api/
Disallow: /trap/
Disallow: /wiki/Special:
Disallow: /wiki/Special%3A
"""


def bulbapedia() -> Wiki:
    """An empty Bulbapedia."""
    return Wiki(
        name="bulbapedia",
        site_name="Lorapedia, the community-driven Lorakin encyclopedia",
        generator="MediaWiki 1.43.0",
        licence_text="Attribution-NonCommercial-ShareAlike 2.5",
        licence_url="https://creativecommons.org/licenses/by-nc-sa/2.5/",
        robots=_BULBAPEDIA_ROBOTS,
    )


def wikipedia() -> Wiki:
    """An empty Wikipedia."""
    return Wiki(
        name="wikipedia",
        site_name="Wikipedia",
        generator="MediaWiki 1.45.0-wmf.20",
        licence_text="Creative Commons Attribution-Share Alike 4.0",
        licence_url="https://creativecommons.org/licenses/by-sa/4.0/",
        robots=_WIKIPEDIA_ROBOTS,
    )
