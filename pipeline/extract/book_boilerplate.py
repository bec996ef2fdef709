"""Cuts Project Gutenberg's header, licence and credits off a book.

The wording has changed since 1991 and with the language; the phrases here are those of the files
themselves, and the lists kept by the packages `gutenberg` (C. Wolff) and `gutenbergr`. What a cut
misses is caught last: no story names Project Gutenberg, so a paragraph that does is boilerplate
wherever it stands.
"""

import re
from dataclasses import dataclass

#: Project, Projekt, Projet, Proyecto, Projecto, Projeto, Progetto.
_PG = r"Pro(?:je[ck]?to?|yecto|getto)\s+Gutenberg"
#: The line after which the book begins. A long title can run on to the next line.
_START = re.compile(
    r"^[ \t]*\*{2,3} ?(?:START|BEGINNING|D[ÉE]BUT|BEGINN|ANFANG|IN[ÍI]CIO|INIZIO)\b"
    rf"[^\n]*{_PG}"
    r"(?:[^\n*]|\n(?!\n))*(?:\*+[^\n]*)?$"
    # The small print of 1991 to 2003; its own START line is not the book's.
    r"|^[ \t]*\*END\*? ?THE SMALL PRINT![^\n]*(?:\n[^\n]*\*END\*[ \t]*)?$"
    r"|^[ \t]*\*{2,4} *END SMALL PRINT[^\n]*$",
    re.MULTILINE | re.IGNORECASE,
)
#: The line at which the book has ended.
_END = re.compile(
    rf"^[ \t]*\*{{2,3}} ?(?:END|FIN|ENDE|EINDE|FINE|FIM)\b[^\n]*{_PG}"
    rf"|^[ \t]*(?:END|The END) OF (?:THE |THIS )?{_PG}"
    rf"|^[ \t]*End of (?:the |this )?(?:etext|e-text|ebook)\b[^\n]*{_PG}"
    rf"|^[ \t]*Fi[nm] d(?:e|u|el|o) (?:ce |l'e-?text de |la |etext d[eo] )?{_PG}"
    rf"|^[ \t]*Ende? (?:dieses?|des) {_PG}"
    rf"|^[ \t]*Einde van (?:dit |het )?{_PG}|^[ \t]*Fine (?:di |del |dell')[^\n]*{_PG}"
    r"|^[ \t]*\*\*\*START\*\*THE SMALL PRINT!|^[ \t]*\*\*\* ?START: FULL LICENSE",
    re.MULTILINE | re.IGNORECASE,
)
_FIELD = re.compile(
    r"^(?:Title|Titre|Titel|Titolo|T[íi]tulo): *(\S[^\n]*(?:\n[ \t]+\S[^\n]*)*)", re.MULTILINE
)
_LANGUAGE = re.compile(
    r"^(?:Language|Langue|Sprache|Lingua|Idioma|L[íi]ngua|Taal|Kieli|Spr[åa]k): *(\S[^\n]{0,100})",
    re.MULTILINE,
)
#: The first line of old files: "The Project Gutenberg Etext of The Lamp, by Ann Other".
_FIRST_LINE = re.compile(
    r"\A\W*(?:The )?Project Gutenberg(?:['’]s (?!E-?(?:text|book))| E-?(?:text|book),? (?:of )?)"
    r"([^\n*]{1,200}?)(?:,? by [^\n]*|[\s*]*)$",
    re.MULTILINE | re.IGNORECASE,
)
#: Only the header is searched for fields and start lines, so that a long book costs nothing.
_HEADER_CHARACTERS = 60_000

_BOILERPLATE = re.compile(
    rf"{_PG}|gutenberg\.(?:org|net)|gutenberg\.pglaf|pgdp\.net|Distributed\s+Proofread",
    re.IGNORECASE,
)
#: Who made the etext; it opens a paragraph, before START in new files and after it in old ones.
_CREDIT = re.compile(
    r"\W{0,3}(?:(?:Produced|Prepared|Transcribed|Scanned|Digiti[sz]ed|Proofread|Proofed|Entered"
    r"|Typed|Converted|Created|Updated|Etexted|Keyed)(?:,? (?:and|&) \w+)*(?:,? from [^\n]{1,80})?"
    r"(?: in [^\n]{1,20})?:? (?:by|at)\b|Produced by:|Credits?:|HTML version by|Updated editions"
    r"|(?:This )?(?:e-?text|e-?book|electronic (?:text|edition)|file|edition)"
    r"(?: edition)? (?:was |has been |is )?(?:first |originally )?"
    r"(?:prepared|produced|scanned|created|transcribed|typed|made|provided|entered|converted)\b"
    r"|(?:Document|Texte) (?:produit|pr[ée]par[ée]) par|Ce document f[uû]t pr[ée]sent[ée]"
    r"|Dieser? (?:Text|etext) (?:wurde|ist)\b.{0,40}erstellt|http://www\.|\(?This file was"
    r"|(?:Note: )?Images (?:of the original pages|generously)"
    r"|Transcriber['’]?s?['’]? (?:Note|Comment)s?\W+\w|Note (?:du|de la) transcript\w+\W+\w"
    r"|Anmerkung(?:en)? zur Transkription\W+\w"
    r"|Character set encoding|\[?(?:e-?text|ebook) #?\d)",
    re.IGNORECASE,
)
#: A transcriber's note in a frame of signs.
_FRAMED_NOTE = re.compile(
    r"\s*\+[-=+]{5,}\s*\n(?:[ \t]*\|[^\n]*\n){0,100}?[ \t]*\|[^\n]*\bTranscriber", re.IGNORECASE
)
#: Credits stand among the first and last paragraphs only; inside a book they would be story.
_EDGE_PARAGRAPHS = 12


@dataclass(frozen=True)
class Stripped:
    """A book without its boilerplate, and what its header says of it."""

    text: str
    title: str | None
    language: str | None = None  # as written, e.g. "English, French"


def strip_boilerplate(text: str) -> Stripped:
    """The book's own text. Without any marker the whole is taken for the book."""
    header = text[:_HEADER_CHARACTERS]
    starts = [match.end() for match in _START.finditer(header)]
    end = next(
        (m.start() for m in _END.finditer(text, starts[0] if starts else 0)
         if starts or m.start() > len(text) // 2),
        len(text),
    )  # fmt: skip
    # A file of 2000 to 2003 may have both a small print and a START line: the later one counts.
    start = max((position for position in starts if position <= end), default=0)
    field = _FIELD.search(header[:start]) or _FIRST_LINE.search(header[:start])
    title = " ".join(field[1].split()) if field else None
    language = _LANGUAGE.search(header[:start])
    return Stripped(
        _without_credits(text[start:end]), title, language[1].strip() if language else None
    )


def _without_credits(text: str) -> str:
    paragraphs = re.split(r"\n[ \t]*\n", text.strip("\n"))
    last = len(paragraphs) - _EDGE_PARAGRAPHS
    kept = []
    for index, paragraph in enumerate(paragraphs):
        at_edge = index < _EDGE_PARAGRAPHS or index >= last
        if _BOILERPLATE.search(paragraph) or (at_edge and _CREDIT.match(paragraph.strip())):
            continue
        if at_edge and _FRAMED_NOTE.match(f"{paragraph}\n"):
            continue
        if index < _EDGE_PARAGRAPHS and paragraph.strip().lower() == "cover":
            continue  # the alternative text of the HTML edition's cover
        kept.append(paragraph)
    return "\n\n".join(kept)
