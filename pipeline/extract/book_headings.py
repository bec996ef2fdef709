"""Finds a book's headings: numbered ones, those its contents table names, and well-known names.

A heading is a short block of its own. Bare numerals count only where they run I, II, III, since a
dictionary has its letters alone on a line too.
"""

import re
from dataclasses import dataclass

from pipeline.extract.book_contents import CONTENTS, Entries, without_contents
from pipeline.extract.book_numbers import LONGEST_LINE, numbered_rank, numeral_value

#: "PARADISE LOST. BOOK X.", the poem's name before the number of its book.
_AFTER_NAME = re.compile(r"[A-ZÀ-Þ'’ ]{3,60}[.,:]? (?:BOOK|CANTO) (?:[IVXLC]+|\d{1,3})\.?$")
_NUMERAL = re.compile(r"([IVXLCDM]+|\d{1,3})\.?(?:$|[ ]+[A-Z“\"‘][^a-z]{3,70}$)")
#: "II. Papa is cross", where text follows; two in a row are points of a list.
_TITLED = re.compile(r"([IVXLCDM]+)\.[ ]+[A-ZÀ-Þ“\"«‘].{2,60}$")
_NAMED = re.compile(
    r"(?:THE )?(?:PROLOGUE|EPILOGUE|PRELUDE|FINALE|CONCLUSION|INTERLUDE|INDUCTION|PROLOG|EPILOG"
    r"|ÉPILOGUE)"
    r"[.:]?$",
    re.IGNORECASE,
)
#: Parts of a book that tell no story.
_MATTER = re.compile(
    r"(?:(?:THE )?(?:AUTHOR|EDITOR|PREPARER|TRANSLATOR|PUBLISHER|TRANSCRIBER)S?['’]?S?['’]? ?)?"
    r"(?:GENERAL )?(?:PREFACES?|FOREWORD|INTRODUCTION|INTRODUCTORY(?: NOTE)?|DEDICATION|NOTES?"
    r"|TO THE READER|AU LECTEUR|PRÉFACE|AVANT-PROPOS|VORWORT|LIST OF ILLUSTRATIONS|ILLUSTRATIONS"
    r"|LIST OF CHARACTERS|(?:THE )?ACTORS?['’]? NAMES|(?:THE )?NAMES OF (?:ALL )?THE ACTORS"
    r"|DRAMATIS PERSON[AÆ]E?|PERSONS REPRESENTED|CHARACTERS|INDEX|FOOTNOTES"
    r"|ENDNOTES|GLOSSARY|APPENDIX|BIBLIOGRAPHY|ERRATA|ADVERTISEMENTS?|CORRECTIONS"
    r"|NOTES? (?:DU|DE|AU) \w+(?: \w+)?)(?: TO THE \w+(?: \w+)?)?[.:]?$",
    re.IGNORECASE,
)
#: A name with the years of birth and death opens a note on the author.
_LIFE = re.compile(r"[A-ZÀ-Þ][^.;!?]{2,60}\(1\d{3} ?[-–—] ?1\d{3}\)")
_LAST_BLOCKS = 0.95
#: Lines of a heading with its title; more lines are a chapter that follows without a blank line.
_HEADING_LINES = 4
#: Bare numerals that run no further than this number nothing of note.
_SHORTEST_RUN = 3


@dataclass(frozen=True)
class Heading:
    """A heading in a list of blocks, and what kind of text it opens."""

    block: int
    rank: int  # 1: part or act, 2: chapter or scene
    title: str
    matter: bool = False  # preface, index and the like: no story


def find_headings(blocks: list[list[str]]) -> tuple[list[list[str]], list[Heading]]:
    """The blocks without a contents table, and their headings in order.

    Where a chapter follows its heading without a blank line, the two are parted.
    """
    blocks, entries = without_contents(_parted(blocks), _opens)
    headings = [h for i, block in enumerate(blocks) if (h := _heading(i, block, entries))]
    if not any(heading.rank == 2 and not heading.matter for heading in headings):
        headings += _numerals(blocks, {heading.block for heading in headings})
    headings += _about_the_author(blocks)
    return blocks, sorted(headings, key=lambda heading: heading.block)


