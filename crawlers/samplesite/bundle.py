"""The bundled content of the three sites: hand-written pages and books, and generated ones.

Texts are made once a process (the grammar takes a second or two); every call builds new sites from
them, so that an edit in one test is not seen by another.
"""

from functools import lru_cache

from crawlers.samplesite import replicas
from crawlers.samplesite.authored import PageText, authored_book, authored_pages
from crawlers.samplesite.editions import Age, BookText, files
from crawlers.samplesite.generated import episodes, films, novels
from crawlers.samplesite.library import Book, LibrarySite
from crawlers.samplesite.wiki import Wiki
from crawlers.samplesite.wiki_site import WikiSite

#: Subcategory -> category: the trees that a crawl with `depth` follows.
_PARENTS: dict[str, tuple[str, ...]] = {
    "Cinder Wren films": ("Cinder Wren",),
    "Cinder Wren graphic novels": ("Cinder Wren",),
    "Cinder Wren comics": ("Cinder Wren",),
}
_PLAY = BookText(91, "The Wind's Daughter", "Cornelius Tansy", authored_book("The_Winds_Daughter"))
_BALLADS = BookText(12392, "Ballads of the Tamber", "Cornelius Tansy",
                    authored_book("Ballads_of_the_Tamber"), Age.THIS_PROJECT)  # fmt: skip
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
    pages = authored_pages(site)
    taken = {page.title for page in pages}
    pages += episodes(taken) if site == "bulbapedia" else films()
    return pages


@lru_cache
def _books() -> dict[int, Book]:
    books = [(text, "Fantasy fiction; Bells -- Fiction", "Fantasy", "PZ") for text in novels()]
    books += [
        (_PLAY, "One-act plays; Winds -- Drama", "One Act Plays", "PR"),
        (_BALLADS, "Ballads; Sea poetry", "Poetry", "PR"),
    ]
    return {text.number: _book(text, *rest) for text, *rest in books}


def _book(text: BookText, subjects: str, shelf: str, locc: str) -> Book:
    given, _, surname = text.author.rpartition(" ")
    return Book(
        number=text.number,
        title=text.title,
        authors=f"{surname}, {given}, 1871-1940",
        files=files(text),
        subjects=subjects,
        locc=locc,
        bookshelves=f"{shelf}; Browsing: Literature",
    )


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
