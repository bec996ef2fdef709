"""A Markdown file -> its chapters, by its headings, in plain prose.

Rendered as CommonMark and read as any HTML: what would be markup on a page, links' addresses,
images, scripts, is none of the text, and nothing is ever run. Code in fences is no story; a
paragraph that is indented is one here, since writers indent, and CommonMark would call it code.
Front matter: https://jekyllrb.com/docs/front-matter/, and Hugo's between `+++`.
"""

import re
from dataclasses import replace
from itertools import islice
from typing import Any

from lxml import etree
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from pipeline.extract.book_encoding import decode_book
from pipeline.extract.chapters import Book, book_pieces
from pipeline.extract.html_page import parse_html
from pipeline.extract.markdown_parts import markdown_parts
from pipeline.extract.outline import (
    HEADINGS,
    Section,
    chapters,
    heading_text,
    texts_between,
    without_marks,
    without_title,
)
from pipeline.extract.piece import NoStoryError

#: The longest novels have some 5 MB, wrapped into 80,000 lines. Beyond, hostile markup would take
#: minutes, and most of it by its lines: each may be a paragraph, a heading, a row.
MAXIMUM_CHARACTERS = 8 << 20
MAXIMUM_LINES = 200_000
_FRONT_MATTER = re.compile(
    r"\A(?P<fence>---|\+\+\+)[ \t]*\n(?P<lines>(?:[^\n]*\n){0,500}?)"
    r"(?:(?P=fence)|\.\.\.)[ \t]*(?:\n|\Z)"
)
_TITLE = re.compile(r"^title\s*[:=][ \t]*(?P<title>\S[^\n]{0,300})$", re.MULTILINE | re.IGNORECASE)
_FOOTNOTE = re.compile(r"^ {0,3}\[\^[^\]\s]{1,50}\]:[^\n]*(?:\n[ \t]+\S[^\n]*)*\n?", re.MULTILINE)
_FOOTNOTE_MARK = re.compile(r"\[\^[^\]\s]{1,50}\]")
#: Where a link may lead, from any part of the text.
_TARGET = re.compile(r"^ {0,3}\[[^\]\n]{1,200}\]:[ \t]*\S[^\n]*$", re.MULTILINE)
_MOST_TARGETS = 10_000
_LINE = re.compile(r"^[ \t]*+[^\s]", re.MULTILINE)
_AUTOLINK = re.compile(r"<https?://[^\s<>]{1,2000}>")

#: A paragraph longer than any is not looked through for emphasis and links: that takes quadratic
#: time where they do not pair.
_LONGEST_PARAGRAPH = 50_000


#: Blocks that are no story, by the tokens that open and close them.
_NO_STORY = {"table_open": 1, "table_close": -1}


def _leave_out(state: StateCore) -> None:
    """Tables and code go, and long paragraphs are left as they are, before their words are read."""
    depth = 0
    kept = []
    for token in state.tokens:
        depth += _NO_STORY.get(token.type, 0)
        if depth or token.type in ("table_close", "fence"):
            continue
        if token.type == "inline" and len(token.content) > _LONGEST_PARAGRAPH:
            token.children = [Token("text", "", 0, content=token.content)]
            token.content = ""
        kept.append(token)
    state.tokens = kept


_markdown = MarkdownIt("commonmark", {"html": True}).enable("table").disable("code")
_markdown.core.ruler.before("inline", "leave_out", _leave_out)


def read_markdown(body: bytes) -> Book:
    """The chapters of a Markdown file. Raises NoStoryError where no text remains."""
    text = without_marks(decode_book(body))
    if len(text) > MAXIMUM_CHARACTERS:
        raise NoStoryError("Markdown is too long", len(text))
    if (lines := sum(1 for _ in _LINE.finditer(text))) > MAXIMUM_LINES:
        raise NoStoryError("Markdown has too many lines", lines)
    title = None
    if front := _FRONT_MATTER.match(text):
        named = _TITLE.search(front["lines"])
        title = named["title"].strip().strip("\"'") if named else None
        text = text[front.end() :]
    text = _AUTOLINK.sub("", _FOOTNOTE_MARK.sub("", _FOOTNOTE.sub("", text)))
    sections = _all_sections(text)
    heading, sections = without_title(sections)
    pieces = book_pieces(chapters(sections))
    if not pieces:
        raise NoStoryError("no text remains without markup", len(body))
    return Book(title or heading, pieces)


def _all_sections(text: str) -> list[Section]:
    """The sections of a text, read part by part."""
    links: dict[str, Any] = {}
    # Parted by blank lines: together, each would be read as often as stand before it.
    targets = dict.fromkeys(target[0] for target in _TARGET.finditer(text))
    _markdown.parse("\n\n".join(islice(targets, _MOST_TARGETS)), links)
    sections: list[Section] = []
    for part in markdown_parts(text):
        first, *others = _sections(_markdown.render(part, links))
        if sections:  # what stands before a part's first heading goes on from the part before
            whole = "\n\n".join(filter(None, (sections[-1].text, first.text)))
            sections[-1] = replace(sections[-1], text=whole)
        else:
            sections.append(first)
        sections += others
    return sections


def _sections(rendered: str) -> list[Section]:
    root = parse_html(f"<body>{rendered}</body>")
    etree.strip_elements(root, "pre", with_tail=False)
    headings = [element for element in root.iter(*HEADINGS) if heading_text(element)]
    names = [(int(element.tag[1]), heading_text(element)) for element in headings]
    before, *texts = texts_between(root, headings)
    return [
        Section(1, None, before or ""),
        *(
            Section(level, name, text)
            for (level, name), text in zip(names, texts, strict=True)
            if text is not None
        ),
    ]
