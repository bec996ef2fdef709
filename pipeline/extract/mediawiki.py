"""A MediaWiki article -> its plot sections, from any markup MediaWiki has served since 1.29.

A fast parser cuts the wanted sections out of the whole page and BeautifulSoup cleans only the
small pieces: BeautifulSoup on a whole 300 kB page manages about 5 a second. The heading markups
(legacy `span.mw-headline`, `div.mw-heading` since 1.43, Parsoid and mobile `section`) need no
cases of their own, nor has Kiwix's (`summary` in `details`): in all of them the section is what
follows the heading, or the element around it that holds nothing else, up to the next heading of the
same or a higher level, within the enclosing `section` if any.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from lxml import etree

from pipeline.extract.html_page import parse_utf8
from pipeline.extract.piece import NoStoryError, Piece, distinct
from pipeline.extract.wiki_prose import prose_of
from pipeline.extract.wiki_table import summaries

#: English Wikipedia's usual headings (its style guides for films, novels and television).
PLOT_HEADINGS = (
    "Plot",
    "Plot summary",
    "Synopsis",
    "Summary",
    "Premise",
    "Story",
    "Storyline",
    "Overview",
)

#: Why a page gives no piece although it is an article; `headings` tells what it has instead.
NO_WANTED_SECTION = "no wanted section"

_HEADING_TAGS = ("h1", "h2", "h3", "h4", "h5", "h6")
#: More headings than any article has; what follows them is malice.
_MOST_HEADINGS = 2000
#: Where a heading is no section's: contents tables, infoboxes, tables, navigation.
_NOT_WITHIN = ("table", "aside", "nav")
_HEADLINE = etree.XPath("descendant::*[contains(concat(' ',@class,' '),' mw-headline ')]")
_HEADING_TEXT = etree.XPath(
    "descendant::text()[not(ancestor::*[contains(@class,'mw-editsection')])]"
)


@dataclass(frozen=True)
class Article:
    """An article's title as the page gives it, and its pieces of story in order."""

    title: str | None
    pieces: list[Piece]


@dataclass(frozen=True)
class _Heading:
    element: Any
    level: int
    text: str
    anchor: str


def read_article(body: bytes, sections: Sequence[str] | None = None) -> Article:
    """The wanted sections of a page as served, by default those of PLOT_HEADINGS.

    Where no heading is wanted, the summaries in lists of films and tables of episodes. Raises
    NoStoryError; its figure is the number of headings, so that a changed markup shows as 0.
    """
    document = parse_utf8(body)
    root = _content_root(document, body)
    found = _headings(root)
    wanted = {comparable(name) for name in (PLOT_HEADINGS if sections is None else sections)}
    pieces = []
    within: _Heading | None = None
    for heading in found:
        if within is not None and heading.level > within.level:
            continue  # a sub-heading belongs to the plot
        within = heading if comparable(heading.text) in wanted else None
        if within:
            text = prose_of(_cut(heading, found, root))
            pieces.append(Piece(heading.anchor, text, section=heading.text))
    if not any(piece.text for piece in pieces):
        pieces = summaries(root)
    if not any(piece.text for piece in pieces):
        raise NoStoryError(NO_WANTED_SECTION, len(found))
    anchors = distinct([piece.anchor for piece in pieces])
    return Article(
        _title(document, body),
        [
            Piece(anchor, piece.text, piece.section, piece.title)
            for anchor, piece in zip(anchors, pieces, strict=True)
            if piece.text
        ],
    )


def headings(body: bytes) -> list[str]:
    """The headings of an article as written, in order, to choose `sections` from."""
    try:
        return [heading.text for heading in _headings(_content_root(parse_utf8(body), body))]
    except NoStoryError:
        return []


def _headings(root: Any) -> list[_Heading]:
    elements = islice(root.iter(*_HEADING_TAGS), _MOST_HEADINGS)
    known: dict[Any, bool] = {}
    return [_heading(element) for element in elements if _is_of_section(element, known)]


# A name that is nowhere in the bytes is looked for in no element: thousands cost more than a look.
def _title(document: Any, body: bytes) -> str | None:
    for heading in document.iter("h1") if b"firstHeading" in body else ():
        if "firstHeading" in (heading.get("id"), heading.get("class")):
            return " ".join("".join(heading.itertext()).split()) or None
    return None


def _content_root(document: Any, body: bytes) -> Any:
    """`.mw-parser-output` (1.30 and later, Parsoid), `#mw-content-text` (older), or the body."""
    divisions = document.iter("div", "main") if b"mw-content-text" in body else iter(())
    content = next((d for d in divisions if d.get("id") == "mw-content-text"), None)
    within = document if content is None else content
    for element in within.iter("div", "body", "section"):
        if "mw-parser-output" in element.get("class", "").split():
            return element
    return next(document.iter("body"), document) if content is None else content


def _is_of_section(heading: Any, known: dict[Any, bool]) -> bool:
    """`known` has what was found of elements around headings before: most stand side by side."""
    if "pi-title" in heading.get("class", "") or heading.get("id") == "mw-toc-heading":
        return False
    around = []
    verdict = True
    for element in heading.iterancestors():
        if element in known:
            verdict = known[element]
            break
        around.append(element)
        if (
            element.tag in _NOT_WITHIN
            or element.get("id") == "toc"
            or "toc" in element.get("class", "").split()
        ):
            verdict = False
            break
    known.update(dict.fromkeys(around, verdict))
    return verdict


def _heading(element: Any) -> _Heading:
    # Most have no elements in them: two searches less.
    headline = next(iter(_HEADLINE(element)), element) if len(element) else element
    texts = _HEADING_TEXT(headline) if len(headline) else [headline.text or ""]
    text = " ".join("".join(texts).split())
    anchor = headline.get("id") or element.get("id") or text.replace(" ", "_")
    return _Heading(element, int(element.tag[1]), text, anchor or "section")


def comparable(heading: str) -> str:
    """A heading as it is compared: case, blanks and a last colon do not matter."""
    return " ".join(heading.replace("_", " ").split()).casefold().rstrip(":")


def _cut(heading: _Heading, headings: Sequence[_Heading], root: Any) -> list[Any]:
    """The section's text and elements, the heading itself left out."""
    ends = {id(h.element) for h in headings if h.level <= heading.level}
    start = heading.element
    while (parent := start.getparent()) is not root and (
        "mw-heading" in parent.get("class", "")
        or (parent.tag in ("div", "summary") and _is_alone(start))
    ):
        start = parent
    section = [start.tail or ""]
    for element in start.itersiblings():
        if any(id(part) in ends for part in element.iter(*_HEADING_TAGS)):
            break
        section.append(element)
    return section


def _is_alone(element: Any) -> bool:
    return element.getprevious() is None and element.getnext() is None
