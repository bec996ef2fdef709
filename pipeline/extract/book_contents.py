"""Takes a book's contents table out, and keeps its entries: by them the chapters are found again.

The table ends before the first block that repeats an entry, by title or by number: the table may
say "I. Nine Bones" and the chapter "CHAPTER THE FIRST", or its title alone. Whatever repeats
nothing must look like entries, so that no prose goes with the table.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from pipeline.extract.book_numbers import keyword_number, number_value, numbered_rank

CONTENTS = re.compile(
    r"(?:TABLE OF )?CONTENTS[.:]?$|TABLE DES MATI[ÈE]RES[.:]?$|TABLE[.:]?$|INHALT[.:]?$"
    r"|INHALTSVERZEICHNIS[.:]?$",
    re.IGNORECASE,
)
#: A longer line is a paragraph, but where a number opens it or a page ends it.
_LONGEST_ENTRY = 80
#: A sentence of so many words on one or two lines is one of the story's.
_SENTENCE_WORDS = 12
#: Three lines of prose make a paragraph; two may be an entry that runs on.
_PROSE_LINES = 3
#: From a leader's first dot only: from each of them, a long leader would take forever.
_PAGE = re.compile(r"(?<![\s.])[\s.]*\b\d{1,4}\s*$")
_BARE = re.compile(r"([IVXLC]+|\d{1,3})(?:[.:)]+|(?=\s)|(?=[—–-])|$)")
_SENTENCE_END = re.compile(r"[.!?][\"”’')]?$")
#: A title in English has capitals but in its small words.
_SMALL_WORD = re.compile(r"(?<!\w)[a-zß-ÿ]{4}")
#: From so many entries a table's manner of writing shows.
_FEWEST_ENTRIES = 2


@dataclass(frozen=True)
class Entry:
    """A line of a contents table, or a heading: its keyword, its number and its title."""

    keyword: str  # "chapter", "part"; "" for a bare numeral
    number: int | None
    title: str  # without case and punctuation


@dataclass
class Entries:
    """What contents tables name, as written and comparable."""

    written: set[str] = field(default_factory=set)
    titles: set[str] = field(default_factory=set)

    def add(self, line: str) -> None:
        """Learn a line of a table: with its number, its title and page, and without."""
        line = " ".join(line.split())
        title = _title(line)
        self.written |= {line, _PAGE.sub("", line), title} - {""}
        self.titles |= {_comparable(_PAGE.sub("", line)), _comparable(title)} - {""}

    def name(self, title: str) -> bool:
        """Whether a table names this heading: as written, in capitals, or beside a number."""
        entry = read_entry(title)
        return (
            title in self.written
            or (title.isupper() and bool({_comparable(title), entry.title} & self.titles))
            or (entry.number is not None and entry.title in self.titles)
        )


def without_contents(
    blocks: list[list[str]], opens: Callable[[list[str]], bool]
) -> tuple[list[list[str]], Entries]:
    """The blocks without contents tables, and the tables' entries.

    `opens` tells a block that is a heading by itself, as "CHAPTER I." and "PREFACE" are.
    """
    kept: list[list[str]] = []
    entries = Entries()
    table: _Table | None = None
    for index, block in enumerate(blocks):
        lines = block
        if CONTENTS.match(block[0].strip()):
            table, lines = _Table(), block[1:]
        elif table:
            told = index + 1 < len(blocks) and not table.can_hold(blocks[index + 1])
            ends = not table.can_hold(block) or table.repeats(block, told)
            if ends or (told and len(block) <= 2 and opens(block)):
                table = None
        if table is None:
            kept.append(block)
            continue
        for line in lines:
            table.add(line)
            if len(line.strip()) <= _LONGEST_ENTRY:
                entries.add(line)
    return kept, entries


def _look_like_entries(block: list[str]) -> bool:
    """Whether a block can be lines of a table: short, and no sentences of the story."""
    if is_prose(block):
        return False
    lines = [" ".join(line.split()) for line in block]
    if any(len(line) > _LONGEST_ENTRY and not _marked(line) for line in lines):
        return False
    text = " ".join(lines)
    sentence = _SENTENCE_END.search(text) and len(text.split()) >= _SENTENCE_WORDS
    return not (len(block) < _PROSE_LINES and sentence and not _marked(text))


def is_prose(block: list[str]) -> bool:
    """Whether a block is a wrapped paragraph: its lines go on with small letters."""
    lower = sum(line.lstrip()[:1].islower() for line in block[1:])
    return len(block) >= _PROSE_LINES and lower >= (len(block) - 1) / 2


def read_entry(line: str) -> Entry:
    """A line of a table or a heading taken apart."""
    line = " ".join(line.split())
    if found := keyword_number(line):
        return Entry(found[0], number_value(found[1]), _comparable(_title(line)))
    bare = _BARE.match(line)
    return Entry("", number_value(bare[1]) if bare else None, _comparable(_title(line)))


class _Table:
    """The entries of the table now read, by part: in each, chapters may begin at I again."""

    def __init__(self) -> None:
        self._titles: set[str] = set()
        self._numbers: set[tuple[str, int]] = set()
        self._parts: set[tuple[str, int]] = set()
        self._lines = 0
        self._sentences = False  # some entries without number or page are sentences

    def can_hold(self, block: list[str]) -> bool:
        """Whether the block can be entries; in a table of titles a sentence is none."""
        if not _look_like_entries(block):
            return False
        return self._sentences or self._lines < _FEWEST_ENTRIES or not _is_sentence(block)

    def add(self, line: str) -> None:
        self._lines += 1
        self._sentences = self._sentences or _is_sentence([line])
        entry = read_entry(line)
        if len(entry.title) > 1:
            self._titles.add(entry.title)
        if entry.number is None:
            return
        if numbered_rank(line.strip()) == 1:
            self._parts.add((entry.keyword, entry.number))
            self._numbers.clear()
        else:
            self._numbers.add((entry.keyword, entry.number))

    def repeats(self, block: list[str], told: bool) -> bool:
        """Whether the block is the heading of an entry. `told`: prose follows it."""
        heading, whole = read_entry(block[0]), read_entry(" ".join(block))
        if {heading.title, whole.title} & self._titles:
            return True
        if heading.number is None:
            return False
        if numbered_rank(block[0].strip()) == 1:
            # A table of parts begins with one; chapters before it are of a table without.
            begun = bool(self._numbers) and not self._parts
            return begun or (heading.keyword, heading.number) in self._parts
        known = {word for word, number in self._numbers if number == heading.number}
        if heading.keyword and heading.keyword not in known and "" not in known:
            return False
        # With another title it may be the chapter of another part, unless its text follows.
        return bool(known) and (not heading.title or told)


def _is_sentence(block: list[str]) -> bool:
    """Whether an unnumbered block without a page ends as a sentence does, and is no title."""
    text = " ".join(" ".join(block).split())
    ended = bool(_SENTENCE_END.search(text) and _SMALL_WORD.search(text))
    return ended and not any(_marked(line.strip()) for line in block)


def _marked(line: str) -> bool:
    """Whether a number opens the line or a page ends it."""
    return bool(keyword_number(line) or _BARE.match(line) or _PAGE.search(line))


def _title(line: str) -> str:
    """A line without its number, its leaders and its page."""
    if found := keyword_number(line):
        line = line[found[2] :]
    elif bare := _BARE.match(line):
        line = line[bare.end() :]
    return _PAGE.sub("", line).strip().lstrip(".:,;—–- ").strip()


def _comparable(line: str) -> str:
    return re.sub(r"[\W_]+", " ", line).strip().casefold()
