"""Takes a book's title page off: the title, its second line, and who wrote it.

Where a book has chapters its title page is front matter and left out by itself; here are the
others, a poem or an unbroken novel, whose first lines it would be. The byline tells: without one
nothing is taken.
"""

import re

from pipeline.extract.book_numbers import numbered_rank

#: "by Ann Other", and nothing after it.
_BYLINE = re.compile(
    r"(?i:by|par|von|door|di)(?:\s+(?:[(A-ZÀ-Þ][\w.'’-]*[,)]?|de|von|van|the)){2,7}$"
)
#: Blocks before the byline: a title, and perhaps another.
_MOST_TITLES = 2
_LONGEST_TITLE = 100


def without_title_page(blocks: list[list[str]]) -> tuple[list[list[str]], str | None]:
    """The blocks after the byline, and the title as `comparable_title` gives it; else as given."""
    for index in range(1, min(_MOST_TITLES + 1, len(blocks))):
        titles = blocks[:index]
        byline = " ".join(blocks[index])
        if not all(_can_be_title(block) for block in titles):
            break
        if _BYLINE.match(byline.strip()):
            return blocks[index + 1 :], comparable_title(titles[0])
    return blocks, None


def comparable_title(block: list[str]) -> str:
    """A title without case and punctuation."""
    return " ".join(re.findall(r"\w+", " ".join(block).casefold()))


def _can_be_title(block: list[str]) -> bool:
    length = len(" ".join(block))
    return length <= _LONGEST_TITLE and not numbered_rank(block[0].strip())
