"""Reads a MediaWiki XML dump as a stream: what the wiki is, then each page's newest revision.

Expat is driven by hand, since a tree of one page with its whole history may have gigabytes: of a
page the newest revision is kept, of a text as much as a page may have, of anything else a line. A
dump has no DTD, so one that brings a DTD (and with it entities that multiply) is refused. Elements:
https://www.mediawiki.org/wiki/Help:Export, formats 0.3 to 0.11.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit
from xml.parsers import expat

from crawlers.explain import SourceError
from crawlers.namespaces import CATEGORIES
from crawlers.on_disk.compressed_file import UNREADABLE, CompressedFile

#: Decompressed bytes a step: some milliseconds, so that an interrupt is soon heard.
_STEP = 64 * 2**10
#: Characters of anything that is not a page's text; MediaWiki's titles have at most 255 bytes.
_LONGEST_FIELD = 4096
#: Bytes of one tag; expat holds it whole.
_LONGEST_TAG = 2**20
#: Dumps nest six deep.
_DEEPEST = 32
#: A redirect of a dump older than format 0.4, which had no <redirect>.
_REDIRECT = re.compile(r"\s*#\s*redirect\s*:?\s*\[\[([^\[\]|#\n]+)", re.IGNORECASE)
_PREFIXED_LINK = re.compile(r"\[\[([^\[\]|:\n]{1,100}):([^\[\]|\n]{1,300})[|\]]")
#: Where a link is none: comments, and what stands as it is written.
_NOT_READ = re.compile(r"<!--.*?(?:-->|\Z)|<nowiki>.*?(?:</nowiki>|\Z)", re.DOTALL)
_AGAIN = "fetch the file again, and compare its checksum with the published one"


@dataclass
class Wiki:
    """What `<siteinfo>` says."""

    base: str = ""  # the main page's address
    namespaces: dict[int, str] = field(default_factory=dict)  # key -> local name
    first_letter: bool = True  # whether a title's first letter is always a capital

    @property
    def address(self) -> str:
        """What stands before a title in a page's address. Raises SourceError."""
        before, separator, _ = self.base.rpartition("title=" if "title=" in self.base else "/")
        if urlsplit(before).scheme not in ("http", "https") or not urlsplit(before).hostname:
            raise SourceError(
                f"its <siteinfo> has no usable <base> ({self.base[:80]!r}), of which the pages' "
                "addresses are made",
                "export the dump with its <siteinfo>",
            )
        return before + separator

    def title(self, written: str) -> str:
        """A title as MediaWiki has it: blanks for underscores, a capital first."""
        title = " ".join(written.replace("_", " ").split())
        return title[:1].upper() + title[1:] if self.first_letter else title

    def category(self, written: str) -> str:
        """A category's name without its namespace, whichever of its names that has."""
        prefix, colon, name = written.partition(":")
        return self.title(name if colon and self._means_category(prefix) else written)

    def categories(self, wikitext: str) -> set[str]:
        """The categories that a page's own wikitext puts it in."""
        links = _PREFIXED_LINK.finditer(_NOT_READ.sub("", wikitext))
        return {self.title(link[2]) for link in links if self._means_category(link[1])}

    def _means_category(self, prefix: str) -> bool:
        names = ("category", self.namespaces.get(CATEGORIES, "").casefold())
        return " ".join(prefix.replace("_", " ").split()).casefold() in names


@dataclass
class DumpPage:
    """A page with its newest revision."""

    title: str = ""
    namespace: int = 0
    page_id: str = ""
    redirect: str | None = None  # the target's title
    revision: str | None = None
    model: str = "wikitext"
    text: str = ""
    too_large: bool = False
    withheld: bool = False  # a revision with text that is not in this dump

    timestamp: str = ""  # ISO 8601, so that the later sorts after


