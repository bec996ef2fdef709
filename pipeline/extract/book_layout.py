"""Joins hard-wrapped prose into paragraphs and leaves verse, plays and letters' ends as they are.

A plain-text book is wrapped by hand or program near column 70, and only the line lengths tell a
wrapped paragraph from lines that were meant to end. A line is full when the next line's first word
would not have fitted on it. Verse begins its lines with capitals, wrapped prose does so in one
line of five. The bounds were set on the books and plays this project is tried with.
"""

import re
from itertools import pairwise
from statistics import median

#: What parts two scenes, however the book draws it.
SCENE_BREAK = "* * *"
#: Share of lines that begin with a capital from which lines are verse (prose: about 0.1 to 0.3).
_VERSE_CAPITALS = 0.75
#: Share of full lines from which a block is wrapped prose.
_PROSE_FULL = 0.5
#: Columns by which a full line may stay short of its paragraph's longest: wrapping by hand.
_SLACK = 9
#: A line shorter than this share of the width ends on purpose: a speaker's name, a salutation.
_SHORT_LINE = 0.55
#: A couplet's line is shorter than this share of the prose's width.
_COUPLET = 0.8
#: A line longer than this that goes on with a small letter was wrapped, if early.
_LONG_LINE = 0.6

#: Text is wrapped to 60 to 80 columns, now and then to 100.
WIDEST = 120

#: Columns parted by spaces: a word list, an index.
_COLUMNS = re.compile(r"\S {4,}\S")
#: Stars or dashes that part scenes, and what may stand between them.
_ORNAMENT = re.compile(r"[*·•_~—-]")
_ORNAMENTS = re.compile(r"[\s*.·•_~—-]+")
#: Two spaces after a full stop, as typists did. More of them may be columns.
_TYPED_SPACES = re.compile(r"(?<=\S) {2,3}(?=\S)")
_SPACES = re.compile(r" {2,}")
#: The first part of a compound of names, "Anne-" of Anne-Marie.
_NAME_AND_HYPHEN = re.compile(r"(?<!\w)[A-ZÀ-ÖØ-ÞŒ]\w*-$")
_CAPITAL = re.compile(r"[\W_]*[A-ZÀ-ÖØ-ÞŒ]")


def is_unwrapped(text: str) -> bool:
    """Whether a line is a paragraph: most of the text stands in lines nobody would wrap to."""
    lengths = [len(line) for line in text.split("\n")]
    return sum(length for length in lengths if length > WIDEST) > sum(lengths) / 2


def prose_width(blocks: list[list[str]]) -> int:
    """The column near which a book's prose is wrapped; 0 where it has none."""
    widths = [
        max(len(line) for line in block)
        for block in blocks
        if len(block) >= 4 and _capitals(block) < 0.5
    ]
    return int(median(widths)) if widths else 0


def lay_out(block: list[str], width: int) -> str:
    """A block of lines as paragraphs (parted by a blank line), or as the lines it was."""
    lines = _dedent(block)
    if all(_ORNAMENTS.fullmatch(line) and _ORNAMENT.search(line) for line in lines):
        return SCENE_BREAK
    if len(lines) == 1:
        return _SPACES.sub(" ", lines[0])
    # Of two lines one capital tells little; set in, and the first not full, they are a couplet.
    set_in = block[0].startswith("  ") and block[1].startswith("  ")
    couplet = set_in and not lines[1].startswith(" ") and len(lines[0]) < width * _COUPLET
    verse = (len(lines) > 2 or couplet) and _capitals(lines) >= _VERSE_CAPITALS
    if verse or sum(bool(_COLUMNS.search(line)) for line in lines) > len(lines) / 2:
        return _as_lines(lines)
    paragraphs = [_join(part, width) for part in _by_indent(lines, width)]
    return "\n\n".join(paragraphs)


def _join(lines: list[str], width: int) -> str:
    """Wrapped lines as one; lines that were not wrapped stay lines."""
    longest = max(len(line) for line in lines)
    # Near the book's own width, whatever one run-on line or a narrow block says.
    lines_width = min(max(longest, int(width * 0.85)), int(width * 1.15) or longest)
    full = [
        len(before) + 1 + len(after.split(maxsplit=1)[0]) >= lines_width - _SLACK
        or (len(before) >= lines_width * _LONG_LINE and after.lstrip()[:1].islower())
        for before, after in pairwise(lines)
    ]
    if full and sum(full) / len(full) < _PROSE_FULL:
        return _as_lines(lines)
    text = lines[0].strip()
    for before, after in pairwise(lines):
        meant = len(before.strip()) < lines_width * _SHORT_LINE and _CAPITAL.match(after)
        text += "\n" if meant else _joint(before, after)
        text += after.strip()
    return _SPACES.sub(" ", text)


def _joint(before: str, after: str) -> str:
    """What stands between two lines of a paragraph: nothing after a dash or a broken compound."""
    if before.endswith(("--", "—")):
        return ""
    after = after.lstrip()
    broken = re.search(r"\w-$", before) and after[:1].islower()
    of_names = _NAME_AND_HYPHEN.search(before) and after[:1].isupper()
    return "" if broken or of_names else " "


def _as_lines(lines: list[str]) -> str:
    return "\n".join(_TYPED_SPACES.sub(" ", line) for line in lines)


def _by_indent(lines: list[str], width: int) -> list[list[str]]:
    """Paragraphs that begin with an indented line instead of a blank one.

    Lines set in below a short one are a speech below its speaker's name, not a paragraph.
    """
    short = len(lines[0]) < max(width, *map(len, lines)) * _SHORT_LINE
    if short and all(line.startswith("  ") for line in lines[1:]):
        return [lines]
    starts = [
        i for i, line in enumerate(lines) if i and line[:2] == "  " and lines[i - 1][0] != " "
    ]
    if len(starts) > len(lines) // 2:
        return [lines]
    bounds = [0, *starts, len(lines)]
    return [lines[a:b] for a, b in pairwise(bounds)]


def _dedent(block: list[str]) -> list[str]:
    margin = min(len(line) - len(line.lstrip()) for line in block)
    lines = [line[margin:].rstrip() for line in block]
    if not any(line.startswith(" ") for line in lines[1:]):
        lines[0] = lines[0].lstrip()  # a speech or a paragraph that opens with an indent
    return lines


def _capitals(lines: list[str]) -> float:
    """The share of lines after the first that begin with a capital."""
    rest = lines[1:]
    return sum(bool(_CAPITAL.match(line)) for line in rest) / len(rest)
