"""Project Gutenberg: books picked from its catalogue, fetched as text from a mirror.

The terms close the main site's pages to robots; the catalogue and the mirrors are open. A book is
stored again where its row of the catalogue or its body is another: files are rebuilt monthly with
the same text, so the date says nothing.
"""

import re
from collections.abc import AsyncIterator, Iterator
from hashlib import sha256
from typing import Any

from scrapy import Request
from scrapy.exceptions import ResponseDataLossError
from scrapy.http import Response

from crawlers.catalogue import Book, read_catalogue, select
from crawlers.explain import SourceError, explain, status
from crawlers.franchise_spider import Found, FranchiseSpider
from crawlers.page import Page, as_title
from crawlers.policy import origins
from crawlers.sources import AnySource, GutenbergSource
from crawlers.store.known import Known
from crawlers.torn import UNDELIMITED

_CATALOGUE = "/cache/epub/feeds/pg_catalog.csv"
#: The real catalogue has some 25 MB.
_CATALOGUE_BYTES = 128 * 2**20
#: Stands in the header of the few books that are not in the public domain; the catalogue is silent.
_UNDER_COPYRIGHT = re.compile(rb"this is a copyrighted project gutenberg", re.IGNORECASE)
_HEADER = 8 * 2**10
#: A mirror's error page, whatever type it is served as.
_HTML = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
#: Where the book begins and ends, since 2003 at least; older files have the second alone.
_START = re.compile(rb"\*\*\* ?START OF (?:THE|THIS) PROJECT GUTENBERG", re.IGNORECASE)
_END = re.compile(
    rb"(?:^|[\r\n])[ \t]*"  # files of a Mac have bare CR
    rb"(?:\*{2,3} ?END\b[^\r\n]*|(?:the )?end of (?:the |this )?)project gutenberg",
    re.IGNORECASE,
)


class GutenbergSpider(FranchiseSpider):
    """One spider, two hosts: the catalogue's and the mirror's."""

    name = "gutenberg"

    def __init__(self, *arguments: Any, **options: Any):
        super().__init__(*arguments, **options)
        self._catalogues: dict[str, bytes] = {}  # by url

    async def listing(self, source: AnySource) -> AsyncIterator[Found]:
        """The books of the catalogue that the source means; each is fetched to be compared."""
        assert isinstance(source, GutenbergSource)
        url = f"{origins(source)[0]}{_CATALOGUE}"
        selection = select(source, read_catalogue(await self._catalogue(url)))
        for wanted in selection.not_found:
            self.fail(url, wanted, "see how the catalogue has it, or leave it out", source)
        for book in selection.books:
            identity = f"{origins(source)[0]}/ebooks/{book.number}"
            paths = _paths(book.number)
            stored = self._same_row(identity, book)
            if stored is not None and self.has(stored):
                yield Found(identity)
                continue
            stored = self.stored(identity)
            if stored is not None and stored.final_url is not None:  # first where it lay last time
                last = stored.final_url.removeprefix(origins(source)[-1])
                paths.sort(key=lambda path: path != last)
            yield Found(identity, self._request(identity, book, source, paths))

    def parse_book(
        self,
        response: Response,
        identity: str,
        book: Book,
        source: AnySource,
        paths: list[str],
    ) -> Iterator[Page | Request]:
        """The book, or the next place to look for it."""
        if response.status == 404:
            if paths:
                yield self._request(identity, book, source, paths)
            else:
                # Only a book that somebody named by its number was meant for certain.
                assert isinstance(source, GutenbergSource)
                self.fail(
                    identity,
                    f"book {book.number}, {book.title!r}, has no plain text on the mirror",
                    "name another mirror with `site:`, or leave the book out",
                    source if book.number in source.books else None,
                )
            return
        if response.status == 304:
            self.unchanged(identity, source)
            return
        if not response.body.strip():
            self.fail(response.url, "is empty", "run the same command again later")
            return
        kind = (response.headers.get("Content-Type") or b"").decode("latin-1").lower()
        if not kind.startswith("text/plain") or _HTML.match(response.body):
            self.fail(
                response.url,
                f"is no plain text ({kind[:80] or 'no type'}, {len(response.body)} bytes)",
                "see what the mirror says in a browser, or name another with `site:`",
            )
            return
        if _is_torn(response):
            assert response.request is not None
            again = self.ask_again(response.request)
            if again is not None:
                yield again
            else:
                self.fail(response.url, *explain(ResponseDataLossError()))
            return
        if _UNDER_COPYRIGHT.search(response.body[:_HEADER]):
            self.fail(
                response.url,
                f"book {book.number}, {book.title!r}, is under copyright, as its header says",
                "leave the book out",
            )
            return
        stored = self._same_row(identity, book)
        if stored is not None and stored.body_sha256 == sha256(response.body).hexdigest():
            self.unchanged(identity, source)
            return
        yield self.page(
            identity,
            source,
            response,
            title=book.title,
            page_id=str(book.number),
            revision=book.revision,
            attribution_url=identity,
        )

    def _same_row(self, identity: str, book: Book) -> Known | None:
        """What is stored of the book, where the catalogue still says the same of it."""
        stored = self.stored(identity)
        if stored is None or stored.title != as_title(book.title):
            return None
        # A store from before the rows were kept has the title alone to compare.
        return stored if stored.revision in (None, book.revision) else None

    async def _catalogue(self, url: str) -> bytes:
        """The catalogue as served, fetched once a crawl. Raises SourceError."""
        if url not in self._catalogues:
            response = await self.crawler.engine.download_async(
                Request(url, meta={"download_maxsize": _CATALOGUE_BYTES})
            )
            if response.status != 200:
                raise SourceError(f"the catalogue {url} {status(response.status)[0]}")
            self._catalogues[url] = response.body
        return self._catalogues[url]

    def _request(self, identity: str, book: Book, source: AnySource, paths: list[str]) -> Request:
        url = origins(source)[-1] + paths[0]
        stored = self._same_row(identity, book)
        headers = {}  # without them, the body comes in any case
        if stored is not None and stored.final_url == url:
            headers = {"If-None-Match": stored.etag, "If-Modified-Since": stored.last_modified}
        return Request(
            url,
            callback=self.parse_book,
            errback=self.page_failed,
            headers={name: value for name, value in headers.items() if value},
            cb_kwargs={"identity": identity, "book": book, "source": source, "paths": paths[1:]},
            meta={"handle_httpstatus_list": [304, 404]},
            dont_filter=True,
        )


def _is_torn(response: Response) -> bool:
    """Whether a text has no end, though it says where it begins or nothing else delimits it."""
    start = _START.search(response.body)
    if start is None and UNDELIMITED not in response.flags:
        return False
    return _END.search(response.body, start.end() if start else 0) is None


def _paths(number: int) -> list[str]:
    """Where a book's text may lie, the best first: rebuilt UTF-8; then UTF-8, Latin-1 and ASCII."""
    digits = str(number)
    mirror = "/".join([*(digits[:-1] or "0"), digits])
    posted = [f"{number}-0.txt", f"{number}-8.txt", f"{number}.txt"]
    return [
        f"/cache/epub/{number}/pg{number}.txt",
        *(f"/files/{number}/{name}" for name in posted),
        *(f"/{mirror}/{name}" for name in posted),
    ]
