"""The bulk of the sample sites: articles and books around stories of the grammar.

Each article gets the furniture of its kind (infobox, captions, citations, cast, navigation), and
over the pages every live dialect of heading markup comes up, so that an extractor that knows only
one of them loses text that a test can miss.
"""

import random
from collections.abc import Iterator
from html import escape

from crawlers.samplesite.authored import PageText
from crawlers.samplesite.editions import Age, BookText
from crawlers.samplesite.grammar.narrator import Plot, Teller
from crawlers.samplesite.grammar.world import Person
from crawlers.samplesite.markup import TOC_MARK, Dialect
from crawlers.samplesite.wiki_html import link

SEED = "lanternday"
#: Genre of the grammar -> category, and how many films it has.
FILM_GENRES = {
    "superhero": "Superhero films",
    "mystery": "Mystery films",
    "horror": "Horror films",
    "scifi": "Science fiction films",
    "western": "Western films",
    "romance": "Romance films",
}
FILMS_A_GENRE = 24
COMICS = 16
GRAPHIC_NOVELS = 14
#: Series prefix -> last number, and the three who travel in it.
SERIES = {"LK": 90, "TT": 60}
_COMPANIES = {
    "LK": (("Odile", "Fenn", True, "patient"), ("Bram", "Osgood", False, "shy"),
           ("Tove", "Harrow", True, "proud")),
    "TT": (("Kit", "Marlowe", False, "curious"), ("Sunniva", "Dale", True, "practical"),
           ("Jago", "Penrose", False, "talkative")),
}  # fmt: skip
_PETS = {"LK": "Smudge", "TT": "Nib"}
INDEX = "List of animated series episodes"
#: Wikipedia is in the middle of a change of markup; so are these pages.
_DIALECTS = (Dialect.MODERN, Dialect.PARSOID, Dialect.MODERN, Dialect.MOBILE, Dialect.LEGACY,
             Dialect.LEGACY_129)  # fmt: skip
_PLOT_HEADINGS = ("Plot", "Plot", "Plot summary", "Synopsis", "Plot", "Premise", "Story",
                  "Storyline", "Summary", "Overview")  # fmt: skip
_ACTS = ("Act one", "Act two", "Act three", "Act four")


def episodes(taken: set[str]) -> Iterator[PageText]:
    """The episodes of both series but those written by hand, and the list that links to all."""
    titles: dict[str, str] = {}
    for prefix, last in SERIES.items():
        teller = Teller("lorakin", f"{SEED} {prefix}")
        for number in range(1, last + 1):
            name = f"{prefix}{number:03}"
            company = {
                role: Person(given, surname, female, "keeper", trait)
                for role, (given, surname, female, trait) in zip(
                    ("hero", "ally", "rival"), _COMPANIES[prefix], strict=True
                )
            }
            plot = teller.episode(teller.rng.randint(8, 12), company, _PETS[prefix])
            titles[name] = name if name in taken else plot.title
            if name not in taken:
                yield _episode(name, number, plot, teller.rng)
    rows = "".join(
        f"<tr><td>{link(name)}</td><td>{link(name, title)}</td></tr>\n"
        for name, title in titles.items()
    )
    yield PageText(
        INDEX,
        f'<p>All episodes.</p>\n<table class="roundy"><tbody>{rows}</tbody></table>\n',
    )


