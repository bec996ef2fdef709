"""A piece of wiki HTML -> its prose, in paragraphs, without all that MediaWiki puts between.

Everything that is not story is removed first, by selector or by its wording; then one walk over
what remains gives each text once, in order, and starts a paragraph wherever a block begins or
ends. So lists, dialogue and quotations need no cases and nested blocks are never told twice.
"""

import re
from collections.abc import Iterator

from bs4 import BeautifulSoup
from bs4.element import NavigableString, PreformattedString, Tag

from pipeline.extract.wiki_notices import is_notice

#: What leaks into prose when it is not removed, as MediaWiki and its wikis name it.
_REMOVED = {
    "not text": "style, script, link, meta, noscript, template, input, button, svg, math,"
    " .mwe-math-element",
    "references": "sup.reference, .mw-ref, ol.references, .references, .reflist, .mw-cite-backlink,"
    " .mw-references-wrap",
    "edit links": ".mw-editsection, .mw-editsection-like, .edit-page, .mw-collapsible-toggle",
    "headings": "h1, h2, h3, h4, h5, h6",
    "images and captions": "img, figure, figcaption, .thumb, .thumbinner, .thumbcaption, .image,"
    " .gallery, .gallerybox, .wikia-gallery, .lazy-image-placeholder, .floatleft, .floatright,"
    " .floatnone, [typeof^='mw:File'], [typeof^='mw:Image']",
    "media": "audio, video, iframe, object, embed, .mediaContainer, .haudio, .ext-phonos,"
    " .audiolink, .listen",
    "pronunciation": ".IPA, .respell, rt, rp",
    "hatnotes": ".hatnote, .dablink, .rellink, .navigation-not-searchable, [role='note']",
    "boxes": ".ambox, .mbox-small, .mbox-text, .tmbox, .ombox, .cmbox, .fmbox, .metadata, .notice,"
    " .messagebox, .stub",
    "tables and infoboxes": "table, aside, .infobox, .portable-infobox, .sidebar",
    "navigation": "nav, .navbox, .navbar, .vertical-navbox, .toc, #toc, .catlinks, .printfooter,"
    " [role='navigation']",
    "coordinates": "#coordinates, .geo, .geo-inline, .geo-default, .geo-nondefault",
    "inline tags": ".Inline-Template, .Template-Fact, .noprint, sup.noprint",
    "empty or hidden": ".mw-empty-elt, .sortkey, [hidden], [style*='display:none'],"
    " [style*='display: none']",
}
_REMOVE = ", ".join(_REMOVED.values())

#: HTML's block-level elements, and those of lists and tables.
_BLOCKS = frozenset((
    "address", "article", "blockquote", "body", "center", "dd", "details", "div", "dl", "dt",
    "fieldset", "footer", "form", "header", "hr", "html", "li", "main", "ol", "p", "pre",
    "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul",
))  # fmt: skip
_SPACES = re.compile(r"[^\S\n]+")
#: What is left of "(Japanese: <audio>; listen)" once its contents are gone.
_EMPTY_BRACKETS = re.compile(r"\s*\(\s*(?:[;,:]\s*)*\)")
_SEPARATOR_FIRST = re.compile(r"\(\s*(?:[;,]\s*)+")


def prose(piece: str) -> str:
    """The text of a piece of HTML: paragraphs parted by a blank line, `<br>` as a line end."""
    soup = BeautifulSoup(piece, "lxml")
    for element in soup.select(_REMOVE):
        if not element.decomposed:
            element.decompose()
    for element in soup.find_all(("p", "div", "dl", "dd", "li")):
        if not element.decomposed and is_notice(element):
            element.decompose()
    return "\n\n".join(text for part in _paragraphs(soup) if (text := _tidy(part)))


def _paragraphs(soup: BeautifulSoup) -> Iterator[str]:
    """Each text once, in order; iterative, as hostile pages nest deeper than Python's stack."""
    text: list[str] = []
    preformatted = 0
    stack: list[tuple[Tag, Iterator[object]]] = [(soup, iter(soup.contents))]
    while stack:
        tag, children = stack[-1]
        child = next(children, None)
        if child is None:
            stack.pop()
            preformatted -= tag.name == "pre"
            if tag.name in _BLOCKS:
                yield "".join(text)
                text = []
        elif isinstance(child, Tag):
            if child.name == "br":
                text.append("\n")
                continue
            if child.name in _BLOCKS:
                yield "".join(text)
                text = []
            preformatted += child.name == "pre"
            stack.append((child, iter(child.contents)))
        elif isinstance(child, NavigableString) and not isinstance(child, PreformattedString):
            # Outside <pre> a line end in the source is a space; only <br> ends a line.
            text.append(child if preformatted else child.replace("\n", " "))
    yield "".join(text)


def _tidy(text: str) -> str:
    text = _SPACES.sub(" ", text)
    text = _EMPTY_BRACKETS.sub("", text)
    text = _SEPARATOR_FIRST.sub("(", text)
    lines = "\n".join(line.strip() for line in text.split("\n"))
    # Two <br> in a row part paragraphs.
    return re.sub(r"\n{2,}", "\n\n", lines).strip()
