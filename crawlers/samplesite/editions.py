"""Puts a text between the boilerplate of one age of Gutenberg's files, in that age's encoding.

Each edition is a trap that old files really set: small print of the 1990s with no START marker,
"THIS PROJECT", credits after START, a byte order mark, CRLF and bare CR, Latin-1 and cp1252. The
wording is our own, in the manner of the original; only the marker lines are the real ones, since
they are what an extractor looks for.
"""

from dataclasses import dataclass
from enum import Enum
from textwrap import fill

from crawlers.samplesite.library import zipped

#: Typographic marks that Latin-1 and ASCII do not have.
_PLAIN = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "—": "--"})
#: Old files are set within this many columns.
COLUMNS = 70


class Age(Enum):
    """Which generation of files an edition imitates."""

    MODERN = "modern"  # pgN.txt and N-0.txt: byte order mark, CRLF, uniform header
    THIS_PROJECT = "this project"  # 2005 to 2015, UTF-8, credits after START
    LATIN_1 = "latin-1"  # N-8.txt, credits after START
    CP1252 = "cp1252"  # N-8.txt declared Latin-1, with typographic quotes of Windows
    SMALL_PRINT = "small print"  # N.txt of the 1990s: licence in front, no START marker
    BARE_CR = "bare cr"  # line ends of the old Macintosh


@dataclass(frozen=True)
class BookText:
    """A book before it is put into an edition. `text` has one line a paragraph of prose.

    Paragraphs are separated by a blank line; those that hold line breaks (verse, tables, headings)
    are kept as they are set.
    """

    number: int
    title: str
    author: str  # as on the title page: Maud Harrowgate
    text: str
    age: Age = Age.MODERN
    language: str = "English"


def wrapped(text: str) -> str:
    """The text hard-wrapped; paragraphs with line breaks of their own are left alone."""
    paragraphs = text.strip("\n").split("\n\n")
    return "\n\n".join(
        paragraph if "\n" in paragraph else fill(paragraph, COLUMNS, break_on_hyphens=False)
        for paragraph in paragraphs
    )


def files(book: BookText) -> dict[str, bytes]:
    """The book's files by name, a zip for the harvest among them."""
    number = book.number
    text = _EDITIONS[book.age](book)
    match book.age:
        case Age.MODERN:
            body = text.replace("\n", "\r\n").encode("utf-8-sig")
            found = {f"pg{number}.txt": body, f"{number}-0.txt": body}
        case Age.THIS_PROJECT:
            found = {f"{number}-0.txt": text.replace("\n", "\r\n").encode("utf-8")}
        case Age.LATIN_1:
            found = {
                f"{number}-8.txt": text.replace("\n", "\r\n").translate(_PLAIN).encode("latin-1")
            }
        case Age.CP1252:
            found = {f"{number}-8.txt": text.replace("\n", "\r\n").encode("cp1252")}
        case Age.SMALL_PRINT:
            found = {f"{number}.txt": text.replace("\n", "\r\n").translate(_PLAIN).encode("ascii")}
        case Age.BARE_CR:
            found = {f"{number}-0.txt": text.replace("\n", "\r").encode("utf-8")}
    name, body = list(found.items())[-1]
    return {**found, f"{number}.zip": zipped(name, body)}


def _modern(book: BookText) -> str:
    upper = book.title.upper()
    return f"""\
The Project Gutenberg eBook of {book.title}

This is a sample eBook, made for trying out software. You may copy it,
give it away or change it as you like, on any shore and in any weather;
nobody will ask you for anything. If you think that it is a real book,
please look at the top of this page again.

Title: {book.title}

Author: {book.author}

Release date: January 5, 2026 [eBook #{book.number}]
                Most recently updated: January 19, 2026

Language: {book.language}

Credits: Produced by the lamp-oil committee of Saltmarsh Hollow


*** START OF THE PROJECT GUTENBERG EBOOK {upper} ***




{wrapped(book.text)}




*** END OF THE PROJECT GUTENBERG EBOOK {upper} ***

{_LICENCE}"""


def _this_project(book: BookText) -> str:
    upper = book.title.upper()
    return f"""\
The Project Gutenberg EBook of {book.title}, by {book.author}

This eBook is for the use of anybody who wants to try a program on it, at
no cost and with no strings. You may copy it and pass it on.


Title: {book.title}

Author: {book.author}

Release Date: March 2, 2009 [EBook #{book.number}]

Language: {book.language}

Character set encoding: {_CHARSETS.get(book.age, "UTF-8")}

*** START OF THIS PROJECT GUTENBERG EBOOK {upper} ***




Produced by the lamp-oil committee of Saltmarsh Hollow and the
Online Distributed Proofwriting Team





{wrapped(book.text)}





End of the Project Gutenberg EBook of {book.title}, by {book.author}

*** END OF THIS PROJECT GUTENBERG EBOOK {upper} ***

***** This file should be named {book.number}-0.txt or {book.number}-0.zip *****

{_LICENCE}"""


def _small_print(book: BookText) -> str:
    return f"""\
The Project Gutenberg Etext of {book.title}, by {book.author}

Please take a look at the small print below before you copy this file.
It was written by people who had no lawyers.

Title: {book.title}

Author: {book.author}

November, 1996  [Etext #{book.number}]

**The Project Gutenberg Etext of {book.title}**
*****This file should be named smpl{book.number}10.txt or smpl{book.number}10.zip******

***START**THE SMALL PRINT!**FOR PUBLIC DOMAIN ETEXTS**START***
Why is there small print at all? Because a program that reads this file
must be able to find its end. You may keep this etext, print it, read it
aloud at sea, or lose it. If it breaks your software, the fault lies with
your software.
*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*





{wrapped(book.text)}





End of The Project Gutenberg Etext of {book.title}, by {book.author}
"""


_EDITIONS = {
    Age.MODERN: _modern,
    Age.THIS_PROJECT: _this_project,
    Age.LATIN_1: _this_project,
    Age.CP1252: _this_project,
    Age.SMALL_PRINT: _small_print,
    Age.BARE_CR: _this_project,
}
_CHARSETS = {Age.LATIN_1: "ISO-8859-1", Age.CP1252: "ISO-8859-1"}

_LICENCE = """\
*** START: FULL LICENSE ***

THE FULL PROJECT GUTENBERG LICENSE, SAMPLE VERSION
PLEASE READ THIS OR DO NOT, AS YOU PREFER

Section 1. What you may do with this sample

1.A. Everything. The text above was written for a software project and its
authors have waived their rights in it (CC0 1.0).

1.B. The name at the head of this file belongs to others. It stands there
because programs look for it; nobody of that name has had a hand in this.

Section 2. What we promise

2.A. Nothing, except that somebody has read it once from beginning to end.

Section 3. Donations

3.A. If you have lamp oil to spare, leave it on a doorstep.

*** END: FULL LICENSE ***
"""