def _episode(name: str, number: int, plot: Plot, rng: random.Random) -> PageText:
    title, blurb = escape(plot.title), ""
    if rng.random() < 0.7:
        teaser = escape(plot.paragraphs[0].split(". ")[0])
        blurb = f"<h2>Blurb</h2>\n<p><i>{teaser}! Will the keepers find a way?\n</i></p>\n"
    thumb = (
        '<div class="thumb tright"><div class="thumbinner" style="width:222px;"><img alt="" '
        'src="/media/still.png" class="thumbimage" /><div class="thumbcaption"><div '
        'class="magnify"></div>The keepers reach '
        f"{escape(plot.town)}</div></div></div>\n"
    )
    at = rng.randrange(len(plot.paragraphs))
    told = "".join(
        (thumb if index == at else "") + f"<p>{_linked(paragraph, plot.town)}\n</p>\n"
        for index, paragraph in enumerate(plot.paragraphs)
    )
    guests = "".join(f"<li>{escape(person.partition(' as ')[0])}</li>" for person in plot.people)
    spoiler = (
        '<div style="display: grid; grid-template-columns: 32px 1fr 32px;"><div></div><div><b>'
        "Spoiler warning:</b> this article may contain major plot or ending details.</div></div>\n"
    )
    toc = TOC_MARK + "\n" if rng.random() < 0.8 else ""
    body = (
        f'<table class="roundy" style="float:right"><tbody><tr><th>{title}</th></tr><tr><td>'
        f"Episode {number}</td></tr></tbody></table>\n<p><b>{title}</b> is episode {number} of the "
        f"series. It is set in {escape(plot.town)}.\n</p>\n{spoiler}{toc}{blurb}<h2>Plot</h2>\n"
        f"{told}<h2>Major events</h2>\n<ul><li>The keepers visit {escape(plot.town)}.</li></ul>\n"
        f"<h2>Debuts</h2>\n<h3>Lorakín debuts</h3>\n<ul><li>{escape(plot.town)}</li></ul>\n"
        f"<h2>Characters</h2>\n<ul>{guests}</ul>\n"
    )
    return PageText(name, body, ("Lorakin episodes",), Dialect.LEGACY)


def films() -> Iterator[PageText]:
    """Films of each genre, and the comics and graphic novels of Cinder Wren."""
    taken: set[str] = set()
    for genre, category in FILM_GENRES.items():
        teller = Teller(genre, SEED)
        for index in range(FILMS_A_GENRE):
            year = 1950 + (index * 7 + len(genre)) % 74
            plot = teller.film(teller.rng.randint(13, 18))
            title = _free(plot.title, year, "film", taken)
            cinder = genre == "superhero" and "Cinder Wren" in title
            own = ("Cinder Wren films",) if cinder else ()
            categories = (category, f"{year // 10 * 10}s films", *own)
            yield _article(title, f"{year} {category[:-1].lower()}", plot, categories, index)
    teller = Teller("superhero", f"{SEED} in print")
    for index in range(COMICS + GRAPHIC_NOVELS):
        kind = "comic" if index < COMICS else "graphic novel"
        plot = teller.film(teller.rng.randint(10, 15), "graphic")
        title = _free(plot.title, 1990 + index, kind, taken)
        yield _article(title, f"{1990 + index} {kind}", plot, (f"Cinder Wren {kind}s",), index)


def _free(title: str, year: int, kind: str, taken: set[str]) -> str:
    """The title, told apart from others as Wikipedia does it."""
    for candidate in (title, f"{title} ({kind})", f"{title} ({year} {kind})"):
        if candidate not in taken:
            taken.add(candidate)
            return candidate
    return _free(f"{title} again", year, kind, taken)


