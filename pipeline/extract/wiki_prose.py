"""A piece of wiki HTML -> its prose, in paragraphs, without all that MediaWiki puts between.

Everything that is not story is removed first, by selector or by its wording; then one walk over
what remains gives each text once, in order, and starts a paragraph wherever a block begins or
ends. So lists, dialogue and quotations need no cases and nested blocks are never told twice.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from bs4 import BeautifulSoup
from bs4.element import NavigableString, PreformattedString, Tag

from pipeline.extract.element_soup import events_of, soup_of
from pipeline.extract.wiki_notices import is_notice

#: What leaks into prose when it is not removed, as MediaWiki and its wikis name it. Sets instead
#: of CSS selectors: one look-up an element is ten times faster than eighty selectors.
_TAGS = frozenset((
    "style", "script", "link", "meta", "noscript", "template", "input", "button", "svg", "math",
    "h1", "h2", "h3", "h4", "h5", "h6",
    "img", "figure", "figcaption", "audio", "video", "iframe", "object", "embed",
    "table", "aside", "nav", "rt", "rp",
))  # fmt: skip
_CLASSES = frozenset((
    # references, edit links
    "reference", "references", "reflist", "mw-ref", "mw-cite-backlink", "mw-references-wrap",
    "mw-editsection", "mw-editsection-like", "edit-page", "mw-collapsible-toggle",
    # images and their captions, sound, formulas
    "thumb", "thumbinner", "thumbcaption", "image", "gallery", "gallerybox", "wikia-gallery",
    "lazy-image-placeholder", "floatleft", "floatright", "floatnone", "mediaContainer", "haudio",
    "ext-phonos", "audiolink", "listen", "mwe-math-element", "IPA", "respell",
    # hatnotes, maintenance boxes, inline tags such as [citation needed]
    "hatnote", "dablink", "rellink", "navigation-not-searchable",
    "ambox", "mbox-small", "mbox-text", "tmbox", "ombox", "cmbox", "fmbox", "metadata", "notice",
    "messagebox", "stub", "Inline-Template", "Template-Fact", "noprint",
    # infoboxes, navigation, coordinates
    "infobox", "portable-infobox", "sidebar", "navbox", "navbar", "vertical-navbox", "toc",
    "catlinks", "printfooter", "geo", "geo-inline", "geo-default", "geo-nondefault",
    # nothing to see
    "mw-empty-elt", "sortkey",
))  # fmt: skip
_IDS = frozenset(("toc", "coordinates", "catlinks"))
_ROLES = frozenset(("note", "navigation"))

#: HTML's block-level elements, and those of lists and tables.
_BLOCKS = frozenset((
    "address", "article", "blockquote", "body", "center", "dd", "details", "div", "dl", "dt",
    "fieldset", "footer", "form", "header", "hr", "html", "li", "main", "ol", "p", "pre",
    "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul",
))  # fmt: skip
#: What tells where paragraphs and lines end, and that a note leads elsewhere.
_SHAPING = _BLOCKS | {"a", "br"}
_SPACES = re.compile(r"[^\S\n]+")
#: What is left of "(Japanese: <audio>; <audio>)" once its contents are gone. Blanks are taken from
#: their run's first and never given back, or thousands of <br> would take forever.
_EMPTY_BRACKETS = re.compile(r"(?<!\s)\s*+\(\s*+(?:\w{1,30}:\s*+)?(?:[;,:]\s*+)*+\)")
_BREAKS = re.compile(r"\n{2,}")
_SEPARATOR_FIRST = re.compile(r"\(\s*(?:[;,]\s*)+")


def prose(piece: str) -> str:
    """The text of a piece of HTML: paragraphs parted by a blank line, `<br>` as a line end."""
    soup = BeautifulSoup(piece, "lxml")
    _remove(soup, lambda tag: _is_no_text(tag.name, tag.attrs))
    return _text(soup)


def prose_of(parts: Sequence[Any]) -> str:
    """The same of lxml elements with their tails, and bare text (str), in this order."""
    return _text(soup_of(parts, _is_no_text, _SHAPING))


def line_of(element: Any) -> str:
    """The text of an lxml element without its tail, such as a title: one line, nothing removed for
    its wording."""
    text = "".join(
        content if event == "text" else " "
        for event, content in events_of([element.text or "", *element], _is_no_text)
        if event == "text" or content in _BLOCKS or content == "br"
    )
    return _tidy(text.replace("\n", " "))


def _text(soup: BeautifulSoup) -> str:
    _remove(soup, is_notice)
    return "\n\n".join(text for part in _paragraphs(soup) if (text := _tidy(part)))


def _remove(soup: BeautifulSoup, unwanted: Callable[[Tag], bool]) -> None:
    stack: list[Tag] = [soup]
    while stack:
        contents = stack.pop().contents
        # From the last, each by its place: looked for, ten thousand siblings would take minutes.
        for place in range(len(contents) - 1, -1, -1):
            child = contents[place]
            if isinstance(child, Tag):
                if unwanted(child):
                    child.extract(_self_index=place)
                else:
                    stack.append(child)


def _is_no_text(name: str, attributes: Mapping[str, Any]) -> bool:
    if name in _TAGS:
        return True
    if not attributes:
        return False
    classes = attributes.get("class", ())
    return (
        # BeautifulSoup has split them.
        not _CLASSES.isdisjoint(classes.split() if isinstance(classes, str) else classes)
        or attributes.get("id") in _IDS
        or attributes.get("role") in _ROLES
        or str(attributes.get("typeof", "")).startswith(("mw:File", "mw:Image"))
        or "hidden" in attributes
        or "display:none" in str(attributes.get("style", "")).replace(" ", "")
    )


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
    if "(" in text:
        text = _SEPARATOR_FIRST.sub("(", _EMPTY_BRACKETS.sub("", text)).replace("( ", "(")
    # A template or an IPA that is gone left two blanks, one of them before the comma.
    text = text.replace(" , ", ", ")
    if "\n" not in text:
        return text.strip()
    lines = "\n".join(line.strip() for line in text.split("\n"))
    # Two <br> in a row part paragraphs.
    return _BREAKS.sub("\n\n", lines).strip()
