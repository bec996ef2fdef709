"""A small library in the manner of Project Gutenberg: catalogue, book files, harvest pages.

Every path that robots may use is here (the catalogue, `cache/epub`, `files`, the mirrors' one
digit a folder layout, `/robot/harvest` with its "next" link); the pages that the real terms close
to robots answer 403. Files are served as bytes, whatever their encoding.
"""

import csv
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from html import escape

from crawlers.samplesite.exchange import Request, Response, dated, html, text

#: Columns of pg_catalog.csv (https://www.gutenberg.org/ebooks/offline_catalogs.html).
CATALOGUE_COLUMNS = (
    "Text#", "Type", "Issued", "Title", "Language", "Authors", "Subjects", "LoCC", "Bookshelves",
)  # fmt: skip
#: Links of one harvest page; the real one gives a hundred, more than there are books here.
HARVEST_PAGE = 4
_FIRST_ISSUE = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)

ROBOTS = """\
# Robots may read the catalogue, the harvest pages and the files. The rest is for people.
User-agent: *
Disallow: /ebooks/
Disallow: /browse/
Disallow: /w/
Allow: /robot/harvest
Allow: /cache/epub/
Allow: /files/
"""


@dataclass(frozen=True)
class Book:
    """A catalogue row and the files that exist: name (`pg7.txt`, `7-0.txt`, …) -> bytes."""

    number: int
    title: str
    authors: str
    files: Mapping[str, bytes]
    language: str = "en"
    issued: str = "2026-01-05"
    subjects: str = ""
    locc: str = ""
    bookshelves: str = ""

    def row(self) -> list[str]:
        """The catalogue row."""
        return [str(self.number), "Text", self.issued, self.title, self.language, self.authors,
                self.subjects, self.locc, self.bookshelves]  # fmt: skip


def mirror_folder(number: int) -> str:
    """Where the mirrors keep a book: 12345 -> 1/2/3/4/12345; below 10: 0/5."""
    digits = str(number)
    return "/".join([*(digits[:-1] or "0"), digits])


@dataclass
class LibrarySite:
    """The Gutenberg replica."""

    books: dict[int, Book] = field(default_factory=dict)
    name: str = "gutenberg"

    def __post_init__(self) -> None:
        self._files: dict[str, tuple[bytes, datetime]] = {}
        for book in self.books.values():
            self.put(book)

    def put(self, book: Book) -> None:
        """Add a book, or a new version of it."""
        self.books[book.number] = book
        modified = _FIRST_ISSUE + timedelta(minutes=len(self._files))
        for name, body in book.files.items():
            for path in _paths(book.number, name):
                self._files[path] = (body, modified)

    def answer(self, request: Request) -> Response:
        """Answer one request."""
        if request.path == "/robots.txt":
            return text(200, ROBOTS)
        if request.path == "/cache/epub/feeds/pg_catalog.csv":
            response = text(200, self.catalogue(), "text/csv")
            return dated(request, response, _FIRST_ISSUE + timedelta(minutes=len(self._files)))
        if request.path == "/robot/harvest":
            return html(200, self._harvest(request))
        if request.path in self._files:
            body, modified = self._files[request.path]
            kind = "application/zip" if request.path.endswith(".zip") else "text/plain"
            return dated(request, Response(200, body, {"Content-Type": kind}), modified)
        if request.path.startswith(("/ebooks", "/browse")):
            return html(403, "<title>403</title><p>These pages are for human readers only.</p>")
        return html(404, "<!DOCTYPE html><title>404 | Not Found</title><h1>Not Found</h1>")

    def catalogue(self) -> str:
        """pg_catalog.csv as text."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerow(CATALOGUE_COLUMNS)
        writer.writerows(self.books[number].row() for number in sorted(self.books))
        return out.getvalue()

    def content_hash(self) -> str:
        """A SHA-256 over the catalogue and all files."""
        digest = sha256(self.catalogue().encode())
        for path in sorted(self._files):
            digest.update(path.encode() + b"\0" + self._files[path][0])
        return digest.hexdigest()

    def _harvest(self, request: Request) -> str:
        query = request.query
        offset = query.get("offset", "0")
        language, kind = query.get("langs[]", "en"), query.get("filetypes[]", "txt")
        paths = sorted(
            path
            for path in self._files
            if path.endswith(".zip")
            and not path.startswith("/files/")
            and self._language(path) == language
            and kind == "txt"
        )
        start = int(offset) if offset.isdecimal() else 0
        items = "".join(
            f'<p><a href="{request.origin}{path}">{request.origin}{path}</a></p>\n'
            for path in paths[start : start + HARVEST_PAGE]
        )
        if start + HARVEST_PAGE < len(paths):
            target = f"harvest?offset={start + HARVEST_PAGE}&filetypes[]={kind}&langs[]={language}"
            items += f'<p><a href="{escape(target)}">Next Page</a></p>\n'
        return (
            f"<!DOCTYPE html><html><head><title>Harvest</title></head><body>{items}</body></html>"
        )

    def _language(self, path: str) -> str:
        return self.books[int(path.split("/")[-2])].language


def _paths(number: int, name: str) -> list[str]:
    """Where a file is found: rebuilt files in the cache, those as posted in two places."""
    if name.startswith("pg"):
        return [f"/cache/epub/{number}/{name}"]
    return [f"/files/{number}/{name}", f"/{mirror_folder(number)}/{name}"]


def zipped(name: str, body: bytes) -> bytes:
    """The same bytes for the same file always: a zip with a fixed date."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        entry = zipfile.ZipInfo(name, (2026, 1, 5, 8, 0, 0))
        archive.writestr(entry, body, zipfile.ZIP_DEFLATED)
    return out.getvalue()
