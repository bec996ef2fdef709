"""The lines of wikitext whose templates and links are shown already -> blocks of HTML.

A line's first character says what it is: a list's item, a table, a paragraph; the rules are those
of MediaWiki's BlockLevelPass and of `doTableStuff` and `doQuotes` in its Parser. End tags are left
to the HTML parser, as MediaWiki leaves wrong ones to it.
"""

import re
from collections.abc import Iterator

from pipeline.extract.wikitext_scan import GONE

_TABLE = re.compile(r"[ \t]*+:*+[ \t]*+\{\|")
_ITEM = re.compile(r"([*#:;]+)[ \t]*")
_TAGS = {"*": "li", "#": "li", ":": "dd", ";": "dt"}
_SPAN = re.compile(r"\b(?:row|col)span\s*=\s*[\"']?\s*\d{1,4}", re.IGNORECASE)
_QUOTES = re.compile(r"('{2,})")
_PRE = re.compile(r"<(/?)pre\b[^<>]*>")


def blocks(text: str) -> Iterator[str]:
    """HTML block by block; of paragraphs, rows and cells without the end tags.

    `text` has tags as `<…>` and all other `<` escaped. Quotes for bold and italics go; lines that a
    dropped template leaves empty part paragraphs.
    """
    held: list[str] = []  # lines of the paragraph, or of the verbatim block
    opening = "<p>"
    tables = 0
    literal = False
    for line in text.split("\n"):
        if literal:
            yield f"{line}\n"
            literal = _still_literal(line, literal)
            continue
        bare = line.replace(GONE, "").strip()
        block: str | None = None
        if _TABLE.match(line):
            tables += 1
            block = "<table><tr>"
        elif tables and bare.startswith(("|", "!")):
            tables -= bare.startswith("|}")
            block = "".join(_table_line(bare))
        elif not bare or bare.startswith("|") or (bare[0] == "=" == bare[-1]):
            block = ""  # what a table leaves that a template began is no text either
        elif bare.startswith("----"):
            block = f"<p>{_without_quotes(bare.lstrip('-'))}"
        elif item := _ITEM.match(line):
            block = "".join(_item(item[1][-1], line[item.end() :]))
        kind = "<pre>" if line.startswith(" ") and not tables else "<p>"
        if held and (block is not None or kind != opening):
            yield _closed(opening, held)
            held = []
        if block is not None:
            yield block
            continue
        opening = kind
        held.append(_without_quotes(line))
        if literal := _still_literal(line, literal):
            yield _closed("<p>", held)
            held = []
    if held:
        yield _closed(opening, held)


def _closed(opening: str, lines: list[str]) -> str:
    """A paragraph, which the next block ends, or lines that stand as they are written."""
    return opening + "\n".join(lines) + ("</pre>" if opening == "<pre>" else "")


def _still_literal(line: str, literal: bool) -> bool:
    """Whether `<pre>` is open after the line."""
    for tag in _PRE.finditer(line):
        literal = not tag[1]
    return literal


def _item(kind: str, content: str) -> Iterator[str]:
    """A list's item; `; term : meaning` on one line is two."""
    if kind == ";":
        term, colon, meaning = content.partition(":")
        if colon and "<" not in term:
            yield f"<dt>{_without_quotes(term)}</dt><dd>{_without_quotes(meaning)}</dd>"
            return
    yield f"<{_TAGS[kind]}>{_without_quotes(content)}</{_TAGS[kind]}>"


def _table_line(line: str) -> Iterator[str]:
    """A line of a table that begins a row, cells, or ends it."""
    if line.startswith("|}"):
        yield f"</table><p>{_without_quotes(line[2:])}"
    elif line.startswith("|-"):
        yield "<tr>"
    elif line.startswith("|+"):
        yield f"<caption>{_without_quotes(line[2:])}</caption>"
    else:
        name = "th" if line[0] == "!" else "td"
        cells = line[1:].replace("!!", "||") if name == "th" else line[1:]
        for cell in cells.split("||"):
            attributes, bar, content = cell.partition("|")
            if not bar or "<" in attributes:
                attributes, content = "", cell
            spans = " ".join(_SPAN.findall(attributes)).replace('"', "").replace("'", "")
            yield f"<{name} {spans}>{_without_quotes(content)}"


def _without_quotes(line: str) -> str:
    """The line without the apostrophes that mean bold and italics, and with those that are text.

    Where both are opened and not closed, one of three apostrophes was meant as one: `l'''amour''`.
    """
    parts = _QUOTES.split(line.replace(GONE, ""))
    if len(parts) == 1:
        return parts[0]
    for i in range(1, len(parts), 2):
        run = len(parts[i])
        spare = 1 if run == 4 else max(run - 5, 0)
        parts[i - 1] += "'" * spare
        parts[i] = "'" * (run - spare)
    runs = [len(part) for part in parts[1::2]]
    italics, bolds = runs.count(2) + runs.count(5), runs.count(3) + runs.count(5)
    if italics % 2 and bolds % 2:
        threes = [i for i in range(1, len(parts), 2) if len(parts[i]) == 3]
        if threes:
            parts[min(threes, key=lambda i: _unlikely_bold(parts[i - 1])) - 1] += "'"
    return "".join(parts[0::2])


def _unlikely_bold(before: str) -> int:
    """Least after a word of one letter, then after a longer one."""
    if before.endswith(" ") or not before:
        return 2
    return 0 if len(before) == 1 or before[-2] == " " else 1
