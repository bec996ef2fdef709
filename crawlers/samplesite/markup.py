"""Turns plain authored HTML into each of the markups that live MediaWikis serve today.

A sample page is written with bare `<h2>Plot</h2>` headings; a dialect wraps headings, sections and
the content root the way one generation of the software does. The five dialects and what tells
them apart are those seen on the live sites in 2018 to 2026.
"""

import re
from collections.abc import Iterator
from enum import Enum
from html import escape, unescape
from itertools import count
from urllib.parse import quote

_HEADING = re.compile(r"<h([2-4])>(.*?)</h\1>", re.S)
_TAG = re.compile(r"<[^>]+>")
#: Where an author wants the table of contents.
TOC_MARK = "<!-- toc -->"
_ROOT = '<div class="mw-content-ltr mw-parser-output" lang="en" dir="ltr">'


class Dialect(Enum):
    """Which generation of MediaWiki renders the page."""

    LEGACY_129 = "legacy-1.29"  # no div.mw-parser-output yet
    LEGACY = "legacy"  # span.mw-headline inside the heading
    MODERN = "modern"  # 1.43: div.mw-heading around the heading
    PARSOID = "parsoid"  # nested section[data-mw-section-id]
    MOBILE = "mobile"  # flat section.mf-section-N between headings
    RAW = "raw"  # a fragment served as it came
    REBUILT = "rebuilt"  # of no generation yet: what a site looks like that changes overnight


def render(body: str, dialect: Dialect, title: str) -> str:
    """The inside of `div#mw-content-text` for an authored body."""
    if dialect is Dialect.RAW:
        return body
    body = body.replace(TOC_MARK, _toc(body))
    match dialect:
        case Dialect.LEGACY_129:
            return _headings(body, dialect, title)
        case Dialect.LEGACY:
            return f'<div class="mw-parser-output">{_headings(body, dialect, title)}</div>'
        case Dialect.MODERN:
            return f"{_ROOT}{_headings(body, dialect, title)}</div>"
        case Dialect.PARSOID:
            return f"{_ROOT}{''.join(_parsoid(body))}</div>"
        case Dialect.MOBILE:
            return f"{_ROOT}{''.join(_mobile(body, title))}</div>"
        case Dialect.REBUILT:
            headings = _HEADING.sub(r'<div class="title title-\1">\2</div>', body)
            return f'<div class="page__main">{headings}</div>'


def _headings(body: str, dialect: Dialect, title: str) -> str:
    """Every bare heading in the dialect's markup, each with its numbered [edit] links."""
    numbers = count(1)

    def one(match: re.Match[str]) -> str:
        return _heading(match, dialect, title, next(numbers))

    return _HEADING.sub(one, body)


def _heading(match: re.Match[str], dialect: Dialect, title: str, section: int) -> str:
    level, html = match[1], match[2]
    anchor, edit = _anchor(html), _edit_links(title, section, _plain(html))
    if dialect in (Dialect.LEGACY, Dialect.LEGACY_129):
        return (
            f"<h{level}>{_old_anchor(anchor)}"
            f'<span class="mw-headline" id="{anchor}">{html}</span>{edit}</h{level}>'
        )
    collapsible = " section-heading" if dialect is Dialect.MOBILE else ""
    return (
        f'<div class="mw-heading mw-heading{level}{collapsible}">'
        f'<h{level} id="{anchor}">{_old_anchor(anchor)}{html}</h{level}>{edit}</div>'
    )


def _parsoid(body: str) -> Iterator[str]:
    """Sections nested by level: an h3's section lies within its h2's."""
    parts = _HEADING.split(body)  # lead, then (level, heading, text) over and over
    yield f'<section data-mw-section-id="0" id="mwAQ">{parts[0]}</section>'
    open_levels: list[int] = []
    triples = zip(parts[1::3], parts[2::3], parts[3::3], strict=True)
    for section, (level, html, text) in enumerate(triples, start=1):
        while open_levels and open_levels[-1] >= int(level):
            open_levels.pop()
            yield "</section>"
        open_levels.append(int(level))
        yield f'<section data-mw-section-id="{section}" id="mwS{section}">'
        yield f'<h{level} id="{_anchor(html)}">{html}</h{level}>{text}'
    yield "</section>" * len(open_levels)


def _mobile(body: str, title: str) -> Iterator[str]:
    """Flat sections, one an h2, each after its heading; deeper headings stay inside."""
    chunks = re.split(r"(?=<h2>)", body)
    yield f'<section class="mf-section-0" id="mf-section-0">{chunks[0]}</section>'
    numbers = count(1)
    for section, chunk in enumerate(chunks[1:], start=1):
        marked = _HEADING.sub(lambda m: _heading(m, Dialect.MOBILE, title, next(numbers)), chunk)
        end = marked.index("</div>") + len("</div>")  # of the section's own heading
        yield marked[:end]
        yield f'<section class="mf-section-{section} collapsible-block" id="mf-section-{section}">'
        yield f"{marked[end:]}</section>"


def _toc(body: str) -> str:
    """The table of contents, whose title is an h2 of its own."""
    items = "".join(
        f'<li class="toclevel-{int(level) - 1} tocsection-{n}"><a href="#{_anchor(html)}">'
        f'<span class="tocnumber">{n}</span> <span class="toctext">{_plain(html)}</span></a></li>\n'
        for n, (level, html) in enumerate(_HEADING.findall(body), start=1)
    )
    return (
        '<div id="toc" class="toc" role="navigation" aria-labelledby="mw-toc-heading">'
        '<input type="checkbox" role="button" id="toctogglecheckbox" class="toctogglecheckbox" '
        'style="display:none" /><div class="toctitle" lang="en" dir="ltr">'
        '<h2 id="mw-toc-heading">Contents</h2><span class="toctogglespan">'
        '<label class="toctogglelabel" for="toctogglecheckbox"></label></span></div>\n'
        f"<ul>\n{items}</ul>\n</div>\n"
    )


def _plain(html: str) -> str:
    return unescape(_TAG.sub("", html)).strip()


def _anchor(html: str) -> str:
    return escape(_plain(html).replace(" ", "_"))


def _old_anchor(anchor: str) -> str:
    """The empty span that MediaWiki puts first when a heading is not ASCII: the pre-2017 id."""
    if anchor.isascii():
        return ""
    return f'<span id="{quote(unescape(anchor)).replace("%", ".")}"></span>'


def _edit_links(title: str, section: int, heading: str) -> str:
    target = f"/w/index.php?title={quote(title.replace(' ', '_'))}"
    label = escape(f"Edit section: {heading}")
    return (
        '<span class="mw-editsection"><span class="mw-editsection-bracket">[</span>'
        f'<a href="{target}&amp;veaction=edit&amp;section={section}" '
        f'class="mw-editsection-visualeditor" title="{label}">edit</a>'
        '<span class="mw-editsection-divider"> | </span>'
        f'<a href="{target}&amp;action=edit&amp;section={section}" title="{label}">edit source</a>'
        '<span class="mw-editsection-bracket">]</span></span>'
    )
