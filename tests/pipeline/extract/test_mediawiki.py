"""Plots out of saved pages: each heading markup and trap has a page with its expected text."""

from pathlib import Path

import pytest

from pipeline.extract.mediawiki import read_article
from pipeline.extract.piece import NoStoryError
from pipeline.extract.wiki_prose import prose

PAGES = sorted((Path(__file__).parent / "pages").glob("*.html"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_gives_its_expected_text(page: Path) -> None:
    article = read_article(page.read_bytes())
    found = "\n".join(f"## {piece.anchor}\n\n{piece.text}\n" for piece in article.pieces)
    assert found == page.with_suffix(".txt").read_text("utf-8")


def test_the_title_is_the_pages_heading() -> None:
    legacy = (Path(__file__).parent / "pages" / "legacy.html").read_bytes()
    assert read_article(legacy).title == "The Lamplighter's Debt"


def test_the_wanted_headings_can_be_chosen_whatever_their_case() -> None:
    legacy = (Path(__file__).parent / "pages" / "legacy.html").read_bytes()
    pieces = read_article(legacy, ("CAST", "act two")).pieces
    assert [piece.section for piece in pieces] == ["Act two", "Cast"]
    assert pieces[1].text == "No one was cast."


def test_a_page_without_a_wanted_heading_tells_how_many_it_has() -> None:
    with pytest.raises(NoStoryError, match="no wanted section") as caught:
        read_article(b"<body><h2>Cast</h2><p>Nobody.</p><h2>Crew</h2></body>")
    assert caught.value.figure == 2


def test_headings_of_the_same_name_have_anchors_of_their_own() -> None:
    body = b"<body><h2>Plot</h2><p>One.</p><h2>Plot</h2><p>Two.</p></body>"
    assert [piece.anchor for piece in read_article(body).pieces] == ["Plot", "Plot-2"]


def test_rows_of_a_list_are_works_of_their_own() -> None:
    films = (Path(__file__).parent / "pages" / "films.html").read_bytes()
    assert [piece.title for piece in read_article(films).pieces] == ["The Low Bridge", "Upstream"]


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>one</p>bare<p>two</p>", "one\n\nbare\n\ntwo"),
        ("<div><div><p>once</p></div></div>", "once"),
        ("<p>a\nline</p>", "a line"),
        ("<p>first<br>second<br><br>third</p>", "first\nsecond\n\nthird"),
        ("<p>Ash (Japanese: <span class='IPA'>x</span>) went</p>", "Ash went"),
        ("<p>Ash (<span class='IPA'>x</span>; ) went</p>", "Ash went"),
        ("<p>Ash (<span class='IPA'>x</span> in Kanto) went</p>", "Ash (in Kanto) went"),
        ("<p>as <span class='IPA'>x</span> , he said ; so</p>", "as, he said ; so"),
        ("<p>caf\u00e9 &amp; 'tea'&nbsp;\u2019n \u201cmore\u201d</p>", "café & 'tea' ’n “more”"),
        ("<p>&lt;EOS&gt; &lt;|endoftext|&gt;</p>", "<EOS> <|endoftext|>"),
        ("<p style='display: none'>hidden</p><p>seen</p>", "seen"),
        ("<p>This article does not yet meet the quality standards of the wiki.</p><p>x</p>", "x"),
        ("<p>For the king, see how they ran.</p>", "For the king, see how they ran."),
        ("<pre>kept\n  as is</pre>", "kept\nas is"),
        ("<p>open <b>never <i>closed", "open never closed"),
    ],
)
def test_prose(html: str, text: str) -> None:
    assert prose(html) == text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\0\0",
        b"\xff\xfe\x00\xd8 garbage",
        b"<div>" * 200_000 + b"<h2>Plot</h2><p>deep</p>",
        b"<table><tr><th>Film<th>Plot</tr>"
        + b"<tr><td rowspan=9999 colspan=9999>a<td>b</tr>" * 2_000,
        b"<table><tr>" + b"<td colspan=90>a</td>" * 60 + b"<th>Plot</th></tr></table>",
        b"<body><td class=description><i class=shortSummaryText>by itself</i></td></body>",
    ],
    ids=["empty", "nul", "garbage", "deep", "spans", "columns", "cell"],
)
def test_a_hostile_page_has_no_story_and_raises_nothing_else(body: bytes) -> None:
    with pytest.raises(NoStoryError):
        read_article(body)


def test_text_as_deep_as_the_parser_goes_is_read() -> None:
    body = b"<body><h2>Plot</h2>" + b"<i>" * 100_000 + b"deep down</body>"
    with pytest.raises(NoStoryError):
        read_article(body)
    shallow = b"<body><h2>Plot</h2>" + b"<i>" * 200 + b"deep down</body>"
    assert read_article(shallow).pieces[0].text == "deep down"


REAL = {
    "bulbapedia/EP001-excerpt-transcribed.html": (None, 1, "In a massive stadium,", "is empty."),
    "wikipedia/Witches_Abroad-excerpt-transcribed.html": (None, 1, "Following the", "elephant."),
    "wikipedia/mcs-parsoid-Dog.html": (("Terminology",), 1, "The term dog", "is a pack."),
    "wikipedia/mcs-parse_contents_en.html": (("Play",), 1, "Domestic cats,", "may chase."),
    "wikipedia/defuddle-general--wikipedia.html": (("Features",), 1, "Obsidian", "plugins."),
    "wikipedia/readability-wikipedia-4.html": (None, 72, "A woman who", "futile results."),
    "fandom/harrypotter.fandom.com.spell.html": (("History",), 1, "It's unknown", "Goshawk."),
    "bulbapedia/skaant-pokemon-001.html": (("Biology",), 1, "Bulbasaur is", "a Venusaur."),
    "bulbapedia/1miqi1-team_rocket.html": (("In animation",), 1, "In Pokémon the", "to Silver."),
}


@pytest.mark.parametrize("name", REAL)
def test_real_pages(real_text: Path, name: str) -> None:
    sections, pieces, beginning, end = REAL[name]
    article = read_article((real_text / "html" / name).read_bytes(), sections)
    assert len(article.pieces) == pieces
    text = article.pieces[0].text
    assert text.startswith(beginning)
    assert text.endswith(end)
    for leak in ("[edit", "[1]", "citation needed", "Main article", "mw-parser", "\u200b", "()"):
        assert leak not in "\n".join(piece.text for piece in article.pieces)


@pytest.mark.parametrize("before", ["A", "("])
def test_thousands_of_line_ends_cost_no_more_than_their_number(
    before: str, grows_no_faster
) -> None:
    def work(n: int) -> None:
        lines = "\n" * n
        assert prose(f"<pre>{before}{lines}b</pre>") == f"{before}\n\nb"

    grows_no_faster(work, 25_000)
