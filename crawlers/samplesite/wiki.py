"""A small wiki in memory: pages with ids and revisions, categories, redirects, edits.

It holds what a MediaWiki answers from; `wiki_api.py` and `wiki_html.py` are its two faces. Times
and ids follow from the order of the calls, never from the clock, so two servers started alike
answer alike.
"""

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from threading import RLock
from unicodedata import normalize
from urllib.parse import unquote

from crawlers.samplesite.markup import Dialect

#: Namespace ids of every MediaWiki (https://www.mediawiki.org/wiki/Manual:Namespace); 2 of its own.
NAMESPACES = {
    -1: "Special", 0: "", 1: "Talk", 2: "User", 3: "User talk", 4: "Project", 5: "Project talk",
    6: "File", 7: "File talk", 8: "MediaWiki", 9: "MediaWiki talk", 10: "Template",
    11: "Template talk", 12: "Help", 13: "Help talk", 14: "Category", 15: "Category talk",
    106: "Shipping",
}  # fmt: skip
_KINDS = ("page", "subcat", "file")
_NUMBERS = {name.lower(): number for number, name in NAMESPACES.items() if name}
_FIRST_EDIT = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
_LINK = re.compile(r'href="/wiki/([^"#?]+)')
#: What a MediaWiki title cannot hold ($wgLegalTitleChars).
_ILLEGAL = re.compile(r"[<>\[\]{}|#\x00-\x1f\x7f]|%[0-9A-Fa-f]{2}|^:?$")


@dataclass(frozen=True)
class Page:
    """The current state of a page. `body` is its HTML in the plain form of `markup.py`."""

    id: int
    title: str
    revision: int
    parent_revision: int
    edited: datetime
    touched: datetime  # edited, or a page it shows has changed
    body: str = ""
    categories: tuple[str, ...] = ()  # without "Category:"
    redirect_to: str | None = None
    disambiguation: bool = False
    dialect: Dialect = Dialect.LEGACY
    whole_page: bytes | None = None  # a saved page, served as it is

    @property
    def namespace(self) -> int:
        """The namespace's number."""
        return namespace(self.title)

    @property
    def kind(self) -> str:
        """Among the members of a category: page, subcat or file."""
        return {14: "subcat", 6: "file"}.get(self.namespace, "page")

    def links(self) -> list[str]:
        """Titles that the page links to, each once, in the API's order: namespace, then title."""
        source = self.whole_page.decode("utf-8", "replace") if self.whole_page else self.body
        titles = {canonical(unquote(found)) for found in _LINK.findall(source)}
        return sorted((t for t in titles if t), key=lambda title: (namespace(title), title))


def namespace(title: str) -> int:
    """The number of the namespace that a title lies in."""
    prefix, colon, _ = title.partition(":")
    return _NUMBERS.get(prefix.strip().lower(), 0) if colon else 0


def canonical(title: str) -> str | None:
    """A title as MediaWiki keeps it: spaces, first letter upper; None where it is invalid."""
    title = re.sub(r"[ _]+", " ", normalize("NFC", title)).strip()
    if _ILLEGAL.search(title) or len(title.encode()) > 255:
        return None
    number = namespace(title)
    if number:
        title = f"{NAMESPACES[number]}:{_upper_first(title.partition(':')[2].strip())}"
    return _upper_first(title)


def _upper_first(title: str) -> str:
    return title[:1].upper() + title[1:]


@dataclass
class Wiki:
    """All pages of one wiki, and the edits that re-crawls have to notice."""

    name: str
    site_name: str
    generator: str  # as siteinfo names the software
    licence_text: str
    licence_url: str
    robots: str
    lag: float = -1  # seconds of replication lag; -1, as MediaWiki says without replicas
    _pages: dict[str, Page] = field(default_factory=dict)
    _next_id: int = 101
    _next_revision: int = 5001
    _minutes: int = 5000  # of edits, one each
    _lock: RLock = field(default_factory=RLock)

    def page(self, title: str) -> Page | None:
        """The page of that canonical title, redirects not followed."""
        return self._pages.get(title)

    def pages(self) -> list[Page]:
        """All pages, by title."""
        with self._lock:
            return sorted(self._pages.values(), key=lambda page: page.title)

    def resolve(self, title: str) -> Page | None:
        """The page behind a title, after at most one redirect, as MediaWiki does."""
        page = self.page(title)
        return self.page(page.redirect_to) if page and page.redirect_to else page

    def members(self, category: str, kinds: tuple[str, ...] = ("page",)) -> list[Page]:
        """Members of a category (named without "Category:"): pages first, then subcategories."""
        found = [page for page in self.pages() if category in page.categories]
        return [page for kind in _KINDS if kind in kinds for page in found if page.kind == kind]

    def create(
        self,
        title: str,
        body: str = "",
        *,
        categories: tuple[str, ...] = (),
        redirect_to: str | None = None,
        disambiguation: bool = False,
        dialect: Dialect = Dialect.LEGACY,
        whole_page: bytes | None = None,
        page_id: int = 0,
        revision: int = 0,
    ) -> Page:
        """Add a page; 0 for the next id or revision. Raises ValueError where the title is taken."""
        with self._lock:
            if canonical(title) != title or title in self._pages:
                raise ValueError(f"{self.name}: {title!r} is taken or not a canonical title")
            new_revision, edited = self._new_revision()
            page = Page(page_id or self._next_id, title, revision or new_revision, 0, edited,
                        edited, body, categories, redirect_to, disambiguation, dialect,
                        whole_page)  # fmt: skip
            self._next_id = max(self._next_id, page.id) + 1
            self._next_revision = max(self._next_revision, page.revision + 1)
            self._pages[title] = page
            return page

    def edit(self, title: str, body: str, dialect: Dialect | None = None) -> Page:
        """Replace a page's body: a new revision. Pages that link here are touched, not revised.

        With a dialect, the page is rendered in that from now on.
        """
        with self._lock:
            old = self._pages[title]
            revision, edited = self._new_revision()
            page = replace(old, body=body, dialect=dialect or old.dialect, whole_page=None,
                           revision=revision,
                           parent_revision=old.revision, edited=edited, touched=edited)  # fmt: skip
            self._pages[title] = page
            for other in self.pages():
                if other.title != title and title in other.links():
                    self._pages[other.title] = replace(other, touched=edited)
            return page

    def delete(self, title: str) -> None:
        """Remove a page: its title is missing from now on."""
        with self._lock:
            del self._pages[title]

    def move(self, title: str, to: str, *, redirect: bool = True) -> Page:
        """Rename a page, its id kept and a redirect left behind."""
        with self._lock:
            if canonical(to) != to or to in self._pages:
                raise ValueError(f"{self.name}: {to!r} is taken or not a canonical title")
            old = self._pages.pop(title)
            revision, edited = self._new_revision()
            page = replace(old, title=to, revision=revision, parent_revision=old.revision,
                           edited=edited, touched=edited)  # fmt: skip
            self._pages[to] = page
            if redirect:
                self.create(title, redirect_to=to)
            return page

    def content_hash(self) -> str:
        """A SHA-256 over all pages as they stand."""
        digest = sha256()
        for page in self.pages():
            digest.update(repr(page).encode())
        return digest.hexdigest()

    def _new_revision(self) -> tuple[int, datetime]:
        revision = self._next_revision
        self._next_revision += 1
        self._minutes += 1
        return revision, _FIRST_EDIT + timedelta(minutes=self._minutes)
