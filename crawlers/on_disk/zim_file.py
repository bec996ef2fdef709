"""Reads the articles of a ZIM file, the form in which Kiwix gives whole wikis away.

A page in it is HTML as the wiki's own parser made it, in the skin of the program that packed it
(mwoffliner). libzim is an extra, as few need it. Metadata: https://wiki.openzim.org/wiki/Metadata.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from crawlers.explain import SourceError

if TYPE_CHECKING:
    from libzim.reader import Entry

#: Where mwoffliner names the page that an article was made from: `<link rel="canonical">`.
_CANONICAL = re.compile(
    rb"<link rel=[\"']canonical[\"'] href=[\"']([^\"'<>]{1,2000})[\"']", re.IGNORECASE
)
_HEAD = 64 * 2**10
#: Hosts whose articles all stand below /wiki/ under their titles.
_WIKI = re.compile(
    r"(?:^|\.)(?:wik(?:ipedia|tionary|isource|ibooks|inews|iquote|iversity|ivoyage)\.org"
    r"|fandom\.com)$"
)
#: What an address keeps as it is (RFC 3986).
_ADDRESS = "/:@!$&'()*+,;=~%"
#: Redirects to redirects end somewhere.
_REDIRECTS = 5
#: The box of a page that only parts others of one name (English Wikipedia's {{Disambiguation}}).
_DISAMBIGUATION = re.compile(rb"id=[\"']disambigbox|[\"' ](?:dmbox-disambig|disambigbox)[\"' ]")


@dataclass(frozen=True)
class ZimArticle:
    """An article as it is in the file; `body` is None where it is larger than allowed."""

    title: str
    path: str
    url: str  # zim://NAME/PATH, the same in each edition of the file
    original: str | None  # where it was made from
    content_type: str
    body: bytes | None


class ZimFile:
    """An open ZIM file."""

    def __init__(self, path: Path, largest_page: int):
        """Open it. Raises SourceError."""
        try:
            from libzim.reader import Archive
        except ImportError as error:
            raise SourceError(
                "ZIM files are read by libzim, which is not installed",
                "pip install 'loremill[zim]'",
            ) from error
        self._path = path.absolute()
        self._largest = largest_page
        with self._telling("the header"):
            self._archive = Archive(path)
            has_main = self._archive.has_main_entry
            self._main = self._archive.main_entry.get_item().path if has_main else None
        self._name = self._metadata("Name") or path.name.removesuffix(".zim")
        self._source = self._metadata("Source")

    def articles(self) -> Iterator[ZimArticle | None]:
        """The file's entries in their order; None for each that is no article.

        Raises SourceError where the file is broken.
        """
        for number in range(self._archive.entry_count):
            with self._telling(f"entry {number:,}"):
                article = self._article(self._archive._get_entry_by_id(number))
            yield article

    def titled(self, title: str) -> ZimArticle | None:
        """The article of this title, redirects followed. Raises SourceError as `articles` does."""
        title = " ".join(title.replace("_", " ").split())
        with self._telling(f"the article {title!r}"):
            if self._archive.has_entry_by_title(title):
                entry = self._archive.get_entry_by_title(title)
            elif self._archive.has_entry_by_path(title.replace(" ", "_")):
                entry = self._archive.get_entry_by_path(title.replace(" ", "_"))
            else:
                return None
            for _ in range(_REDIRECTS):
                if not entry.is_redirect:
                    return self._article(entry)
                entry = entry.get_redirect_entry()
        return None

    def _article(self, entry: "Entry") -> ZimArticle | None:
        if entry.is_redirect or entry.path == self._main:
            return None
        item = entry.get_item()
        if not item.mimetype.startswith("text/html"):
            return None
        too_large = item.size > self._largest
        body = None if too_large else bytes(item.content)
        if body is not None and _DISAMBIGUATION.search(body):
            return None
        link = _CANONICAL.search(body[:_HEAD]) if body else None
        original = unescape(link[1].decode("utf-8", "replace")) if link else ""
        if not _is_web(original):
            original = self._original(entry.path)
        url = f"zim://{quote(self._name)}/{quote(entry.path)}"
        return ZimArticle(entry.title, entry.path, url, original or None, item.mimetype, body)

    def _original(self, path: str) -> str:
        """Where an entry was made from, by the file's Source alone: its page, where that is plain,
        else the site; "" where it names none."""
        site = self._source if "://" in self._source else f"https://{self._source}"
        host = urlsplit(site).netloc if _is_web(f"{site.rstrip('/')}/") else ""
        if not host:
            return ""
        # zimit names what it has packed by its address.
        if path.partition("/")[0].casefold().removeprefix("www.") == host.removeprefix("www."):
            return f"https://{quote(path, safe=_ADDRESS)}"
        if _WIKI.search(host):
            return f"https://{host}/wiki/{quote(path, safe=_ADDRESS)}"
        return f"https://{host}/"

    def _metadata(self, name: str) -> str:
        """A line of what the file says of itself; "" where it is silent."""
        if name not in self._archive.metadata_keys:
            return ""
        value: bytes = self._archive.get_metadata(name)[:200]
        return value.decode("utf-8", "replace").strip()

    @contextmanager
    def _telling(self, place: str) -> Iterator[None]:
        """What libzim raises of a broken file, told with the place."""
        try:
            yield
        except (RuntimeError, KeyError, OSError, ValueError) as error:
            raise SourceError(
                f"{self._path} is no ZIM file, or is broken at {place}: "
                + " ".join(str(error).split())[:200],
                "fetch it again, and compare its checksum with the published one",
            ) from error


def _is_web(url: str) -> bool:
    return bool(re.fullmatch(r"https?://[\w.-]+(:\d+)?/[^\s<>\"]*", url))
