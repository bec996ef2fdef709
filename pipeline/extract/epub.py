"""An EPUB book -> its chapters, as its table of contents or else its headings part it.

The table of contents knows best what a chapter is: files cut chapters apart to keep documents
small, and headings may be plain paragraphs. What the package or the contents call a cover, a title
page, a preface and the like is handed on as front or back matter.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from lxml import etree

from pipeline.extract.book_boilerplate import strip_boilerplate
from pipeline.extract.chapters import Book, book_pieces
from pipeline.extract.epub_package import Document, Entry, Package, kinds_of, open_epub
from pipeline.extract.outline import (
    HEADINGS,
    Section,
    chapters,
    heading_text,
    tells_no_story,
    texts_between,
    without_marks,
)
from pipeline.extract.piece import NoStoryError
from pipeline.extract.stated_language import stated_languages

#: Kinds of documents that tell no story (EPUB 3's structural vocabulary, EPUB 2's guide).
_MATTER = frozenset((
    "cover", "titlepage", "title-page", "halftitlepage", "copyright-page", "copyright", "colophon",
    "imprint", "imprimatur", "toc", "toc-brief", "loi", "lot", "loa", "lov", "landmarks", "index",
    "glossary", "bibliography", "acknowledgments", "acknowledgements", "contributors", "dedication",
    "other-credits", "foreword", "preface", "introduction", "footnotes", "endnotes", "rearnotes",
    "notes", "errata", "seriespage", "biblioentry", "aside",
))  # fmt: skip
#: Elements inside a text that are none of it: marks of notes, page numbers, Gutenberg's licence.
_INLINE_KINDS = frozenset(("noteref", "pagebreak", "footnote", "endnote", "rearnote"))
_ROLES = frozenset(("doc-noteref", "doc-pagebreak", "doc-footnote", "doc-endnote"))
_NO_TEXT = "no-text"
_CLASSES = frozenset(("pagenum", "pageno", "pg-boilerplate", "pgheader", "fnanchor"))
#: The level of what follows no heading: it goes on from the document before.
_GOES_ON = 99
_FEWEST_CHAPTERS = 2


def read_epub(body: bytes) -> Book:
    """The chapters of an EPUB file. Raises NoStoryError."""
    package = open_epub(body)
    by_contents = _has_contents(package)
    sections: list[Section] = []
    for path, document in package.documents.items():
        sections += _sections(document, package.contents.get(path, []) if by_contents else None)
    first = next((n for n, section in enumerate(sections) if section.title is not None), None)
    if first is not None and sum(s.title is not None for s in sections) >= _FEWEST_CHAPTERS:
        # Before the first chapter stand cover and title page.
        sections[:first] = [replace(section, matter=True) for section in sections[:first]]
    pieces = book_pieces(chapters(sections))
    if not pieces:
        raise NoStoryError("EPUB has no text", len(package.documents))
    return Book(package.title, pieces, stated_languages(package.languages))


def _has_contents(package: Package) -> bool:
    entries = (entry for document in package.contents.values() for entry in document)
    return sum(not tells_no_story(entry.label) for entry in entries) >= _FEWEST_CHAPTERS


def _sections(document: Document, entries: list[Entry] | None) -> Iterator[Section]:
    """A document's text under each entry of the contents, or where there are none each heading."""
    body = next(document.root.iter("body"), document.root)
    _remove_what_is_no_text(body)
    matter = not _MATTER.isdisjoint(document.kinds)
    starts: list[tuple[int, str]] = []  # entries that lead to the document as a whole
    boundaries: list[tuple[Any, int, str]] = []
    if entries is None:
        for heading in body.iter(*HEADINGS):
            if title := heading_text(heading):
                boundaries.append((heading, int(heading.tag[1]), title))
    else:
        named = {e.get("id") or e.get("name"): e for e in body.iter() if e is not body}
        order = {id(element): number for number, element in enumerate(body.iter())}
        for entry in entries:
            element = named.get(entry.fragment) if entry.fragment else None
            if element is None:
                starts.append((entry.depth, entry.label))
            else:
                boundaries.append((element, entry.depth, entry.label))
        boundaries.sort(key=lambda boundary: order[id(boundary[0])])
    first, *texts = texts_between(body, [element for element, _, _ in boundaries])
    for depth, label in starts[:-1]:
        yield Section(depth, label, "", matter)
    if starts:
        yield Section(*starts[-1], _text(first, starts[-1][1]), matter)
    else:
        yield Section(_GOES_ON, None, _text(first, None), matter)
    for (_, depth, label), text in zip(boundaries, texts, strict=True):
        if text is not None:
            yield Section(depth, label, _text(text, label), matter)


def _text(text: str | None, title: str | None) -> str:
    """A section's text without its heading, where that is a paragraph, and without boilerplate."""
    text = text or ""
    if "gutenberg" in text.casefold():
        text = strip_boilerplate(text).text
    first, _, rest = text.partition("\n\n")
    return rest if title and _comparable(first) == _comparable(title) else text


def _comparable(title: str) -> str:
    return " ".join(re.findall(r"\w+", title.casefold()))


def _remove_what_is_no_text(body: Any) -> None:
    for element in list(body.iter("a", "span", "div", "section", "aside", "sup", "li")):
        if (
            not _INLINE_KINDS.isdisjoint(kinds_of(element))
            or element.get("role") in _ROLES
            or not _CLASSES.isdisjoint(element.get("class", "").split())
            or element.get("id") in ("pg-header", "pg-footer")
        ):
            element.tag = _NO_TEXT
    # All at once: one by one, each would copy the text before it.
    etree.strip_elements(body, _NO_TEXT, with_tail=False)
    for element in body.iter():
        element.text = element.text and without_marks(element.text)
        element.tail = element.tail and without_marks(element.tail)
