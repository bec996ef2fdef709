"""A long Markdown text -> parts that can be parsed one by one, so that memory stays flat.

A parsed text takes hundreds of times its own size where it is all headings or tables. It is cut
before a heading, else before a paragraph, and only where nothing is open that goes on over blank
lines: a fence of code or a comment (https://spec.commonmark.org/0.31.2/#fenced-code-blocks,
#html-blocks). Where no such place comes it is cut at any line, and what is open is opened anew.
"""

import re
from collections.abc import Iterator
from io import StringIO

#: Characters after which a part ends before a heading, before a paragraph, and at any line. Most
#: chapters are shorter than the first.
_BEFORE_A_HEADING = 64 << 10
_BEFORE_A_PARAGRAPH = 128 << 10
_ANYWHERE = 256 << 10
_HEADING = re.compile(r"#{1,6}[ \t]")
_FENCE = re.compile(r" {0,3}(?P<marks>`{3,}|~{3,})(?P<rest>[^\n]*)")
_COMMENT = re.compile(r" {0,3}<!--")


def markdown_parts(text: str) -> Iterator[str]:
    """The parts in order. Joined they are the text, but for what had to be opened anew."""
    part: list[str] = []
    size = 0
    opened = ""  # the line that opens what is open: a comment, or a fence with its marks
    after_blank = True
    for line in StringIO(text, newline="\n"):
        if size >= _BEFORE_A_HEADING and _ends(size, opened, line, after_blank):
            yield "".join(part)
            part, size = [opened], 0
        part.append(line)
        size += len(line)
        opened = _opened(opened, line)
        after_blank = not line.strip()
    yield "".join(part)


def _ends(size: int, opened: str, line: str, after_blank: bool) -> bool:
    if size >= _ANYWHERE:
        return True
    if opened:
        return False
    return bool(_HEADING.match(line)) or (
        size >= _BEFORE_A_PARAGRAPH and after_blank and line[0].isalnum()
    )


def _opened(opened: str, line: str) -> str:
    if opened == "<!--\n":
        return "" if "-->" in line else opened
    fence = _FENCE.match(line)
    if opened:
        marks = opened.rstrip("\n")
        closes = fence and fence["marks"].startswith(marks) and not fence["rest"].strip()
        return "" if closes else opened
    if fence and not ("`" in fence["marks"] and "`" in fence["rest"]):
        return f"{fence['marks']}\n"
    return "<!--\n" if _COMMENT.match(line) and "-->" not in line else ""
