"""The bundled content of the three sites: hand-written pages and books, and generated ones.

Texts are made once a process (the grammar takes a second or two); every call builds new sites from
them, so that an edit in one test is not seen by another.
"""

from functools import lru_cache

from crawlers.samplesite import replicas
from crawlers.samplesite.authored import PageText, authored_pages
from crawlers.samplesite.library import Book, LibrarySite
from crawlers.samplesite.wiki import Wiki
from crawlers.samplesite.wiki_site import WikiSite

#: Subcategory -> category: the trees that a crawl with `depth` follows.
_PARENTS: dict[str, tuple[str, ...]] = {
    "Cinder Wren films": ("Cinder Wren",),
    "Cinder Wren graphic novels": ("Cinder Wren",),
    "Cinder Wren comics": ("Cinder Wren",),
}
_REDIRECTS = {
    "bulbapedia": {"The Keeper's First Lantern": "LK001"},
    "wikipedia": {"Cinder Wren 1": "Cinder Wren (film)"},
}


def bundled_sites() -> tuple[WikiSite, WikiSite, LibrarySite]:
    """New replicas of bulbapedia, wikipedia and gutenberg, filled with the bundled content."""
    wikis = (replicas.bulbapedia(), replicas.wikipedia())
    for wiki in wikis:
        _fill(wiki, _pages(wiki.name))
    return WikiSite(wikis[0]), WikiSite(wikis[1]), LibrarySite(dict(_books()))


@lru_cache
def _pages(site: str) -> list[PageText]:
    return authored_pages(site)


@lru_cache
def _books() -> dict[int, Book]:
    return {}


def _fill(wiki: Wiki, pages: list[PageText]) -> None:
    for page in pages:
        wiki.create(
            page.title,
            page.body,
            categories=page.categories,
            dialect=page.dialect,
            disambiguation=page.disambiguation,
        )
    categories = {category for page in pages for category in page.categories}
    categories |= {parent for child in categories for parent in _PARENTS.get(child, ())}
    for category in sorted(categories):
        wiki.create(f"Category:{category}", categories=_PARENTS.get(category, ()))
    for title, target in _REDIRECTS[wiki.name].items():
        wiki.create(title, redirect_to=target)
    wiki.create("Main Page", "<p>Welcome.</p>\n")
