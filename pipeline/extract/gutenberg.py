"""A plain-text book of Project Gutenberg -> its chapters, with nothing in them but the book.

Decoding, boilerplate, apparatus, headings and layout each have a file of their own (`book_*.py`).
Any other plain text is read in the same way: without a header the whole is the book.
"""

import re
from collections.abc import Iterator

from pipeline.extract.book_apparatus import remove_apparatus
from pipeline.extract.book_boilerplate import strip_boilerplate
from pipeline.extract.book_contents import is_prose
from pipeline.extract.book_encoding import decode_book
from pipeline.extract.book_headings import Heading, find_headings
from pipeline.extract.book_layout import WIDEST, is_unwrapped, lay_out, prose_width
from pipeline.extract.book_title_page import comparable_title, without_title_page
from pipeline.extract.chapters import Book, Chapter, book_pieces, joined
from pipeline.extract.piece import NoStoryError
from pipeline.extract.stated_language import stated_languages

#: Front matter beyond this share of a book is the book.
_MATTER_SHARE = 0.2
#: So many words of running prose before the first heading are a chapter whose heading was not
#: found: title pages, dedications and mottoes have fewer, and prefaces have headings.
_OPENING_WORDS = 100
#: Chapters below this are headings' subtitles or what a contents table left.
_SHORTEST_CHAPTER = 100
_THE_END = re.compile(
    r"\W*(?:THE END|FINIS\b.{0,60}|FIN|ENDE|(?:THE )?END OF (?:THE |THIS )?(?:\w+ )?"
    r"(?:VOL(?:UME)?|BOOK|PART|CANTO|ACT|STORY|TALE|NOVEL|PLAY|POEM)\b.{0,60})\W*$",
    re.IGNORECASE,
)
#: "ACT II. SCENE I." opens an act and its first scene; the other scenes are of "ACT II".
_SCENE_OF_ACT = re.compile(r"(?<=\w)[\s.,:;]+\b(?:SCENE|SC[OE]+NA)\b.*$", re.IGNORECASE)
#: Who printed it: the last lines of a book, in capitals.
_PRINTER = re.compile(r"\b(?:PRESS|PRINTED|PRINTERS|STREET|LONDON|NEW YORK)\b")
_SMALL_LETTER = re.compile(r"[a-z]")


def read_book(body: bytes) -> Book:
    """The chapters of a book as served. Raises NoStoryError where no text remains."""
    book = strip_boilerplate(decode_book(body))
    blocks = _blocks(remove_apparatus(book.text))
    if not blocks:
        raise NoStoryError("no text remains without header and licence", len(body))
    blocks, title = without_title_page(blocks)
    blocks, headings = find_headings(blocks)
    pieces = book_pieces([*_chapters(blocks, headings, title)])
    if not pieces:
        raise NoStoryError("no text remains without headings", len(body))
    return Book(book.title, pieces, stated_languages(book.language))


def _blocks(text: str) -> list[list[str]]:
    """The text's blocks of lines, as blank lines part them."""
    if is_unwrapped(text):
        text = text.replace("\n", "\n\n")
    blocks: list[list[str]] = []
    lines: list[str] = []
    for line in [*text.expandtabs().replace("\f", "\n").split("\n"), ""]:
        if line.strip():
            lines.append(line.rstrip())
        elif lines:
            if len(lines) > 1 and lines[-1].isupper() and _THE_END.match(lines[-1]):
                lines.pop()
            blocks.append(lines)
            lines = []
    while blocks and _is_colophon(" ".join(blocks[-1])):
        blocks.pop()
    return [block for block in blocks if not (len(block) == 1 and _THE_END.match(block[0]))]


def _is_colophon(lines: str) -> bool:
    return bool(_PRINTER.search(lines)) and not _SMALL_LETTER.search(lines)


def _chapters(
    blocks: list[list[str]], headings: list[Heading], book_title: str | None
) -> Iterator[Chapter]:
    """What stands between the headings; a part's heading goes before those of its chapters."""
    width = prose_width(blocks)
    total = sum(len(line) for block in blocks for line in block)
    opening = blocks[: headings[0].block] if headings else []
    front = Heading(-1, 2, "", matter=len(headings) > 1 and _prose_words(opening) < _OPENING_WORDS)
    parts: dict[int, str] = {}
    for heading, following in zip(
        [front, *headings], [*(h.block for h in headings), len(blocks)], strict=True
    ):
        parts = {rank: name for rank, name in parts.items() if rank < heading.rank}
        title = ", ".join([*parts.values(), heading.title]) or None
        if not heading.matter:
            parts[heading.rank] = _SCENE_OF_ACT.sub("", heading.title)
        body = blocks[heading.block + 1 : following]
        while body and comparable_title(body[0]) == book_title:  # a half-title
            body = body[1:]
        text = joined(lay_out(block, width) for block in body)
        if len(text) >= _SHORTEST_CHAPTER:
            yield Chapter(title, text, heading.matter and len(text) < _MATTER_SHARE * total)


def _prose_words(blocks: list[list[str]]) -> int:
    """The words of paragraphs, which are wrapped or too long for a line."""
    paragraphs = (block for block in blocks if is_prose(block) or len(block[0]) > WIDEST)
    return sum(len(line.split()) for block in paragraphs for line in block)
