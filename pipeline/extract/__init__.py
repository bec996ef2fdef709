"""Pages in, documents out: the story of each page, cut out, cleaned, and traceable to its page.

Pages are kept as served and parsed here, so that a better parser needs no new crawl. What is left
out is written beside the documents with the stage, the reason and the figure that decided. The
result does not depend on the order of the pages.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urldefrag, urlsplit

import pyarrow as pa

from pipeline.clean import Cleaned, Drop, clean, judge
from pipeline.clean.record import ChangeRecord
from pipeline.clean.recurring import RecurringLines
from pipeline.extract.epub import read_epub
from pipeline.extract.gutenberg import read_book
from pipeline.extract.markdown import read_markdown
from pipeline.extract.mediawiki import read_article
from pipeline.extract.page_record import PageRecord
from pipeline.extract.piece import NoStoryError, Piece
from pipeline.extract.selected import SELECTED, read_selected
from pipeline.extract.sorted_table import SortedTable
from pipeline.extract.stated_language import choose_language
from pipeline.extract.table_row import read_row
from pipeline.extract.wikitext import read_wikitext
from pipeline.schema import DOCUMENTS, DROPPED

#: A page beyond this is no article or book: the largest book of Project Gutenberg is under 20 MB.
MAXIMUM_BYTES = 32 << 20
_EXTENSION = re.compile(r"(?<=.)\.(?:txt|md|markdown|x?html?|epub|csv|tsv|jsonl|parquet)$", re.I)
#: A redirect and its target, both listed, are one page.
REPEATED = "page is here under another URL"


@dataclass(frozen=True)
class SourceRules:
    """How the pages of one source are read."""

    sections: tuple[str, ...] | None  # headings to keep; None: the plot's usual ones
    genre: str | None
    language: str  # ISO 639-1: what is in another is left out
    story: str | None = None  # CSS selector of a page's story, where the site is no wiki
    columns: Mapping[str, str | None] | None = None  # of a table's row; None: the usual ones
    #: What a table's rows call each genre that is wanted; None: each row's own genre, any.
    genres: Mapping[str, Sequence[str]] | None = None


@dataclass(frozen=True)
class _Row:
    """A document or what was left out, with the key that sorts it."""

    key: tuple[str | int, ...]
    values: dict[str, Any]
    cleaned: Cleaned | None  # None: it is left out

    @property
    def dropped(self) -> bool:
        return self.cleaned is None


def extract(
    pages: Iterable[pa.RecordBatch], rules: Mapping[str, SourceRules], folder: Path
) -> dict[str, Any]:
    """Write documents.parquet, dropped.parquet, changed.parquet and pages.parquet into `folder`.

    Returns figures. `pages` has the schema PAGES, `rules` is keyed by the pages' `source`. Memory
    stays flat: one batch of pages and a few megabytes of text. Raises KeyError where a source has
    no rules.
    """
    figures = _Figures()
    with (
        SortedTable(DROPPED, folder / "dropped.parquet") as dropped,
        ChangeRecord(folder / "changed.parquet") as changed,
        PageRecord(folder / "pages.parquet") as read,
    ):

        def drop_repeat(document: dict[str, Any]) -> None:
            figures.repeat(document)
            key = (document["work_id"], 0, document["url"])
            row = _drop(key, document, "extract", REPEATED, None)
            dropped.add(row.key, row.values)

        def without_boilerplate(
            rows: Iterable[dict[str, Any]],
        ) -> Callable[[dict[str, Any]], dict[str, Any] | None]:
            """What recurs at the edges of a source's documents shows when all have been read."""
            recurring = RecurringLines()
            for row in rows:
                recurring.count(row["source"], row["text"])

            def revised(row: dict[str, Any]) -> dict[str, Any] | None:
                text, lines = recurring.strip(row["source"], row["text"])
                if not lines:
                    return row
                changed.removed(row, lines)
                shorter = row | _text_columns(text)
                verdict = judge(text, row["language"])
                figures.revised(row, shorter, verdict)
                if verdict is None:
                    return shorter
                key = (row["work_id"], 0, row["url"])
                dropped.add(key, _drop(key, row, "clean", verdict.reason, verdict.figure).values)
                return None

            return revised

        with SortedTable(
            DOCUMENTS,
            folder / "documents.parquet",
            unique="doc_id",
            on_repeat=drop_repeat,
            revise=without_boilerplate,
        ) as documents:
            for page in _pages(pages):
                rows = list(_read(page, rules[page["source"]]))
                kept = [row.values for row in rows if not row.dropped]
                figures.page(rows)
                read.add(page_name(page), page, kept)
                for row in rows:
                    (documents if row.cleaned else dropped).add(row.key, row.values)
                    if row.cleaned:
                        changed.add(row.values, row.cleaned.changes)
    return figures.as_dict() | {"changed_by_rule": changed.counts}


