"""Serves a folder of saved pages and books through the replicas, e.g. to try real text.

DIR/bulbapedia and DIR/wikipedia hold *.html: whole saved pages are served as they are, under the
id and revision that they show, fragments in a skin's shell. The title is that of <title> without
the site's name, else the file's name. `categories.json` beside them may map a category to titles;
everything else is in Category:All. DIR/gutenberg holds *.txt, served byte for byte; `catalogue.csv`
there (pg_catalog's columns and a column File) may give the rows, else they are read from the books'
own headers.
"""

import csv
import json
import re
from html import unescape
from pathlib import Path

from crawlers.samplesite import replicas
from crawlers.samplesite.library import CATALOGUE_COLUMNS, Book, LibrarySite, zipped
from crawlers.samplesite.markup import Dialect
from crawlers.samplesite.wiki import Wiki, canonical
from crawlers.samplesite.wiki_site import WikiSite

_TITLE = re.compile(rb"<title>(.*?)</title>", re.S | re.I)
_FIELD = re.compile(r"^(Title|Author|Language):[ \t]*(.+?)\s*$", re.M)
_LANGUAGES = {"english": "en", "french": "fr", "german": "de", "spanish": "es", "italian": "it"}


def folder_sites(folder: Path) -> tuple[WikiSite, WikiSite, LibrarySite]:
    """The sites of a folder. Raises ValueError where it holds nothing for any of them."""
    wikis = [replicas.bulbapedia(), replicas.wikipedia()]
    for wiki in wikis:
        _fill(wiki, folder / wiki.name)
    library = LibrarySite(_books(folder / "gutenberg"))
    if not library.books and not any(wiki.pages() for wiki in wikis):
        raise ValueError(
            f"{folder} holds nothing to serve; expected bulbapedia/*.html, wikipedia/*.html or "
            "gutenberg/*.txt in it"
        )
    return WikiSite(wikis[0]), WikiSite(wikis[1]), library


def _fill(wiki: Wiki, folder: Path) -> None:
    paths = sorted(folder.glob("*.html"))
    if not paths:
        return
    listed = folder / "categories.json"
    mapping: dict[str, list[str]] = json.loads(listed.read_text("utf-8")) if listed.exists() else {}
    taken: set[int] = set()
    for path in paths:
        body = path.read_bytes()
        title = _page_title(path, body)
        categories = tuple(category for category, titles in mapping.items() if title in titles)
        whole = re.search(rb"<html[\s>]", body, re.I) is not None
        page = wiki.create(
            title,
            "" if whole else body.decode("utf-8", "replace"),
            categories=categories or ("All",),
            dialect=Dialect.RAW,
            whole_page=body if whole else None,
            page_id=_own(b"wgArticleId", body, taken),
            revision=_own(b"wgRevisionId", body, set()),
        )
        taken.add(page.id)
    for category in sorted({c for page in wiki.pages() for c in page.categories}):
        wiki.create(f"Category:{category}")


def _own(name: bytes, body: bytes, taken: set[int]) -> int:
    """A number that a saved page's head gives itself; 0 where there is none, or it is taken."""
    found = re.search(rb'"%s":\s*(\d{1,15})\b' % name, body)
    number = int(found[1]) if found else 0
    return 0 if number in taken else number


def _page_title(path: Path, body: bytes) -> str:
    found = _TITLE.search(body)
    if found:
        told = unescape(found[1].decode("utf-8", "replace")).strip()
        title = canonical(re.split(r" [-–—|] ", told)[0])
        if title:
            return title
    title = canonical(path.stem)
    if title is None:
        raise ValueError(f"{path}: neither its <title> nor its name makes a wiki title; rename it")
    return title


def _books(folder: Path) -> dict[int, Book]:
    listed = folder / "catalogue.csv"
    if listed.exists():
        books = [_listed_book(folder, row) for row in _rows(listed)]
    else:
        paths = sorted(folder.glob("*.txt"))
        books = [_book(path, number) for number, path in enumerate(paths, start=1)]
    return {book.number: book for book in books}


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        wanted = {*CATALOGUE_COLUMNS, "File"}
        missing = wanted - set(reader.fieldnames or ())
        if missing:
            raise ValueError(f"{path}: lacks the columns {', '.join(sorted(missing))}")
        return list(reader)


def _listed_book(folder: Path, row: dict[str, str]) -> Book:
    path = folder / row["File"]
    if not path.is_file():
        raise ValueError(f"{folder / 'catalogue.csv'}: names {row['File']}, which is not there")
    return Book(
        number=int(row["Text#"]), title=row["Title"], authors=row["Authors"],
        files=_as_posted(int(row["Text#"]), path.read_bytes()), language=row["Language"],
        issued=row["Issued"], subjects=row["Subjects"], locc=row["LoCC"],
        bookshelves=row["Bookshelves"],
    )  # fmt: skip


def _book(path: Path, number: int) -> Book:
    body = path.read_bytes()
    head = _decoded(body)[:4000]
    fields = dict(_FIELD.findall(re.sub(r"\r\n?", "\n", head)))
    return Book(
        number=number,
        title=fields.get("Title", path.stem),
        authors=fields.get("Author", ""),
        files=_as_posted(number, body),
        language=_LANGUAGES.get(fields.get("Language", "English").lower(), "en"),
    )


def _decoded(body: bytes) -> str:
    """The text, for reading its header only; the file itself is served untouched."""
    if body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return body.decode("utf-16", "replace")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("latin-1")


def _as_posted(number: int, body: bytes) -> dict[str, bytes]:
    """The same bytes under every name that a spider may ask for."""
    names = (f"pg{number}.txt", f"{number}-0.txt", f"{number}-8.txt", f"{number}.txt")
    return {**dict.fromkeys(names, body), f"{number}.zip": zipped(f"{number}.txt", body)}
