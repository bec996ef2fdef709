"""Text under headings of several levels -> chapters, for files whose markup tells the levels.

Which level is the chapters' is not said anywhere: a part may hold chapters, a chapter scenes. It is
the level that holds most of the text directly; what stands above names the part, and what stands
below belongs to its chapter.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lxml import html

from pipeline.extract.book_headings import is_matter
from pipeline.extract.book_layout import SCENE_BREAK
from pipeline.extract.chapters import Chapter, joined
from pipeline.extract.wiki_prose import prose_of

#: What tells no story, beside what a plain-text book heads so.
_MATTER_TITLE = re.compile(
    r"(?:cover|(?:half[- ]?)?title ?page|copyright(?: (?:page|notice|information))?|colophon"
    r"|imprint|uncopyright|dedication|acknowledge?ments?|about (?:the|this) .{1,40}|also by .{1,80}"
    r"|(?:other )?(?:books|works|titles) by .{1,80}|landmarks|end ?notes|transcriber.{0,3} notes?"
    r"|the full project gutenberg.{0,30}|newsletter.{0,40}|licen[cs]e)\W*$",
    re.IGNORECASE,
)
#: A level with fewer headings than this is no chapters', but a title's.
_FEWEST = 2
#: Front matter beyond this share of a text is the text.
_MATTER_SHARE = 0.2
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
#: Stands for a heading while the text is taken out of its markup; a character without a meaning.
_MARK = "\ue000"
_LONGEST_TITLE = 200
#: Of a heading with its blanks; one inside another repeats it.
_LONGEST_HEADING = 10_000


@dataclass(frozen=True)
class Section:
    """A heading and what follows it up to the next of any level."""

    level: int  # 1 is the highest
    title: str | None  # None: there is no heading
    text: str
    matter: bool = False


def chapters(sections: Sequence[Section]) -> list[Chapter]:
    """The sections gathered into chapters, in order; empty ones are left out."""
    level = _chapter_level(sections)
    gathered: list[tuple[str | None, list[str], bool]] = []
    said = False  # of the last one, whether its kind says that it is no story
    above: dict[int, str] = {}
    for section in sections:
        if section.title is None or section.level > level:
            if gathered and section.matter == said:
                gathered[-1][1].append(section.text)
            else:
                gathered.append((None, [section.text], section.matter))
                said = section.matter
            continue
        above = {rank: name for rank, name in above.items() if rank < section.level}
        title = ", ".join([*above.values(), section.title])[:_LONGEST_TITLE]
        matter = section.matter or tells_no_story(section.title)
        gathered.append((title, [section.text], matter))
        said = section.matter
        if section.level < level and not matter:
            above[section.level] = section.title
    total = sum(len(section.text) for section in sections)
    return [
        Chapter(title, text, matter and len(text) < _MATTER_SHARE * total)
        for title, texts, matter in gathered
        if (text := joined("\n\n".join(filter(None, texts)).split("\n\n")))
    ]


def without_title(sections: Sequence[Section]) -> tuple[str | None, list[Section]]:
    """The one heading above all others, which names the whole, and the sections without it."""
    headed = [section for section in sections if section.title is not None]
    if not headed or any(section.level <= headed[0].level for section in headed[1:]):
        return None, list(sections)
    first = headed[0]
    return first.title, [
        Section(first.level, None, first.text) if section is first else section
        for section in sections
    ]


def tells_no_story(title: str) -> bool:
    """Whether a heading is that of a preface, a copyright page or the like."""
    return bool(_MATTER_TITLE.match(title)) or is_matter(title)


def texts_between(root: Any, boundaries: Sequence[Any]) -> list[str | None]:
    """The prose of an element before, between and after elements below it, in document order.

    None after a boundary that stands where no prose is, such as a contents table: the text goes on.
    Changes the tree.
    """
    for line in list(root.iter("hr")):
        line.tag, line.text = "p", SCENE_BREAK
    for number, element in enumerate(boundaries):
        if element.tag in HEADINGS:  # it would go anyway, one by one, which takes long for many
            del element[:]
            mark = element
            mark.tag = "p"
        else:
            mark = html.Element("p")
            element.addprevious(mark)
        mark.text = f"{_MARK}{number}{_MARK}"
    texts: list[str | None] = [""] + [None] * len(boundaries)
    current = 0
    for index, part in enumerate(prose_of([root]).split(_MARK)):
        if index % 2:
            current = int(part) + 1
            texts[current] = ""
        else:
            texts[current] = f"{texts[current] or ''}{part}".strip()
    return texts


def without_marks(text: str) -> str:
    """Text in which nothing is taken for a mark of ours."""
    return text.replace(_MARK, "")


def heading_text(element: Any) -> str:
    """A heading's words, on one line. Changes the tree, where a line ends in it."""
    for line_end in element.iter("br"):
        line_end.tail = f" {line_end.tail or ''}"
    return " ".join("".join(element.itertext())[:_LONGEST_HEADING].split())[:_LONGEST_TITLE]


def _chapter_level(sections: Sequence[Section]) -> int:
    headed = [section for section in sections if section.title is not None]
    number = Counter(section.level for section in headed)
    size: Counter[int] = Counter()
    for section in headed:
        size[section.level] += len(section.text)
    levels = [level for level in size if number[level] >= _FEWEST]
    return max(levels, key=lambda level: (size[level], -level), default=1)