def _pages(batches: Iterable[pa.RecordBatch]) -> Iterator[dict[str, Any]]:
    for batch in batches:
        for index in range(batch.num_rows):
            yield {name: batch.column(name)[index].as_py() for name in batch.schema.names}


def _read(page: dict[str, Any], rules: SourceRules) -> Iterator[_Row]:
    """The documents of a page and what is left out of it; never nothing."""
    try:
        title, pieces, stated = _parse(page, rules)
        language = choose_language(stated, rules.language)
        if language is None:
            page = page | {"title": title}
            raise NoStoryError(f"book is in {stated[0]}, not {rules.language}")
    except NoStoryError as error:
        yield _left_out(page, error.reason, error.figure)
        return
    for position, piece in enumerate(pieces):
        row = _document(page, piece, title, rules) | {"language": language}
        key = (row["work_id"], position, row["url"])
        if piece.left_out:
            yield _drop(key, row, "extract", piece.left_out, float(len(piece.text)))
            continue
        cleaned = clean(piece.text, language)
        if isinstance(cleaned, Drop):
            yield _drop(key, row, "clean", cleaned.reason, cleaned.figure)
        else:
            row |= _text_columns(cleaned.text)
            yield _Row(key, row, cleaned)


def _parse(page: dict[str, Any], rules: SourceRules) -> tuple[str, list[Piece], tuple[str, ...]]:
    """The page's title, its pieces, and the languages that it names. Raises NoStoryError."""
    body: bytes = page["body"]
    if page["status"] != 200:
        raise NoStoryError("status is not 200", page["status"])
    if len(body) > MAXIMUM_BYTES:
        raise NoStoryError("page is too large", len(body))
    name = _last_part(page["url"])
    match (page["content_type"] or "").partition(";")[0].strip().lower():
        case "text/html" | "application/xhtml+xml" if rules.story and rules.sections is None:
            selected = read_selected(body, rules.story, page["content_type"])
            return page["title"] or selected.title or name, selected.pieces, ()
        case "text/html" | "application/xhtml+xml":
            article = read_article(body, rules.sections)
            return page["title"] or article.title or name, article.pieces, ()
        case "text/x-wiki":
            article = read_wikitext(body, rules.sections)
            return page["title"] or name, article.pieces, ()
        case "text/plain":
            book = read_book(body)
            return page["title"] or book.title or name, book.pieces, book.languages
        case "text/markdown":
            text = read_markdown(body)
            return page["title"] or text.title or name, text.pieces, ()
        case "application/epub+zip":
            book = read_epub(body)
            return page["title"] or book.title or name, book.pieces, book.languages
        case "application/json":
            row = read_row(body, rules.columns, rules.genres)
            return page["title"] or row.title or name, row.pieces, ()
        case other:
            raise NoStoryError(f"content type {other[:80] or 'missing'} is not read")


def _document(page: dict[str, Any], piece: Piece, title: str, rules: SourceRules) -> dict[str, Any]:
    """A row of DOCUMENTS with the piece's text as it was cut out."""
    address = urlsplit(page["url"])
    page_id = _page_id(page)
    # The work's name leaves out franchise and port: the same page found twice is one work.
    work = f"{page['spider']}:{address.hostname or ''}{_wiki(page)}{page_id}"
    if piece.title:
        work = f"{work}#{piece.anchor}"
    return {
        "doc_id": f"{page_name(page)}#{piece.anchor}",
        "work_id": work,
        "franchise": page["franchise"],
        "source": page["source"],
        "url": _address(page, piece),
        "revision": page["revision"],
        "title": piece.title or title,
        "section": piece.section,
        "genre": piece.genre or rules.genre,
        "language": rules.language,
        "licence": page["licence"],
        "attribution_url": page["attribution_url"],
        "revised": _http_date(page["last_modified"]),
        **_text_columns(piece.text),
    }


