"""What is served: every known markup trap, enough of it, and English worth learning from."""

import html
import lzma
import re
from itertools import combinations

import pytest

from crawlers.franchise import load_franchise
from crawlers.samplesite import SampleSites, content_hashes
from crawlers.samplesite.bundle import bundled_sites
from crawlers.samplesite.grammar.english import Tense, anterior, conjugate, tidy
from crawlers.samplesite.wiki_html import path_of

WIKI_TRAPS = {
    "legacy heading": r'<h2><span class="mw-headline" id="Plot">Plot</span><span class="mw-edits',
    "1.43 heading": r'<div class="mw-heading mw-heading2"><h2 id="Plot">',
    "Parsoid section": r'<section data-mw-section-id="\d+" id="mwS\d+"><h2 id="',
    "nested Parsoid section": r'data-mw-section-id="\d+" id="mwS\d+"><h3 id=',
    "mobile section": r'<section class="mf-section-1 collapsible-block"',
    "no parser output (1.29)": r'<div id="mw-content-text"[^>]*>(?!<div class="mw-)',
    "parser output, second class": r'class="mw-content-ltr mw-parser-output"',
    "non-ASCII heading": r'<span id="Lorak\.C3\.ADn_debuts"></span><span class="mw-headline"',
    "title of the contents": r'<h2 id="mw-toc-heading">Contents</h2>',
    "reference": r'<sup[^>]*class="reference"',
    "Parsoid reference": r'<sup[^>]*class="mw-ref',
    "[edit | edit source]": r">edit source</a>",
    "thumb left": r'<div class="thumb tleft">',
    "thumb right": r'<div class="thumb tright">',
    "figure": r"<figcaption>",
    "hatnote": r'class="hatnote',
    "hatnote of Bulbapedia": r"<dl><dd><i>",
    "quality notice": r"does not yet meet the quality standards",
    "incomplete section": r"This section is incomplete",
    "maintenance box": r'class="box-[^"]* ambox',
    "spoiler grid": r'<div style="display: grid',
    "infobox": r'<table class="infobox',
    "roundy infobox": r'<table class="roundy"',
    "portable infobox": r'<aside [^>]*portable-infobox[^>]*><h2 class="pi-item pi-title"',
    "TemplateStyles": r"<style data-mw-deduplicate",
    "navbox": r'class="navbox',
    "empty element": r'class="mw-empty-elt"',
    "coordinates": r'id="coordinates"',
    "citation needed": r"citation needed",
    "IPA": r'class="IPA',
    "audio": r"ext-phonos",
    "episode table": r'<td class="description"',
    "sub-headings of a plot": r'id="Act_two"',
    "blurb": r'id="Blurb"',
    "lazy image": r'src="data:image',
}
BOOK_TRAPS = {
    "byte order mark": rb"\A\xef\xbb\xbf",
    "CRLF": rb"\r\n\r\n",
    "bare CR": rb"[^\n]\r\r[^\n]",
    "modern START": rb"\*\*\* START OF THE PROJECT GUTENBERG EBOOK",
    "THIS PROJECT": rb"\*\*\* START OF THIS PROJECT GUTENBERG EBOOK",
    "END": rb"\*\*\* END OF TH(E|IS) PROJECT GUTENBERG EBOOK",
    "small print": rb"\*\*\*START\*\*THE SMALL PRINT!",
    "end of the 1990s": rb"End of The Project Gutenberg Etext",
    "credits after START": rb"START OF THIS[^\r\n]*\s+Produced by",
    "credits before START": rb"Produced by[^*]*\*\*\* START OF THE",
    "illustration over lines": rb"\[Illustration: [^\]]*[\r\n][^\]]*\]",
    "stray cover": rb"[\r\n]cover[\r\n]",
    "contents": rb"CONTENTS",
    "transcriber's note": rb"\[Transcriber.s Note:",
    "italics": rb"_[A-Z][^_]*_",
    "cp1252 quotes": rb"\x93[A-Z]",
    "Latin-1": rb"ISO-8859-1",
}


@pytest.fixture(scope="module")
def pages():
    from crawlers.samplesite.exchange import Request

    return [
        site.answer(Request("GET", path_of(page.title))).body.decode()
        for site in bundled_sites()[:2]
        for page in site.wiki.pages()
        if page.namespace == 0
    ]


@pytest.fixture(scope="module")
def books():
    library = bundled_sites()[2]
    return {
        book.number: list(book.files.values())[-2 if len(book.files) > 1 else -1]
        for book in library.books.values()
    }


@pytest.mark.parametrize("trap", WIKI_TRAPS)
def test_every_markup_trap_of_the_wikis_is_served(pages, trap):
    assert any(re.search(WIKI_TRAPS[trap], page) for page in pages)


@pytest.mark.parametrize("trap", BOOK_TRAPS)
def test_every_trap_of_old_book_files_is_served(books, trap):
    assert any(re.search(BOOK_TRAPS[trap], body) for body in books.values())


def test_some_episodes_have_no_blurb_and_some_no_contents(pages):
    episodes = [page for page in pages if '"wgPageName":"LK' in page]
    for mark in ('id="Blurb"', 'id="toc"'):
        having = sum(mark in page for page in episodes)
        assert 0 < having < len(episodes)


_PLOT = re.compile(
    r"<h2>(?:Plot|Plot summary|Synopsis|Premise|Story|Storyline|Summary|Overview)</h2>(.*?)"
    r"(?=<h2>|\Z)",
    re.S,
)
_ASIDE = re.compile(
    r"<figure.*?</figure>|<div class=\"thumb .*?</div></div></div>|<sup.*?</sup>|<h3>.*?</h3>"
    r"|<table.*?</table>",
    re.S,
)


