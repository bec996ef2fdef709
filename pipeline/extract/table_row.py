"""A row of a table of stories -> its story, with the title and genre that stand beside it.

The crawl stores a row as a JSON object, every column as it was; which column holds what is read
anew here, so that a corrected mapping needs no new crawl.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.extract.book_layout import is_unwrapped
from pipeline.extract.piece import NoStoryError, Piece
from pipeline.schema import genre_words, story_columns

#: What tables write where they know no genre.
_NO_GENRE = frozenset(("", "unknown", "none", "nan", "null", "n/a", "-"))
_LONGEST_NAME = 300
#: Why a row is left out where its source says which genres are wanted.
OTHER_GENRE = "row's genre is none of those wanted"


@dataclass(frozen=True)
class TableRow:
    """A row's title, if it has one, and its only piece."""

    title: str | None
    pieces: list[Piece]


def read_row(
    body: bytes,
    columns: Mapping[str, str | None] | None = None,
    genres: Mapping[str, Sequence[str]] | None = None,
) -> TableRow:
    """The story of a row; `columns` and `genres` as in SourceRules. Raises NoStoryError."""
    try:
        row = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NoStoryError("is not JSON", len(body)) from error
    if not isinstance(row, dict):
        raise NoStoryError("is no JSON object", len(body))
    cells = story_columns(row, columns)
    if cells["text"] is None:
        raise NoStoryError("row has no column of text", len(row))
    value = row[cells["text"]]
    if not isinstance(value, str) or not value.strip():
        raise NoStoryError("row has no text", 0)
    genre = _name(row, cells["genre"])
    if genre is not None and genre.casefold() in _NO_GENRE:
        genre = None
    if genres is not None:
        genre = sorted_genre(genre or "", genres)
        if genre is None:
            raise NoStoryError(OTHER_GENRE)
    piece = Piece("text", _paragraphs(value), genre=genre)
    return TableRow(_name(row, cells["title"]), [piece])


def sorted_genre(own: str, genres: Mapping[str, Sequence[str]]) -> str | None:
    """The first of the genres of which a name stands in the row's own, as whole words.

    Tables such as "Wikipedia Movie Plots" name genres freely: "sci-fi", "crime drama, thriller".
    """
    words = genre_words(own)
    for genre, names in genres.items():
        if any(genre_words(name) in words for name in names):
            return genre
    return None


def _paragraphs(text: str) -> str:
    text = re.sub(r"\r+\n|\r", "\n", text.replace("\0", ""))
    if is_unwrapped(text):
        text = text.replace("\n", "\n\n")
    return re.sub(r"\n[ \t]*(?:\n[ \t]*)+", "\n\n", text).strip()


def _name(row: dict[str, Any], column: str | None) -> str | None:
    """A cell on one line; of a list of names, all."""
    value = row.get(column) if column else None
    names = value if isinstance(value, list) else [value]
    told = ", ".join(str(name) for name in names if isinstance(name, str | int | float))
    return " ".join(told.split())[:_LONGEST_NAME] or None
