"""Makes wikitext safe to parse: what is no text goes, what does not pair goes, nesting is bounded.

All of it is one walk from left to right, because a parser of templates and links tries an opening
brace that nothing closes again and again: 20,000 characters of `{{a|` take mwparserfromhell six
seconds, a megabyte hours. What is left is what it is good at: braces and brackets that pair.
"""

import re
from collections.abc import Iterator

#: Extension tags whose content is no prose (Special:Version of Wikipedia and Fandom lists them).
_DROPPED_TAGS = frozenset((
    "ref", "references", "math", "chem", "ce", "gallery", "timeline", "imagemap", "score", "hiero",
    "graph", "chart", "mapframe", "maplink", "templatedata", "templatestyles", "inputbox", "rss",
    "indicator", "categorytree", "syntaxhighlight", "source", "includeonly", "section", "infobox",
    "youtube", "video", "verbatim", "script", "style", "dpl", "poll",
))  # fmt: skip
#: Whose content is text as it stands, without markup.
_LITERAL_TAGS = frozenset(("nowiki", "pre"))
_TAG = re.compile(r"<(/?)([a-zA-Z]{1,20})(?=[\s/>])([^<>]{0,2000})>")
_PAIRS = re.compile(r"\{\{|\}\}|\[\[|\]\]")
_CLOSER = {"{{": "}}", "[[": "]]"}
#: Real pages nest five or six deep.
_DEEPEST = 12
#: Everything that means something to the parser or at a line's beginning; entities stay entities.
_MARKUP = re.compile(r"&#?\w{1,31};|[\[\]{}|'=*#:;<>_~!\-]")
#: Stands where something was that is no text, as MediaWiki's strip markers do: so a line that it
#: began does not begin with the blank after it.
GONE = "\x7f"
#: Stand for `<`, `>`, the bar of a table's first line and what is before a list's item while the
#: parser reads, from Unicode's private use: tags and tables that pair with nothing take it the
#: square of their number too.
LESS, GREATER, BAR, ITEM = "\ue000", "\ue001", "\ue002", "\ue003"
_RESERVED = re.compile(f"[{GONE}{LESS}{GREATER}{BAR}{ITEM}\0\r]")


def decoded(body: bytes) -> str:
    """A page's text without the characters that have a meaning here."""
    return _RESERVED.sub("", body.decode("utf-8-sig", "replace"))


def without_comments(text: str) -> str:
    """The text without `<!-- -->`; one alone on its line takes the line with it."""
    kept: list[str] = []
    position = 0
    while (start := text.find("<!--", position)) >= 0:
        end = text.find("-->", start + 4)
        end = len(text) if end < 0 else end + 3
        kept.append(text[position:start])
        line = start
        while line > position and text[line - 1] in " \t":
            line -= 1
        rest = end
        while rest < len(text) and text[rest] in " \t":
            rest += 1
        alone = line == 0 or text[line - 1] == "\n"
        if alone and rest < len(text) and text[rest] == "\n" and line >= position:
            kept[-1] = text[position:line]
            end = rest + 1
        position = end
    kept.append(text[position:])
    return "".join(kept)


def without_extensions(text: str) -> str:
    """The text without references and the like; `<nowiki>` as entities, `<poem>` in lines."""
    kept: list[str] = []
    position = 0
    unclosed: set[str] = set()  # nothing further on closes these
    while tag := _TAG.search(text, position):
        name = tag[2].lower()
        kept.append(text[position : tag.start()])
        position = tag.end()
        if name not in _DROPPED_TAGS and name not in _LITERAL_TAGS and name != "poem":
            kept.append(tag[0])
            continue
        if tag[1] or tag[3].endswith("/"):
            kept.append(GONE)
            continue
        closing = re.compile(rf"</{name}\s{{0,9}}>", re.IGNORECASE)
        end = None if name in unclosed else closing.search(text, position)
        if end is None:
            unclosed.add(name)
            kept.append(GONE)
            continue
        content = text[position : end.start()]
        position = end.end()
        if name in _LITERAL_TAGS:
            literal = _MARKUP.sub(_as_entity, content)
            kept.append(f"<pre>{literal}</pre>" if name == "pre" else literal)
        elif name == "poem":
            kept.append("<br>".join(content.strip("\n").split("\n")))
        else:
            kept.append(GONE)
    kept.append(text[position:])
    return "".join(kept)


def balanced(text: str) -> str:
    """The text with only such `{{`, `}}`, `[[`, `]]` as pair, and none deeper than a page nests."""
    return "".join(_balanced(text))


def _balanced(text: str) -> Iterator[str]:
    pairs = dict(_pairs(text))
    position = 0
    skip_to = 0
    depth: list[int] = []  # ends of the pairs that are open
    for token in _PAIRS.finditer(text):
        start = token.start()
        if start < skip_to:
            continue
        yield _literal(text[position:start])
        position = token.end()
        while depth and depth[-1] < start:
            depth.pop()
        if start in pairs and token[0] in _CLOSER:
            if len(depth) == _DEEPEST:
                skip_to = position = pairs[start] + 2
                continue
            depth.append(pairs[start])
            yield token[0]
        elif depth and depth[-1] == start:
            depth.pop()
            yield token[0]
    yield _literal(text[position:])


def _literal(text: str) -> str:
    """A bracket by itself means nothing any more; the parser would try it as a link to the web."""
    return text.replace("[", "&#91;").replace("]", "&#93;")


def _pairs(text: str) -> Iterator[tuple[int, int]]:
    """The places of an opening and its closing; an opening that another's end cuts off is none."""
    opened: list[tuple[str, int]] = []
    counts = {"{{": 0, "[[": 0}
    for token in _PAIRS.finditer(text):
        if token[0] in _CLOSER:
            opened.append((token[0], token.start()))
            counts[token[0]] += 1
            continue
        opening = "{{" if token[0] == "}}" else "[["
        if not counts[opening]:
            continue
        while opened:
            kind, start = opened.pop()
            counts[kind] -= 1
            if kind == opening:
                yield start, token.start()
                break


def _as_entity(found: re.Match[str]) -> str:
    return found[0] if len(found[0]) > 1 else f"&#{ord(found[0])};"