@pytest.fixture(scope="module")
def plots():
    found = {}
    for site in bundled_sites()[:2]:
        for page in site.wiki.pages():
            if match := _PLOT.search(page.body):
                text = html.unescape(re.sub("<[^>]+>", "", _ASIDE.sub("", match[1])))
                found[page.title] = re.sub(r"\s+", " ", text)
    return found


@pytest.fixture(scope="module")
def novels(books):
    found = {}
    for number in range(81, 88):
        body = books[number]
        encoding = "cp1252" if number == 87 else "utf-8-sig" if number != 84 else "latin-1"
        text = re.split(r"CHAPTER I\.\s", body.decode(encoding))[-1].partition("THE END")[0]
        found[number] = re.sub(r"\s+", " ", text)
    return found


@pytest.fixture(scope="module")
def story_text(plots, novels):
    return "\n".join([*plots.values(), *novels.values()])


def test_there_is_a_megabyte_of_story(story_text):
    assert len(story_text.encode()) > 1_200_000


@pytest.mark.parametrize(
    "mistake",
    [
        r"\b[Aa] (?!one|uni|eu|use)[aeiou]\w+",
        r"\b[Aa]n (?!hour|heir|honest)[^aeiouAEIOU\W]\w+",
        r"\b(?!had|that)(\w+) \1\b",
        r"[<>{}$|]",
        r"\.\.|,,| [,.;]|[?!][,.]|,\.",
        r"[.] [a-z]",
        r"\b(he|she|they|it) (him|she|he)\b",
    ],
)
def test_the_grammar_makes_no_such_mistake(story_text, mistake):
    found = [m[0] for m in re.finditer(rf".{{0,40}}(?:{mistake}).{{0,20}}", story_text)]
    assert not found, found[:5]


def test_quotation_marks_are_balanced(story_text):
    assert story_text.count("“") == story_text.count("”") > 1000


def test_text_is_more_varied_than_a_template_with_names_swapped(plots, novels):
    def shares(text):
        sentences = [s for s in re.split(r"(?<=[.!?”]) ", text) if len(s) > 20]
        words = text.split()
        grams = [tuple(words[i : i + 5]) for i in range(len(words) - 4)]
        return len(set(sentences)) / len(sentences), len(set(grams)) / len(grams)

    text = " ".join([*plots.values(), *novels.values()])
    sentences, grams = shares(text)
    assert sentences > 0.65
    assert grams > 0.4
    assert len(lzma.compress(text.encode())) / len(text.encode()) > 0.1


def test_no_two_plots_are_near_duplicates(plots):
    def shingles(text):
        words = text.split()
        return {tuple(words[i : i + 5]) for i in range(len(words) - 4)}

    sets = [shingles(text) for text in plots.values() if len(text) > 400]
    closest = max(len(a & b) / len(a | b) for a, b in combinations(sets, 2))
    assert closest < 0.4


def test_genres_differ_in_their_words(plots):
    wiki = bundled_sites()[1].wiki
    own = {"Western films": "creek", "Horror films": "grave", "Romance films": "waltz",
           "Mystery films": "suspicion", "Science fiction films": "station"}  # fmt: skip
    for category, word in own.items():
        inside = [plots[p.title] for p in wiki.members(category) if p.title in plots]
        others = [
            plots[p.title]
            for other in own
            if other != category
            for p in wiki.members(other)
            if p.title in plots
        ]

        def share(texts, word=word):
            return sum(word in text.lower() for text in texts) / len(texts)

        assert share(inside) > 2 * share(others), (category, word)


def test_two_starts_serve_the_same_content():
    first = content_hashes()
    with SampleSites() as sites:
        sites.edit("wikipedia", "The Glass Ferry", "<p>Gone.</p>")
    assert content_hashes() == first, "an edit does not outlive its server"


def test_another_process_writes_the_same_content():
    import subprocess
    import sys

    code = "from crawlers.samplesite import content_hashes; print(*content_hashes())"
    command = [sys.executable, "-c", code]
    other = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert other.stdout.split() == content_hashes()


def test_english():
    assert [conjugate(verb, Tense.PRESENT) for verb in ("go", "carry", "be", "watch", "play")] == [
        "goes", "carries", "is", "watches", "plays",
    ]  # fmt: skip
    assert [conjugate(verb, Tense.PAST) for verb in ("go", "carry", "stop", "can", "visit")] == [
        "went", "carried", "stopped", "could", "visited",
    ]  # fmt: skip
    assert anterior("leave", Tense.PRESENT) == "left"
    assert anterior("leave", Tense.PAST) == "had left"
    assert tidy("a owl and an key , an one-eyed man. an hour") == (
        "An owl and a key, a one-eyed man. An hour"
    )


@pytest.mark.parametrize("name", ["lorakin", "cinderwren", "ninebells"])
def test_the_demo_franchises_find_their_pages(name):
    sites = {site.name: site for site in bundled_sites()}
    for source in load_franchise(name).sources:
        if source.spider == "gutenberg":
            books = sites["gutenberg"].books
            assert set(source.books) <= set(books)
            for author in source.authors:
                assert any(book.authors.startswith(author) for book in books.values())
            continue
        wiki = sites[source.spider].wiki
        for category in source.categories:
            assert wiki.members(category, ("page", "subcat")), category
        wanted = [*source.titles, *source.list_pages]
        wanted += [title for series in source.series for title in series.titles()]
        assert [title for title in wanted if wiki.page(title) is None] == []
