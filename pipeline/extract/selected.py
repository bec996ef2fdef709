"""A page of a site that is no wiki -> the text of the elements that its source's selector means.

What no story is made of goes first: forms, the page's own head and foot. The rest is read as wiki
prose is, one walk that gives each text once.
"""

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import Any

from lxml import html
from lxml.cssselect import CSSSelector

from pipeline.extract.html_page import decode_html, parse_html
from pipeline.extract.piece import NoStoryError, Piece
from pipeline.extract.wiki_prose import prose

#: Why a page gives no piece; `containers` tells where its text stands instead.
NO_MATCH = "nothing matches `story`"
#: The anchor of such a piece: no place on the page, but always the same.
SELECTED = "story"
_NO_STORY = ("form", "button", "select", "textarea", "label", "header", "footer", "dialog", "menu")
#: Names that need no escape in a selector.
_SIMPLE = re.compile(r"[A-Za-z_][\w-]{0,60}", re.ASCII)
#: More matches than any page has stories' parts.
_MOST_MATCHES = 1000


@dataclass(frozen=True)
class SelectedStory:
    """The title in the page's head, and its only piece."""

    title: str | None
    pieces: list[Piece]


def read_selected(body: bytes, story: str, content_type: str | None = None) -> SelectedStory:
    """The text of what the CSS selector matches, each once. Raises NoStoryError.

    The figure is how many elements the page has: few mean that the page itself is another.
    """
    document = parse_html(decode_html(body, content_type))
    matches = _selector(story)(document)[:_MOST_MATCHES]
    if not matches:
        raise NoStoryError(NO_MATCH, sum(1 for _ in document.iter()))
    inside = set(matches)
    outermost = [m for m in matches if not any(a in inside for a in m.iterancestors())]
    for element in list(document.iter(*_NO_STORY)):
        if element not in inside:
            element.drop_tree()
    texts = [text for element in outermost if (text := prose(_contents(element)))]
    if not texts:
        raise NoStoryError("what `story` matches has no text", len(matches))
    title = " ".join((document.findtext(".//title") or "").split()) or None
    return SelectedStory(title, [Piece(SELECTED, "\n\n".join(texts))])


def containers(body: bytes, content_type: str | None = None) -> Counter[str]:
    """How many words of paragraphs stand in which element, to choose `story` from.

    The element is the nearest around a paragraph with an id or class, or of a kind that tells.
    """
    words: Counter[str] = Counter()
    try:
        document = parse_html(decode_html(body, content_type))
    except NoStoryError:
        return words
    for paragraph in document.iter("p"):
        for element in paragraph.iterancestors():
            if name := _named(element):
                words[name] += len(paragraph.text_content().split())
                break
    return words


def _named(element: Any) -> str | None:
    """A selector for the element, where it has anything to be known by."""
    for mark, attribute in (("#", "id"), (".", "class")):
        for value in (element.get(attribute) or "").split():
            if _SIMPLE.fullmatch(value):
                return f"{element.tag}{mark}{value}"
    return element.tag if element.tag in ("article", "main", "section") else None


@lru_cache(maxsize=32)
def _selector(story: str) -> CSSSelector:
    return CSSSelector(story, translator="html")


def _contents(element: Any) -> str:
    """The element as a block of no kind, since a table's cell, say, is no prose by itself."""
    parts = [html.tostring(child, encoding="unicode") for child in element]
    return f"<div>{escape(element.text or '')}{''.join(parts)}</div>"
