"""A Markdown file -> its chapters, by its headings, in plain prose.

Rendered as CommonMark and read as any HTML: what would be markup on a page, links' addresses,
images, scripts, is none of the text, and nothing is ever run. Code in fences is no story; a
paragraph that is indented is one here, since writers indent, and CommonMark would call it code.
Front matter: https://jekyllrb.com/docs/front-matter/, and Hugo's between `+++`.
"""

import re

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from pipeline.extract.book_encoding import decode_book
from pipeline.extract.chapters import Book, book_pieces
from pipeline.extract.html_page import parse_html
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

#: The longest novels have some 5 MB. Beyond, hostile markup would take minutes.
MAXIMUM_CHARACTERS = 8 << 20
_FRONT_MATTER = re.compile(
    r"\A(?P<fence>---|\+\+\+)[ \t]*\n(?P<lines>(?:[^\n]*\n){0,500}?)"
    r"(?:(?P=fence)|\.\.\.)[ \t]*(?:\n|\Z)"
)
_TITLE = re.compile(r"^title\s*[:=][ \t]*(?P<title>\S[^\n]{0,300})$", re.MULTILINE | re.IGNORECASE)
_FOOTNOTE = re.compile(r"^ {0,3}\[\^[^\]\s]{1,50}\]:[^\n]*(?:\n[ \t]+\S[^\n]*)*\n?", re.MULTILINE)
_FOOTNOTE_MARK = re.compile(r"\[\^[^\]\s]{1,50}\]")
_AUTOLINK = re.compile(r"<https?://[^\s<>]{1,2000}>")

#: A paragraph longer than any is not looked through for emphasis and links: that takes quadratic
#: time where they do not pair.
_LONGEST_PARAGRAPH = 50_000


def _leave_long_paragraphs(state: StateCore) -> None:
    for token in state.tokens:
        if token.type == "inline" and len(token.content) > _LONGEST_PARAGRAPH:
            token.children = [Token("text", "", 0, content=token.content)]
            token.content = ""


_markdown = MarkdownIt("commonmark", {"html": True}).enable("table").disable("code")
_markdown.core.ruler.before("inline", "long_paragraphs", _leave_long_paragraphs)


def read_markdown(body: bytes) -> Book:
    """The chapters of a Markdown file. Raises NoStoryError where no text remains."""
    text = without_marks(decode_book(body))
    if len(text) > MAXIMUM_CHARACTERS:
        raise NoStoryError("Markdown is too long", len(text))
    title = None
    if front := _FRONT_MATTER.match(text):
        named = _TITLE.search(front["lines"])
        title = named["title"].strip().strip("\"'") if named else None
        text = text[front.end() :]
    text = _AUTOLINK.sub("", _FOOTNOTE_MARK.sub("", _FOOTNOTE.sub("", text)))
    sections = _sections(_markdown.render(text))
    heading, sections = without_title(sections)
    pieces = book_pieces(chapters(sections))
    if not pieces:
        raise NoStoryError("no text remains without markup", len(body))
    return Book(title or heading, pieces)


def _sections(rendered: str) -> list[Section]:
    root = parse_html(f"<body>{rendered}</body>")
    for code in list(root.iter("pre")):
        code.drop_tree()
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
