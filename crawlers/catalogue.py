"""Project Gutenberg's catalogue: which books a source means.

Columns and their separators: https://www.gutenberg.org/ebooks/offline_catalogs.html
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256

from crawlers.explain import SourceError
from crawlers.sources import GutenbergSource

_COLUMNS = {"Text#", "Type", "Title", "Language", "Authors", "Subjects", "Bookshelves"}


@dataclass(frozen=True)
class Book:
    """A row of the catalogue."""

    number: int
    kind: str  # Text, Sound, Dataset, …
    title: str
    languages: tuple[str, ...]
    authors: tuple[str, ...]  # "Baum, L. Frank (Lyman Frank), 1856-1919"; helpers have a [role]
    subjects: tuple[str, ...]
    bookshelves: tuple[str, ...]

    @property
    def revision(self) -> str:
        """A short hash of what the row says the book is.

        Subjects and bookshelves are left out: the library files its books anew all the time.
        """
        said = json.dumps([self.number, self.title, self.languages, self.authors])
        return sha256(said.encode()).hexdigest()[:16]


@dataclass
class Selection:
    """The books a source means, and what of it the catalogue does not have."""

    books: list[Book] = field(default_factory=list)
    not_found: list[str] = field(default_factory=list)


def read_catalogue(body: bytes) -> Iterator[Book]:
    """The rows of pg_catalog.csv, one at a time. Raises SourceError where it is something else."""
    text = io.TextIOWrapper(io.BytesIO(body), "utf-8-sig", errors="replace", newline="")
    rows = csv.DictReader(text)
    if not set(rows.fieldnames or ()) >= _COLUMNS:
        raise SourceError(f"the catalogue lacks columns; it begins {body[:60]!r}")
    for row in rows:
        if (row["Text#"] or "").isdecimal():
            yield Book(
                number=int(row["Text#"]),
                kind=row["Type"] or "",
                title=" ".join(
                    (row["Title"] or "").split()
                ),  # subtitles stand on lines of their own
                languages=_several(row["Language"]),
                authors=_several(row["Authors"]),
                subjects=_several(row["Subjects"]),
                bookshelves=_several(row["Bookshelves"]),
            )


def select(source: GutenbergSource, catalogue: Iterable[Book]) -> Selection:
    """Books by number as asked; the others by their number's order, filtered by title and language.

    A criterion that no book meets is told in `not_found`.
    """
    criteria = [
        *(("author", author) for author in source.authors),
        *(("subject", subject) for subject in source.subjects),
        *(("bookshelf", shelf) for shelf in source.bookshelves),
    ]
    unmet = set(criteria)
    numbered: dict[int, Book] = {}
    found: list[Book] = []
    for book in catalogue:
        if book.number in source.books:
            numbered[book.number] = book
        elif book.kind == "Text" and _passes(source, book):
            met = {criterion for criterion in criteria if _meets(book, *criterion)}
            unmet -= met
            if met:
                found.append(book)
    selection = Selection()
    for number in dict.fromkeys(source.books):
        if number not in numbered:
            selection.not_found.append(f"book {number} is not in the catalogue")
        elif numbered[number].kind != "Text":
            selection.not_found.append(f"book {number} is {numbered[number].kind}, not Text")
        else:
            selection.books.append(numbered[number])
    for kind, value in criteria:
        if (kind, value) in unmet and not any(
            _meets(book, kind, value) for book in numbered.values()
        ):
            title = f" with {source.title_contains!r} in its title" if source.title_contains else ""
            selection.not_found.append(
                f"the {kind} {value!r} has no text in language {source.language!r}{title}"
            )
    selection.books += sorted(found, key=lambda book: book.number)
    return selection


def _passes(source: GutenbergSource, book: Book) -> bool:
    wanted = (source.title_contains or "").casefold()
    return source.language in book.languages and wanted in book.title.casefold()


def _meets(book: Book, kind: str, value: str) -> bool:
    sought = value.casefold()
    if kind == "author":
        return any(a.casefold().startswith(sought) and "[" not in a for a in book.authors)
    values = book.subjects if kind == "subject" else book.bookshelves
    return any(sought in one.casefold() for one in values)


def _several(cell: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (cell or "").split(";") if part.strip())
