"""Takes what editors and transcribers added out of a book: pictures, notes, marks of italics.

Captions and notes stand in square brackets, over several lines and with brackets of their own
inside (Distributed Proofreaders' Formatting Guidelines). Other brackets are the author's: a stage
direction, an aside.
"""

import re

_OPENING = re.compile(
    r"\[(?:Illustrations?|Illustr?\.|Images?|Picture|Frontispiece|Vignette|Gravure|Abbildung|Decoration|Map|Sidenote"
    r"|Foot-?note|Transcriber['’]?s?['’]? (?:Note|Comment)s?|Note du transcripteur|Redactor['’]s"
    r"|Note of the transcriber|Pg\.? ?\d|Page ?\d|Blank Page|Musi[ckq]u?e?|Symbol|Footer|Header)\b",
    re.IGNORECASE,
)
#: A caption that runs on for longer has lost its closing bracket.
_LONGEST = 6000
#: A heading drawn into a picture: `[Illustration: … Chapter I.]` is where the chapter begins.
_HEADING_IN_CAPTION = re.compile(
    r"^[ \t]*((?:CHAPTER|Chapter) [IVXLC\d]+)\.?\]?\s*\Z", re.MULTILINE
)
#: `_italics_`, also of half a word; `=bold=` only of whole words, since = has other uses.
_EMPHASIS = re.compile(
    r"(?<!_)_(?=[^\s_])([^_]{1,2000}?)(?<=\S)_(?!_)|(?<![\w=])=(?=\w)([^=\n]{1,200}?)(?<=\S)=(?![\w=])"
)
_PAGE_NUMBER = re.compile(
    r"^[ \t]*(?:\{\d{1,4}\}|\[\d{1,4}\]|\{p(?:age|g)?\.? ?\d+\})[ \t]*$", re.MULTILINE
)
_INLINE_PAGE = re.compile(r"\{\d{1,4}\}|\{p(?:age|g)?\.? ?\d+\}|\[Pg\.? ?\d+\]")


def remove_apparatus(text: str) -> str:
    """The text without captions, notes of transcribers, page numbers and marks of emphasis."""
    text = _without_brackets(text)
    text = _INLINE_PAGE.sub("", _PAGE_NUMBER.sub("", text))
    return _EMPHASIS.sub(r"\1\2", text)


def _without_brackets(text: str) -> str:
    closing = _closing_brackets(text)
    parts = []
    position = 0
    for match in _OPENING.finditer(text):
        start = match.start()
        end = closing.get(start, 0)
        if start < position or not start < end <= start + _LONGEST:
            continue
        parts.append(text[position:start])
        if heading := _HEADING_IN_CAPTION.search(text, start, end):
            parts.append(f"\n\n{heading[1]}.\n\n")
        position = end
    parts.append(text[position:])
    return "".join(parts)


def _closing_brackets(text: str) -> dict[int, int]:
    """The position of each opening bracket that is closed -> the position after its closing one."""
    closing: dict[int, int] = {}
    opened: list[int] = []
    for match in re.finditer(r"[\[\]]", text):
        if match[0] == "[":
            opened.append(match.start())
        elif opened:
            closing[opened.pop()] = match.end()
    return closing