def _article(
    title: str, what: str, plot: Plot, categories: tuple[str, ...], index: int
) -> PageText:
    heading = _PLOT_HEADINGS[index % len(_PLOT_HEADINGS)]
    name, town = escape(plot.title), escape(plot.town)
    note = ""
    if index % 4 == 1:
        note = (
            '<table class="box-More_citations_needed plainlinks metadata ambox" '
            'role="presentation"><tbody><tr><td class="mbox-text">This article <b>needs additional '
            "citations for verification</b>.</td></tr></tbody></table>\n"
        )
    hatnote = '<div role="note" class="hatnote">Not to be confused with the stage play.</div>\n'
    paragraphs = [
        f"<p>{_linked(paragraph, plot.town)}{_citation(number) if number % 3 == 1 else ''}\n</p>\n"
        for number, paragraph in enumerate(plot.paragraphs, start=1)
    ]
    if index % 3 == 0:  # some plots are told in acts
        step = -(-len(paragraphs) // len(_ACTS))
        paragraphs = [
            (f"<h3>{_ACTS[number // step]}</h3>\n" if number % step == 0 else "") + paragraph
            for number, paragraph in enumerate(paragraphs)
        ]
    figure = (
        '<figure typeof="mw:File/Thumb"><img src="/media/scene.jpg" /><figcaption>'
        f"{town}, as built for the production</figcaption></figure>\n"
    )
    paragraphs.insert(1, figure if index % 2 else "")
    cast = "".join(f"<li>{escape(person)}</li>" for person in plot.people)
    body = (
        f"{hatnote if index % 5 == 0 else ''}{note}"
        f'<table class="infobox vevent"><tbody><tr><th class="infobox-above">{name}</th></tr>'
        f'<tr><td class="infobox-data">{what}</td></tr></tbody></table>\n'
        f"<p><i><b>{name}</b></i> is a {what} set in {town}.{_citation(1)}\n</p>\n"
        f"{TOC_MARK if index % 2 else ''}<h2>{heading}</h2>\n{''.join(paragraphs)}"
        f"<h2>Cast</h2>\n<ul>{cast}</ul>\n<h2>Production</h2>\n"
        f"<p>The scenes in {town} were made in a studio.\n</p>\n<h2>References</h2>\n"
        '<div class="mw-references-wrap"><ol class="references"><li id="cite_note-1">'
        "<i>The Tallow Street Gazette</i>.</li></ol></div>\n"
        '<div role="navigation" class="navbox"><table><tbody><tr><th class="navbox-title">'
        f"{escape(categories[0])}</th></tr></tbody></table></div>\n"
    )
    return PageText(title, body, categories, _DIALECTS[index % len(_DIALECTS)])


def _linked(paragraph: str, town: str) -> str:
    """A paragraph as HTML, the first mention of the town a link."""
    return escape(paragraph, quote=False).replace(escape(town), link(town), 1)


def _citation(number: int) -> str:
    return (
        f'<sup id="cite_ref-{number}" class="reference"><a href="#cite_note-{number}">'
        f"&#91;{number}&#93;</a></sup>"
    )


#: The volumes of the series: the age of the file each comes in, in the order of the titles.
_AGES = (Age.MODERN, Age.THIS_PROJECT, Age.SMALL_PRINT, Age.LATIN_1, Age.MODERN, Age.BARE_CR,
         Age.CP1252)  # fmt: skip
CHAPTERS = 24
_ROMAN = ((10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))


def novels() -> Iterator[BookText]:
    """The seven volumes of The Nine Bells, by Maud Harrowgate."""
    teller = Teller("fantasy", SEED, prose=True)
    for volume, (title, age) in enumerate(zip(teller.titles("book"), _AGES, strict=True), start=1):
        chapters = list(teller.chapters(CHAPTERS))
        yield BookText(80 + volume, title, "Maud Harrowgate", _volume(title, chapters), age)


def _volume(title: str, chapters: list[tuple[str, list[str]]]) -> str:
    numbered = [
        (_roman(number), name, paragraphs)
        for number, (name, paragraphs) in enumerate(chapters, start=1)
    ]
    contents = "\n".join(f" {number:>6}. {name}" for number, name, _ in numbered)
    parts = [
        "cover",
        f"[Illustration: {title}, with a view of the abbey,\nthe marsh, and the ninth bell]",
        title.upper(),
        "By Maud Harrowgate",
        f"CONTENTS\n\n{contents}",
    ]
    for number, name, paragraphs in numbered:
        parts.append(f"\n\nCHAPTER {number}.\n{name.upper()}")
        parts += paragraphs
    parts.append("\n\nTHE END")
    parts.append(
        "[Transcriber's Note: the spelling of the proper names has been left as\nit was found.]"
    )
    return "\n\n".join(parts)


def _roman(number: int) -> str:
    letters = ""
    for value, letter in _ROMAN:
        while number >= value:
            letters += letter
            number -= value
    return letters