def page_name(page: Mapping[str, Any]) -> str:
    """What the doc_ids of a page begin with; `#` and the piece's place follow."""
    return f"{page['franchise']}/{page['source']}/{_page_id(page)}"


def _page_id(page: Mapping[str, Any]) -> str:
    return str(page["page_id"] or urlsplit(page["url"]).path.strip("/") or "index")


def _http_date(last_modified: str | None) -> datetime | None:
    """When the page was changed, by its Last-Modified; None where that is no HTTP date."""
    try:
        date = parsedate_to_datetime(last_modified or "")
    except ValueError:
        return None
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date


def _wiki(page: dict[str, Any]) -> str:
    """What tells the wikis of one host apart, each of which counts its pages from 1: the path.

    `/` for the path that most have, /wiki/, and wherever a page's name is not its number.
    """
    title, page_id = (page["title"] or "").replace(" ", "_"), page["page_id"] or ""
    url = unquote(page["url"])
    if not (title and page_id.isdecimal() and url.endswith(title)):
        return "/"
    path = url.removesuffix(title).partition("://")[2].partition("/")[2]
    return "/" if path == "wiki/" else f"/{path}"


def _address(page: dict[str, Any], piece: Piece) -> str:
    """Where a person finds the piece: its section on the page, a row's own page if it has one."""
    if page["content_type"] == "application/json" and page["attribution_url"]:
        return str(page["attribution_url"])
    # Only HTML has a place for the fragment to lead to; a dump's page has its HTML on the wiki.
    has_fragments = "html" in page["content_type"] or "x-wiki" in page["content_type"]
    if has_fragments and piece.anchor != SELECTED:
        return f"{urldefrag(page['url']).url}#{quote(piece.anchor)}"
    return str(page["url"])


def _text_columns(text: str) -> dict[str, Any]:
    return {
        "text": text,
        "text_sha256": sha256(text.encode()).hexdigest(),
        "characters": len(text),
        "words": len(text.split()),
    }


def _drop(
    key: tuple[str | int, ...], row: dict[str, Any], stage: str, reason: str, figure: float | None
) -> _Row:
    values = {name: row.get(name) for name in DROPPED.names}
    return _Row(key, values | {"stage": stage, "reason": reason, "figure": figure}, None)


def _left_out(page: dict[str, Any], reason: str, figure: float | None) -> _Row:
    """A whole page without a document; its body stays in the pages, so no text is kept here."""
    return _drop((page["url"],), page, "extract", reason, figure)


def _last_part(url: str) -> str:
    """A title for a page that has none: `/wiki/Some_page`, `file:Some_page.md` -> `Some page`."""
    name = unquote(urlsplit(url).path.rstrip("/").rpartition("/")[2])
    return re.sub(r"[_\s]+", " ", _EXTENSION.sub("", name)) or url


class _Figures:
    """Counts over a run."""

    def __init__(self) -> None:
        self.pages = 0
        self.pages_with_story = 0
        self.documents = 0
        self.characters = 0
        self.words = 0
        self.reasons: Counter[str] = Counter()

    def page(self, rows: list[_Row]) -> None:
        documents = [row.values for row in rows if not row.dropped]
        self.pages += 1
        self.pages_with_story += bool(documents)
        self.documents += len(documents)
        self.characters += sum(row["characters"] for row in documents)
        self.words += sum(row["words"] for row in documents)
        self.reasons.update(row.values["reason"] for row in rows if row.dropped)

    def repeat(self, document: dict[str, Any]) -> None:
        """Take back a document that another URL of its page gave too."""
        self.documents -= 1
        self.characters -= document["characters"]
        self.words -= document["words"]
        self.reasons[REPEATED] += 1

    def revised(self, before: dict[str, Any], after: dict[str, Any], verdict: Drop | None) -> None:
        """Take boilerplate off a document, or the document where too little is left of it."""
        left = {"characters": 0, "words": 0} if verdict else after
        self.characters -= before["characters"] - left["characters"]
        self.words -= before["words"] - left["words"]
        if verdict:
            self.documents -= 1
            self.reasons[verdict.reason] += 1

    def as_dict(self) -> dict[str, Any]:
        return {
            "pages": self.pages,
            "pages_with_story": self.pages_with_story,
            "documents": self.documents,
            "characters": self.characters,
            "words": self.words,
            "dropped": self.reasons.total(),
            "dropped_by_reason": dict(sorted(self.reasons.items())),
        }