def is_matter(title: str) -> bool:
    """Whether a heading is that of a preface, an index or another part that tells no story."""
    return bool(_MATTER.match(title) or CONTENTS.match(title))


def _parted(blocks: list[list[str]]) -> list[list[str]]:
    result = []
    for block in blocks:
        if len(block) > _HEADING_LINES and numbered_rank(block[0].strip()):
            result += [block[:1], block[1:]]
        else:
            result.append(block)
    return result


def _opens(block: list[str]) -> bool:
    """Whether the block is a heading whatever the contents table says."""
    return _heading(0, block, Entries()) is not None


def _heading(index: int, block: list[str], entries: Entries) -> Heading | None:
    lines = [line.strip() for line in block]
    title = " ".join(" ".join(lines).split())
    if len(lines) > _HEADING_LINES or len(title) > 2 * LONGEST_LINE:
        return None
    if rank := numbered_rank(lines[0]):
        return Heading(index, rank, title)
    if len(lines) <= 2 and _AFTER_NAME.match(title):
        return Heading(index, 1, title)
    if len(lines) == 1 and _NAMED.match(title):
        return Heading(index, 2, title)
    if len(lines) == 1 and _MATTER.match(title):
        return Heading(index, 2, title, matter=True)
    if len(lines) <= 2 and not title[0].islower() and entries.name(title):
        return Heading(index, 2, title)
    return None


def _about_the_author(blocks: list[list[str]]) -> list[Heading]:
    """The break, near the book's end, after which an editor tells the author's life."""
    first = max(1, int(len(blocks) * _LAST_BLOCKS))
    return [
        Heading(index - 1, 1, "About the author", matter=True)
        for index in range(first, len(blocks))
        if _LIFE.match(blocks[index][0]) and not re.search(r"\w", "".join(blocks[index - 1]))
    ][:1]


def _numerals(blocks: list[list[str]], taken: set[int]) -> list[Heading]:
    """Numerals alone in a block, or before a title, that run 1, 2, 3 …

    Of Roman and Arabic numerals the ones that run further are the chapters'; the others number a
    song's verses or a list. A misprinted numeral counts where the one after it goes on.
    """
    found: dict[bool, list[tuple[Heading, int]]] = {False: [], True: []}
    for index, block in enumerate(blocks):
        line = block[0].strip()
        match = _numeral(blocks, index) if index not in taken else None
        value = numeral_value(match[1]) if match else None
        if match and value is not None:
            found[match[1].isdigit()].append((Heading(index, 2, line), value))
    longest: list[Heading] = []
    furthest = _SHORTEST_RUN - 1
    for numerals in found.values():
        run, reached = _run(numerals)
        if reached > furthest:
            longest, furthest = run, reached
    return longest


def _numeral(blocks: list[list[str]], index: int) -> re.Match[str] | None:
    """The block's numeral, where it can be a chapter's."""
    if len(blocks[index]) > 1:
        return None
    line = blocks[index][0].strip()
    if match := _NUMERAL.match(line):
        return match
    around = [block[0].strip() for block in blocks[max(0, index - 1) : index + 2]]
    return _TITLED.match(line) if sum(map(bool, map(_TITLED.match, around))) == 1 else None


def _run(numerals: list[tuple[Heading, int]]) -> tuple[list[Heading], int]:
    """Those that run 1, 2, 3 …, perhaps more than once, and the furthest number reached."""
    run: list[Heading] = []
    last = furthest = 0
    for position, (heading, value) in enumerate(numerals, 1):
        if value == 1:
            last = 0
        goes_on = position < len(numerals) and numerals[position][1] == last + 2
        misprinted = last > 0 and goes_on
        if value == last + 1 or misprinted:
            run.append(heading)
            last += 1
            furthest = max(furthest, last)
    return run, furthest
