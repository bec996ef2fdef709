"""A plain-text book of Project Gutenberg -> its chapters, with nothing in them but the book.

Decoding, boilerplate, apparatus, headings and layout each have a file of their own (`book_*.py`).
The chapters of a book are documents of one work; a book without chapters is one document, or cut
into parts where it is long.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pipeline.extract.book_apparatus import remove_apparatus
from pipeline.extract.book_boilerplate import strip_boilerplate
from pipeline.extract.book_encoding import decode_book
from pipeline.extract.book_headings import Heading, find_headings
from pipeline.extract.book_layout import SCENE_BREAK, lay_out, prose_width
from pipeline.extract.book_title_page import comparable_title, without_title_page
from pipeline.extract.piece import NoStoryError, Piece, distinct

#: A book without chapters is cut into parts of about this many characters, a long chapter's size.
PART_CHARACTERS = 40_000
#: Fewer chapters than this are headings by chance.
_FEWEST_CHAPTERS = 2
_MATTER = "front or back matter"
#: Front matter beyond this share of a book is the book.
_MATTER_SHARE = 0.2
#: Chapters below this are headings' subtitles or what a contents table left.
_SHORTEST_CHAPTER = 100
_THE_END = re.compile(
    r"\W*(?:THE END|FINIS\b.{0,60}|FIN|ENDE|END OF (?:VOL|BOOK|PART|THE)\b.*)\W*$", re.I
)
#: "ACT II. SCENE I." opens an act and its first scene; the other scenes are of "ACT II".
_SCENE_OF_ACT = re.compile(r"(?<=\w)[\s.,:;]+\b(?:SCENE|SC[OE]+NA)\b.*$", re.IGNORECASE)
#: Who printed it: the last lines of a book, in capitals.
_PRINTER = re.compile(r"\b(?:PRESS|PRINTED|PRINTERS|STREET|LONDON|NEW YORK)\b")
_SMALL_LETTER = re.compile(r"[a-z]")


@dataclass(frozen=True)
class Book:
    """A book's title as its header gives it, and its chapters in order."""

    title: str | None
    pieces: list[Piece]


@dataclass(frozen=True)
class _Chapter:
    title: str | None
    text: str
    matter: bool


def read_book(body: bytes) -> Book:
    """The chapters of a book as served. Raises NoStoryError where no text remains."""
    book = strip_boilerplate(decode_book(body))
    blocks = _blocks(remove_apparatus(book.text))
    if not blocks:
        raise NoStoryError("no text remains without header and licence", len(body))
    blocks, title = without_title_page(blocks)
    blocks, headings = find_headings(blocks)
    chapters = [*_chapters(blocks, headings, title)]
    stories = [chapter for chapter in chapters if chapter.title and not chapter.matter]
    pieces = _parts(chapters) if len(stories) < _FEWEST_CHAPTERS else _pieces(chapters)
    if not pieces:
        raise NoStoryError("no text remains without headings", len(body))
    return Book(book.title, pieces)


def _blocks(text: str) -> list[list[str]]:
    """The text's blocks of lines, as blank lines part them."""
    blocks: list[list[str]] = []
    lines: list[str] = []
    for line in [*text.expandtabs().replace("\f", "\n").split("\n"), ""]:
        if line.strip():
            lines.append(line.rstrip())
        elif lines:
            blocks.append(lines)
            lines = []
    while blocks and _is_colophon(" ".join(blocks[-1])):
        blocks.pop()
    return [block for block in blocks if not (len(block) == 1 and _THE_END.match(block[0]))]


def _is_colophon(lines: str) -> bool:
    return bool(_PRINTER.search(lines)) and not _SMALL_LETTER.search(lines)


def _chapters(
    blocks: list[list[str]], headings: list[Heading], book_title: str | None
) -> Iterator[_Chapter]:
    """What stands between the headings; a part's heading goes before those of its chapters."""
    width = prose_width(blocks)
    total = sum(len(line) for block in blocks for line in block)
    front = Heading(-1, 2, "", matter=len(headings) > 1)
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
        text = _joined(lay_out(block, width) for block in body)
        if len(text) >= _SHORTEST_CHAPTER:
            yield _Chapter(title, text, heading.matter and len(text) < _MATTER_SHARE * total)


def _joined(paragraphs: Iterable[str]) -> str:
    """Paragraphs parted by blank lines; scene breaks only where they part something."""
    kept: list[str] = []
    for paragraph in paragraphs:
        if paragraph != SCENE_BREAK or (kept and kept[-1] != SCENE_BREAK):
            kept.append(paragraph)
    if kept and kept[-1] == SCENE_BREAK:
        kept.pop()
    return "\n\n".join(kept)


def _pieces(chapters: list[_Chapter]) -> list[Piece]:
    anchors = distinct([_anchor(chapter.title or "opening") for chapter in chapters])
    return [
        Piece(
            anchor,
            chapter.text,
            section=chapter.title,
            left_out=_MATTER if chapter.matter else None,
        )
        for anchor, chapter in zip(anchors, chapters, strict=True)
    ]


def _parts(chapters: list[_Chapter]) -> list[Piece]:
    """A book without chapters, whole or in parts of about PART_CHARACTERS."""
    paragraphs = "\n\n".join(c.text for c in chapters if not c.matter).split("\n\n")
    parts: list[list[str]] = [[]]
    size = 0
    for paragraph in paragraphs:
        if size >= PART_CHARACTERS:
            parts.append([])
            size = 0
        parts[-1].append(paragraph)
        size += len(paragraph)
    if len(parts) == 1:
        story = [_Chapter("text", "\n\n".join(parts[0]), matter=False)]
    else:
        story = [
            _Chapter(f"part {number}", "\n\n".join(part), matter=False)
            for number, part in enumerate(parts, 1)
        ]
    return _pieces([*(c for c in chapters if c.matter), *(c for c in story if c.text)])


def _anchor(title: str) -> str:
    return re.sub(r"[\W_]+", "-", title.casefold()).strip("-")[:80] or "chapter"
