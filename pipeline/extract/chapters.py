"""A book's chapters -> its pieces, whatever kind of file the book came in.

The chapters of a book are documents of one work; a book without chapters is one document, or cut
into parts where it is long. Front and back matter is handed on as left out, so that it is told.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.extract.book_layout import SCENE_BREAK
from pipeline.extract.piece import Piece, distinct

#: A book without chapters is cut into parts of about this many characters, a long chapter's size.
PART_CHARACTERS = 40_000
#: Fewer chapters than this are headings by chance.
_FEWEST_CHAPTERS = 2
_MATTER = "front or back matter"


@dataclass(frozen=True)
class Book:
    """A book's title and languages as its header gives them, and its chapters in order."""

    title: str | None
    pieces: list[Piece]
    languages: tuple[str, ...] = ()  # ISO 639-1; () where it names none


@dataclass(frozen=True)
class Chapter:
    """What stands under a heading, in paragraphs parted by a blank line."""

    title: str | None
    text: str
    matter: bool  # front or back matter: no story


def book_pieces(chapters: list[Chapter]) -> list[Piece]:
    """A piece a chapter; of a book without chapters, the whole or its parts."""
    stories = [chapter for chapter in chapters if chapter.title and not chapter.matter]
    return _parts(chapters) if len(stories) < _FEWEST_CHAPTERS else _pieces(chapters)


def joined(paragraphs: Iterable[str]) -> str:
    """Paragraphs parted by blank lines; scene breaks only where they part something."""
    kept: list[str] = []
    for paragraph in paragraphs:
        if paragraph != SCENE_BREAK or (kept and kept[-1] != SCENE_BREAK):
            kept.append(paragraph)
    if kept and kept[-1] == SCENE_BREAK:
        kept.pop()
    return "\n\n".join(kept)


def _pieces(chapters: list[Chapter]) -> list[Piece]:
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


def _parts(chapters: list[Chapter]) -> list[Piece]:
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
        story = [Chapter("text", "\n\n".join(parts[0]), matter=False)]
    else:
        story = [
            Chapter(f"part {number}", "\n\n".join(part), matter=False)
            for number, part in enumerate(parts, 1)
        ]
    return _pieces([*(c for c in chapters if c.matter), *(c for c in story if c.text)])


def _anchor(title: str) -> str:
    return re.sub(r"[\W_]+", "-", title.casefold()).strip("-")[:80] or "chapter"
