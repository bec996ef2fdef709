"""Takes what editors and transcribers added out of a book: pictures, notes, marks of typesetting.

Captions and notes stand in square brackets, over several lines and with brackets of their own
inside, and letters that Latin-1 lacks are spelt out: [oe], [=a], M^{me} (Distributed Proofreaders'
Formatting Guidelines). Other brackets are the author's: a stage direction, an aside.
"""

import re
import unicodedata

_OPENING = re.compile(
    r"\[(?:Illustrations?|Illustr?\.|Images?|Picture|Frontispiece|Vignette|Gravure|Abbildung|Decoration|Map|Sidenote"
    r"|Foot-?note|Transcriber['’]?s?['’]? (?:Note|Comment)s?|Note du transcripteur|Redactor['’]s"
    r"|Note of the transcriber|Pg\.? ?\d|Page ?\d|Blank Page|Musi[ckq]u?e?|Symbol|Footer|Header)\b"
    r"|\[ ?[*†‡]+(?=[ \]\w])",  # a note and its mark
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
_INLINE_PAGE = re.compile(r"\{\d{1,4}(?::[A-Z])?\}|\{p(?:age|g)?\.? ?\d+\}|\[Pg\.? ?\d+\]")
#: `/* NIND`, `*/`: how a passage is to be set, for the programs ppgen and guiguts.
_SETTING = re.compile(
    r"^[ \t]*/[*#$](?:[ \t]+[A-Z]{2,8}\b)?(?:\[[\d,]{1,9}\])?[ \t]*"
    r"|(?<![ \t])[ \t]*[*#$]/[ \t]*$",
    re.MULTILINE,
)
#: `word[A]`, where the notes are `[Footnote A: …]`; "[A]nd" is an editor's mended letter.
_LETTERED_NOTE = re.compile(r"(?<=[a-z.,;:!?\"”’)])\[[A-Z]\](?!\w)")
#: A paragraph that a note's mark opens: `[*] That is, a ferry.`
_MARKED_NOTE = re.compile(
    r"(?:(?<=\n\n)|\A)[ \t]*(?:\[[*†‡]+\]|\{\d{1,4}:[A-Z]\})[ \t]*\w[^\n]*(?:\n[ \t]*\S[^\n]*)*"
)
_SUPERSCRIPT = re.compile(r"\^\{([^{}\n]{1,12})\}|(?<=[A-Za-z])\^(?=[a-z])")
_LIGATURE = re.compile(r"\[(oe|OE|Oe|ae|AE|Ae)\]")
_LIGATURES = {"oe": "œ", "ae": "æ"}
#: `[=a]`, `[)e]`: a letter with its accent.
_ACCENTED = re.compile(r"\[([=)~:`'^.])([A-Za-z])\]")
_ACCENTS = dict(zip("=)~:`'^.", "\u0304\u0306\u0303\u0308\u0300\u0301\u0302\u0307", strict=True))


def remove_apparatus(text: str) -> str:
    """The text without captions, notes of transcribers, page numbers and marks of typesetting."""
    if "[Footnote" in text:
        text = _LETTERED_NOTE.sub("", text)
    text = _without_brackets(_MARKED_NOTE.sub("", text))
    text = _INLINE_PAGE.sub("", _PAGE_NUMBER.sub("", text))
    return _EMPHASIS.sub(r"\1\2", _SETTING.sub("", _letters(text)))


def _letters(text: str) -> str:
    """The letters that were spelt out, as letters."""
    text = _SUPERSCRIPT.sub(r"\1", text) if "^" in text else text
    if "[" not in text:
        return text
    text = _LIGATURE.sub(_ligature, text)
    return _ACCENTED.sub(lambda m: unicodedata.normalize("NFC", m[2] + _ACCENTS[m[1]]), text)


def _ligature(spelt: re.Match[str]) -> str:
    letter = _LIGATURES[spelt[1].lower()]
    return letter if spelt[1].islower() else letter.upper()


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
