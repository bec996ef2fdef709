"""What a parser hands back: pieces of story cut out of one page, or the reason there is none.

The parsers know markup; what a document is called, where it is written and which cleaning follows
is the business of `pipeline.extract`. So a piece is only text and where on its page it stood.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Piece:
    """One piece of a page's story, in paragraphs parted by a blank line."""

    anchor: str  # identity within the page: a heading's id, `chapter-iii`; stable over re-crawls
    text: str
    section: str | None = None  # the heading or chapter as written
    title: str | None = None  # where the piece is a work of its own, e.g. one film of a list
    genre: str | None = None  # where the piece names its own, e.g. a row of a table
    left_out: str | None = None  # reason why this piece is no story, e.g. "front matter"


class NoStoryError(Exception):
    """A page holds no story that can be cut out; `figure` is what decided."""

    def __init__(self, reason: str, figure: float | None = None):
        super().__init__(reason)
        self.reason = reason
        self.figure = figure


def distinct(anchors: list[str]) -> list[str]:
    """The anchors with a number added to those that occur again: a, b, a -> a, b, a-2."""
    seen: dict[str, int] = {}
    result = []
    for anchor in anchors:
        seen[anchor] = seen.get(anchor, 0) + 1
        result.append(anchor if seen[anchor] == 1 else f"{anchor}-{seen[anchor]}")
    return result
