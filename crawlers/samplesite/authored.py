"""Reads the hand-written pages: HTML with bare headings, and a comment on top that says the rest.

The comment holds `title`, `categories` (separated by "|"), `dialect` and, where it is one,
`disambiguation: yes`. These pages carry the markup traps; the story grammar makes the bulk.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from crawlers.samplesite.markup import Dialect

CONTENT = Path(__file__).parent / "content"
_HEAD = re.compile(r"\A<!--\n(.*?)\n-->\n", re.S)


@dataclass(frozen=True)
class PageText:
    """What a wiki page is made from."""

    title: str
    body: str
    categories: tuple[str, ...] = ()
    dialect: Dialect = Dialect.LEGACY
    disambiguation: bool = False


def authored_pages(site: str) -> list[PageText]:
    """The hand-written pages of `bulbapedia` or `wikipedia`, by file name."""
    return [_read(path) for path in sorted((CONTENT / site).glob("*.html"))]


def authored_book(name: str) -> str:
    """The text of a hand-written book, verse and plays set as they are."""
    return (CONTENT / "gutenberg" / f"{name}.txt").read_text("utf-8")


def _read(path: Path) -> PageText:
    source = path.read_text("utf-8")
    head = _HEAD.match(source)
    if head is None:
        raise ValueError(f"{path}: does not begin with a comment giving title and dialect")
    fields = dict(line.split(": ", 1) for line in head[1].splitlines())
    return PageText(
        title=fields["title"],
        body=source[head.end() :],
        categories=tuple(part.strip() for part in fields["categories"].split("|")),
        dialect=Dialect(fields["dialect"]),
        disambiguation=fields.get("disambiguation") == "yes",
    )
