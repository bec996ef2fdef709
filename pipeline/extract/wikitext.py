"""A MediaWiki article as wikitext, out of a dump -> its plot sections, as from the article's HTML.

The wanted sections are cut out first, by their headings; only they are parsed. Where no heading is
wanted, the summaries of episodes and of lists are, table by table.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lxml import html

from pipeline.extract.mediawiki import NO_WANTED_SECTION, PLOT_HEADINGS, Article, comparable
from pipeline.extract.piece import NoStoryError, Piece, distinct
from pipeline.extract.wiki_prose import prose
from pipeline.extract.wiki_table import summaries
from pipeline.extract.wikitext_html import as_html
from pipeline.extract.wikitext_scan import decoded, without_comments, without_extensions

#: Bytes of a page: MediaWiki's own limit ($wgMaxArticleSize).
_LONGEST_PAGE = 2 << 20
#: Characters of a section; the longest plots have under a hundred thousand. What hostile text takes
#: was measured: up to 60 µs a character, so fifteen seconds here; ordinary text takes 2.
_LONGEST_SECTION = 1 << 18
TOO_LONG = "section is too long"
#: More headings or tables than any article has; what follows them is malice.
_MOST_HEADINGS = 2000
_MOST_TABLES = 2000
_HEADING = re.compile(r"^(={1,6})(?!=)(.{1,300}?)(={1,6})[ \t\x7f]*$", re.MULTILINE)
_MARKUP = re.compile(r"['\[\]{}<>&_=~:;#*\x7f]")
_TABLE_EDGE = re.compile(r"^[ \t]*+:*+[ \t]*+(?:(\{\|)|(\|\}(?!\})))", re.MULTILINE)
_EPISODE_START = re.compile(r"\{\{\s*(?:Japanese )?episode list[ /]?", re.IGNORECASE)
_BRACES = re.compile(r"\{\{|\}\}")


@dataclass(frozen=True)
class _Heading:
    level: int
    text: str
    start: int
    end: int


def read_wikitext(body: bytes, sections: Sequence[str] | None = None) -> Article:
    """The wanted sections of a page's wikitext, by default those of PLOT_HEADINGS.

    Where no heading is wanted, the summaries in lists of films and tables of episodes. The title
    stands in no wikitext. Raises NoStoryError; its figure is the number of headings.
    """
    if len(body) > _LONGEST_PAGE:
        raise NoStoryError("page is too large", len(body))
    text = without_extensions(without_comments(decoded(body)))
    found = list(_headings(text))
    wanted = {comparable(name) for name in (PLOT_HEADINGS if sections is None else sections)}
    pieces = []
    within: _Heading | None = None
    for index, heading in enumerate(found):
        if within is not None and heading.level > within.level:
            continue  # a sub-heading belongs to the plot
        within = heading if comparable(heading.text) in wanted else None
        if within:
            following = (h.start for h in found[index + 1 :] if h.level <= heading.level)
            piece = text[heading.end : next(following, len(text))]
            pieces.append(_section(heading.text, piece))
    if not any(piece.text for piece in pieces):
        pieces = list(_listed(text))
    if not any(piece.text for piece in pieces):
        raise NoStoryError(NO_WANTED_SECTION, len(found))
    anchors = distinct([piece.anchor for piece in pieces])
    return Article(
        None,
        [
            Piece(anchor, piece.text, piece.section, piece.title, left_out=piece.left_out)
            for anchor, piece in zip(anchors, pieces, strict=True)
            if piece.text
        ],
    )


def wikitext_headings(body: bytes) -> list[str]:
    """The headings of an article as shown, in order, to choose `sections` from."""
    return [h.text for h in _headings(without_extensions(without_comments(decoded(body))))]


def _headings(text: str) -> Iterator[_Heading]:
    for number, found in enumerate(_HEADING.finditer(text)):
        if number == _MOST_HEADINGS:
            return
        opening, content, closing = found[1], found[2], found[3]
        level = min(len(opening), len(closing))
        # Of unequal ends the shorter counts, the rest is text.
        content = "=" * (len(opening) - level) + content + "=" * (len(closing) - level)
        if _MARKUP.search(content):
            content = prose(as_html(content.strip()))
        if shown := " ".join(content.split()):
            yield _Heading(level, shown, found.start(), found.end())


def _section(heading: str, piece: str) -> Piece:
    anchor = heading.replace(" ", "_")
    if len(piece) > _LONGEST_SECTION:
        return Piece(anchor, piece, section=heading, left_out=TOO_LONG)
    return Piece(anchor, prose(as_html(piece)), section=heading)


def _listed(text: str) -> Iterator[Piece]:
    """The summaries of the page's episodes and lists, in order."""
    for number, table in enumerate(_tables(text)):
        if number < _MOST_TABLES and len(table) <= _LONGEST_SECTION:
            yield from summaries(html.fragment_fromstring(as_html(table), create_parent="div"))


def _tables(text: str) -> Iterator[str]:
    """Each table of the page, and each episode that a template writes."""
    depth = start = 0
    tables = []
    for edge in _TABLE_EDGE.finditer(text):
        if edge[1]:
            start = start if depth else edge.start()
            depth += 1
        elif depth:
            depth -= 1
            if not depth:
                tables.append((start, edge.end()))
    tables += _episodes(text)
    end = 0
    for start, stop in sorted(tables):
        if start >= end:  # an episode within a table is told with it
            yield text[start:stop]
            end = stop


def _episodes(text: str) -> Iterator[tuple[int, int]]:
    """Where `{{Episode list …}}` begins and ends."""
    end = 0
    for found in _EPISODE_START.finditer(text):
        if found.start() < end:
            continue
        depth = 0
        for brace in _BRACES.finditer(text, found.start()):
            depth += 1 if brace[0] == "{{" else -1
            if not depth:
                end = brace.end()
                yield found.start(), end
                break
        else:
            return  # nothing closes it, nor any that follows