class WikiDump:
    """One pass over a dump. `wiki` is filled when the first page comes."""

    def __init__(self, path: Path, largest_page: int):
        self.wiki = Wiki()
        self._path = path
        self._largest = largest_page
        self._last = "before the first page"
        self._pages: list[DumpPage] = []
        self._page: DumpPage | None = None
        self._revision: DumpPage | None = None
        self._open: list[str] = []
        self._text: list[str] = []
        self._length = 0
        self._key = 0
        self.share = 0.0  # of the file, so far

    def steps(self) -> Iterator[list[DumpPage]]:
        """The pages of each step, often none. Raises SourceError where the file is broken."""
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.buffer_size = _STEP
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = self._doctype
        size = 0
        try:
            with CompressedFile(self._path) as file:
                while chunk := file.read(_STEP):
                    size += len(chunk)
                    self.share = file.share()
                    parser.Parse(chunk)
                    if size - parser.CurrentByteIndex > _LONGEST_TAG + _STEP:
                        raise self._broken("has a tag of more than a megabyte", size)
                    yield self._take()
                parser.Parse(b"", True)
        except expat.ExpatError as error:
            yield self._take()
            what = expat.ErrorString(error.code)
            if error.code == expat.errors.codes[expat.errors.XML_ERROR_NO_ELEMENTS]:
                what = "it is empty" if not size else "it is no XML"
            elif self._open and not chunk:
                what = "it ends in the middle"
            raise self._broken(f"is broken: {what}", parser.ErrorByteIndex) from error
        except UNREADABLE as error:
            yield self._take()
            raise self._broken(f"cannot be read: {_say(error)}", size) from error

    def _take(self) -> list[DumpPage]:
        pages, self._pages = self._pages, []
        return pages

    def _broken(self, what: str, byte: int) -> SourceError:
        place = f"byte {byte:,} of the XML, {self._last}"
        return SourceError(f"{self._path.absolute()} {what} ({place})", _AGAIN)

    def _doctype(self, *_: object) -> None:
        what = f"{self._path.absolute()} has a DOCTYPE, which no dump of MediaWiki has"
        raise SourceError(what, "see where the file is from")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(" ")[2]
        self._open.append(name)
        self._text, self._length = [], 0
        if len(self._open) == 1 and name != "mediawiki":
            what = f"{self._path.absolute()} is no dump of MediaWiki: it is XML of <{name[:40]}>"
            raise SourceError(what, "name a file of pages, e.g. …-pages-articles.xml.bz2")
        if len(self._open) > _DEEPEST:
            raise SourceError(
                f"{self._path.absolute()} nests deeper than any dump ({self._last})", _AGAIN
            )
        match self._open[1:]:
            case ["page"]:
                self._page = DumpPage()
            case ["page", "redirect"] if self._page:
                self._page.redirect = attributes.get("title", "")
            case ["page", "revision"]:
                self._revision = DumpPage()
            case ["page", "revision", "text"] if self._revision:
                size = attributes.get("bytes", "0")
                self._revision.withheld = "deleted" in attributes or size not in ("", "0")
            case ["siteinfo", "namespaces", "namespace"]:
                key = attributes.get("key", "")
                self._key = int(key) if re.fullmatch(r"-?\d{1,6}", key) else -1

    def _characters(self, data: str) -> None:
        self._length += len(data)
        is_text = self._open[-1] == "text"
        if self._length <= (self._largest if is_text else _LONGEST_FIELD):
            self._text.append(data)
        elif is_text and self._revision:
            self._revision.too_large = True
            self._text = []

    def _end(self, _: str) -> None:
        text = "".join(self._text)
        page, revision = self._page, self._revision
        match self._open[1:]:
            case ["siteinfo", "base"]:
                self.wiki.base = text.strip()
            case ["siteinfo", "case"]:
                self.wiki.first_letter = text.strip() != "case-sensitive"
            case ["siteinfo", "namespaces", "namespace"] if len(self.wiki.namespaces) < 1000:
                self.wiki.namespaces[self._key] = text.strip()
            case ["page", "title"] if page:
                page.title = text.strip()
                self._last = f"in or after the page {page.title[:100]!r}"
            case ["page", "ns"] if page:
                page.namespace = int(text) if re.fullmatch(r"-?\d{1,6}", text.strip()) else -1
            case ["page", "id"] if page:
                page.page_id = text.strip()
            case ["page", "revision", "id"] if revision:
                revision.revision = text.strip()
            case ["page", "revision", "timestamp"] if revision:
                revision.timestamp = text.strip()
            case ["page", "revision", "model"] if revision:
                revision.model = text.strip()
            case ["page", "revision", "text"] if revision:
                revision.text = text
                revision.withheld = revision.withheld and not text and not revision.too_large
            case ["page", "revision"] if page and revision:
                self._keep_newer(page, revision)
                self._revision = None
            case ["page"] if page:
                self._finish(page)
                self._page = None
        self._open.pop()
        self._text, self._length = [], 0

    def _keep_newer(self, page: DumpPage, revision: DumpPage) -> None:
        """A dump with histories has many revisions, as a rule the newest last."""
        if revision.timestamp >= page.timestamp:
            for name in ("revision", "timestamp", "model", "text", "too_large", "withheld"):
                setattr(page, name, getattr(revision, name))

    def _finish(self, page: DumpPage) -> None:
        if not page.title:
            raise SourceError(
                f"{self._path.absolute()} has a page without a title ({self._last})", _AGAIN
            )
        if page.redirect is None and (old := _REDIRECT.match(page.text)):
            page.redirect = old[1].strip()
        self._pages.append(page)


def _say(error: BaseException) -> str:
    """An error's own words, without the path that stands beside them."""
    strerror = getattr(error, "strerror", None)
    return str(strerror or error or type(error).__name__)
