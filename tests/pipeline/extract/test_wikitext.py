"""Wikitext gives the text that its page's HTML gives, and no markup, however it is broken."""

import bz2
import re
from contextlib import suppress
from pathlib import Path
from xml.etree import ElementTree

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.extract import SourceRules, extract
from pipeline.extract.mediawiki import read_article
from pipeline.extract.piece import NoStoryError
from pipeline.extract.wiki_prose import prose
from pipeline.extract.wikitext import TOO_LONG, read_wikitext, wikitext_headings
from pipeline.extract.wikitext_html import as_html
from pipeline.extract.wikitext_scan import decoded, without_comments, without_extensions

WIKITEXT = """{{Infobox film
| name = The Long Lamp
| plot = none
}}
'''''The Long Lamp''''' is a [[film]].<ref name="a">{{cite web|title=A [[lamp]]}}</ref>
__NOTOC__
== Plot ==
{{main|Plot of The Long Lamp}}
:''For the ferry, see [[Ferry (disambiguation)|Ferry]].''
[[File:Lamp.jpg|thumb|left|200px|Maren with [[the lamp]], ''at night'']]
[[Maren Holt|Maren]] carries the last [[lamp]]s over the ''bridge''.<ref>One.</ref> The '''river'''
rises{{citation needed|date=May 2020}} behind her &mdash; and {{nowrap|nobody}} asks.<!-- why? -->

Her brother {{nihongo|Sora|空|Sora}} speaks {{lang|fr|''un peu''}} of l'''amour''.{{efn|Or not.}}
<gallery>
Lamp.jpg|A lamp
</gallery>
* "Who is there?" he asks.
* "Only the [https://river.example/ river]," she says.

; Maren : carries it
{| class="wikitable"
! Actor !! Role
|-
| Ada || Maren
|}
=== The end ===
<blockquote>
It goes out.
</blockquote>
A rate of 3 < 5 &amp; rising,<br />as <nowiki>[[they]] say</nowiki>.

== Cast ==
* Ada
[[Category:Lamps]]
[[de:Die lange Lampe]]
"""

HTML = """<body><div class="mw-parser-output">
<table class="infobox"><tr><th>The Long Lamp</th></tr></table>
<p><i><b>The Long Lamp</b></i> is a <a href="/wiki/Film">film</a>.<sup class="reference"><a>[1]</a>
</sup></p>
<h2><span class="mw-headline" id="Plot">Plot</span><span class="mw-editsection">[edit]</span></h2>
<div role="note" class="hatnote">Main article: <a>Plot of The Long Lamp</a></div>
<dl><dd><i>For the ferry, see <a href="/wiki/Ferry">Ferry</a>.</i></dd></dl>
<div class="thumb tleft"><div class="thumbinner">Maren with <a>the lamp</a>, <i>at night</i></div>
</div>
<p><a href="/wiki/Maren_Holt">Maren</a> carries the last <a>lamps</a> over the <i>bridge</i>.<sup
class="reference"><a>[2]</a></sup> The <b>river</b>
rises<sup class="noprint Inline-Template Template-Fact">[<i>citation needed</i>]</sup> behind her
&mdash; and <span class="nowrap">nobody</span> asks.
</p><p>Her brother Sora (<span lang="ja">空</span>, <i>Sora</i>) speaks
<span lang="fr"><i>un peu</i></span> of l'<i>amour</i>.<sup class="reference"><a>[a]</a></sup>
</p><ul class="gallery"><li class="gallerybox">A lamp</li></ul>
<ul><li>"Who is there?" he asks.</li>
<li>"Only the <a class="external text">river</a>," she says.</li></ul>
<dl><dt>Maren&nbsp;</dt><dd>carries it</dd></dl>
<table class="wikitable"><tr><th>Actor</th><th>Role</th></tr>
<tr><td>Ada</td><td>Maren</td></tr></table>
<h3><span class="mw-headline" id="The_end">The end</span></h3>
<blockquote><p>It goes out.</p></blockquote>
<p>A rate of 3 &lt; 5 &amp; rising,<br />as [[they]] say.</p>
<h2><span class="mw-headline" id="Cast">Cast</span></h2>
<ul><li>Ada</li></ul>
</div></body>"""


def shown(wikitext: str) -> str:
    return prose(as_html(without_extensions(without_comments(decoded(wikitext.encode())))))


def test_a_story_has_one_text_whether_as_html_or_as_wikitext() -> None:
    (from_html,) = read_article(HTML.encode()).pieces
    (from_wikitext,) = read_wikitext(WIKITEXT.encode()).pieces
    assert from_wikitext == from_html
    assert from_wikitext.text.startswith("Maren carries the last lamps over the bridge. The river")
    assert from_wikitext.text.endswith("A rate of 3 < 5 & rising,\nas [[they]] say.")


def test_sections_can_be_chosen_and_headings_asked_for() -> None:
    assert wikitext_headings(WIKITEXT.encode()) == ["Plot", "The end", "Cast"]
    pieces = read_wikitext(WIKITEXT.encode(), ("the END", "Cast")).pieces
    assert [(piece.anchor, piece.section) for piece in pieces] == [
        ("The_end", "The end"), ("Cast", "Cast")
    ]  # fmt: skip
    assert pieces[1].text == "Ada"


@pytest.mark.parametrize(
    ("line", "heading"),
    [
        ("==Plot==", "Plot"),
        ("== ''Plot'' {{anchor|Story}} ==  ", "Plot"),
        ("== [[Plot (story)|Plot]] == <!-- here -->", "Plot"),
        ("== Plot &amp; end ==", "Plot & end"),
        ("<!--\n== No ==\n-->", None),
        ("<nowiki>== No ==</nowiki>", None),
        ("x == No ==", None),
        ("==== Deep ====", "Deep"),
        ("===Uneven==", "=Uneven"),
    ],
)
def test_headings(line: str, heading: str | None) -> None:
    assert wikitext_headings(f"a\n{line}\nb".encode()) == ([heading] if heading else [])


@pytest.mark.parametrize(
    ("wikitext", "text"),
    [
        ("one\ntwo\n\nthree", "one two\n\nthree"),
        ("'''''both''''' '''b''' ''i'' ''''four'''' o'clock", "both b i 'four' o'clock"),
        ("a<ref>x</ref>b<ref name=q />c<ref>{{a|[[b]]}}</ref>d", "abcd"),
        ("[[A|b]]s [[A b]] [[:Category:C]] [[A#s|]]", "bs A b Category:C A#s"),
        ("[[Image:a.png|thumb|x [[y]] z]]left", "left"),
        ("[[Datei:a.png|mini|x]]left [[Quux:b.svg|z]]", "left"),
        ("x [[Kategorie:A]] [[de:A]] [[zh-min-nan:A]]", "x"),
        ("[https://a.example b c] [https://a.example] [//a.example d]", "b c d"),
        ("{{unknown|a|b={{c}}}}left", "left"),
        ("{{lang|ja|ピカ}}, {{Lang-fr|''oui''}} {{transl|ja|Hepburn|pika}}", "ピカ, oui pika"),
        ("{{nowrap|{{lang|fr|''a''}} [[b|c]]}}", "a c"),
        ("{{nobr|a}} {{No wrap|b}} {{proper name|c}}", "a b c"),
        ("{{convert|5|km|mi}} {{convert|5|to|6|km}}", "5 km 5 to 6 km"),
        ("a{{'}}s {{!}} {{snd}} b {{as of|2010}}", "a's | – b As of 2010"),
        ("{{USS|Enterprise|NCC-1701}} {{ship|HMS|Beagle}}", "USS Enterprise HMS Beagle"),
        ("{{p|Pikachu}} meets {{tt|him|Ash}}", "Pikachu meets him"),
        ("* a\n** b\n# c\n: d\n; e : f", "a\n\nb\n\nc\n\nd\n\ne\n\nf"),
        ("<poem>\na\nb\n</poem>", "a\nb"),
        (" kept\n as is\nnot", "kept\nas is\n\nnot"),
        ("[[Ben-Hur: A Tale|a]] [[Ben-Hur: A Tale]]", "a Ben-Hur: A Tale"),
        ("a\n----\nb", "a\n\nb"),
        ("<math>x^2</math>a<gallery>b</gallery>c<!-- d -->", "ac"),
        ("<div style='display:none'>hidden</div>seen", "seen"),
        ("<b>a <unknown>b</unknown> c", "a b c"),
        ("1 < 2 &lt;EOS&gt; &amp;amp; caf&eacute;", "1 < 2 <EOS> &amp; café"),
        ("__TOC__a __NOEDITSECTION__b", "a b"),
        ("{| \n! a\n|-\n| b\n{|\n| c\n|}\n|}\nd", "d"),
        ("{|\n| never closed\nd", ""),
        ("{{open a}} b {{ c [[ d ]] e }} f [[ g", "b c d e f g"),
        ("a }} b ]] c {{d", "a b c d"),
        ("| param = rest of a template\n}}\nb", "b"),
        ("<nowiki>'''{{a}}''' * == &amp;</nowiki>", "'''{{a}}''' * == &"),
        ("{{{1|default}}} {{{2}}}", "default"),
        ("This section is incomplete.\n\nb", "b"),
        ("a {{Main|b}}\n{{clear}}\nc", "a\n\nc"),
    ],
)
def test_wikitext_is_shown_as_text(wikitext: str, text: str) -> None:
    assert shown(wikitext) == text


EPISODES = """== Episodes ==
{{Episode table |background=#123 |episodes=
{{Episode list
 |EpisodeNumber = 1
 |Title = The ''First'' Lamp
 |RTitle = {{efn|a}}
 |ShortSummary = [[Maren]] lights a lamp.<ref>x</ref>

It burns {{nowrap|all night}}.
 |LineColor = 123
}}
{{Japanese episode list/sublist|List|EnglishTitle=Second|ShortSummary=It goes out.}}
{{Episode list|Title=No summary}}
}}
"""


def test_episodes_of_a_table_are_works_of_their_own() -> None:
    pieces = read_wikitext(EPISODES.encode()).pieces
    assert [(piece.title, piece.anchor, piece.text) for piece in pieces] == [
        ("The First Lamp", "The_First_Lamp", "Maren lights a lamp.\n\nIt burns all night."),
        ("Second", "Second", "It goes out."),
    ]


FILMS = """== Films ==
{| class="wikitable sortable"
! Year !! Title !! style="width:50%" | Plot
|-
| rowspan="2" | 1901 || ''[[Upstream]]'' || A boat goes ''up''.
|-
| [[The Low Bridge]]
| {{sort|x|y}}A bridge
sinks.
|}
"""


def test_rows_of_a_list_of_films_are_works_of_their_own() -> None:
    pieces = read_wikitext(FILMS.encode()).pieces
    assert [(piece.title, piece.text) for piece in pieces] == [
        ("Upstream", "A boat goes up."), ("The Low Bridge", "A bridge\n\nsinks.")
    ]  # fmt: skip


def test_a_page_without_a_wanted_heading_tells_how_many_it_has() -> None:
    with pytest.raises(NoStoryError, match="no wanted section") as caught:
        read_wikitext(b"== Cast ==\nNobody.\n== Crew ==\n")
    assert caught.value.figure == 2


def test_documents_lead_to_their_section_on_the_wiki(page, batches, tmp_path) -> None:
    row = page(
        f"== Plot ==\n{'Maren carried the lamp. ' * 10}".encode(), content_type="text/x-wiki"
    )
    rules = {"wikipedia": SourceRules(None, None, "en")}
    assert extract(batches([row]), rules, tmp_path)["documents"] == 1
    (document,) = pq.read_table(tmp_path / "documents.parquet").to_pylist()
    assert document["url"] == "https://wiki.example/wiki/Page_1#Plot"
    assert document["title"] == "Page 1"


def test_a_section_longer_than_any_plot_is_left_out() -> None:
    (piece,) = read_wikitext(b"== Plot ==\n" + b"a" * 300_000).pieces
    assert piece.left_out == TOO_LONG


HOSTILE = [
    *("{{", "{{a|", "{{a|b=", "{{{", "[[", "[[a|", "[[File:a.png|", "[http://a ", "<b>", "<b a='"),
    *("<ref>", "<ref name='", "<nowiki>", "<!--", "<div>\n", "{|\n", "{|\n|-\n| a\n", "{|\n|a||"),
    *("*", "; a :", "''", "'''''a", "=\n", "==a==\n", "{{ [[ }} ]] ", "}}{{", "{{Episode list|"),
    *(" ", "&", "\t", "{{\n[[a\n}}", "__A"),
]


@pytest.mark.parametrize("before", ["== Plot ==\n", "== Cast ==\n"])
def test_what_nothing_closes_costs_no_more_than_its_length(before: str, grows_no_faster) -> None:
    for part in HOSTILE:

        def work(n: int, part: str = part) -> None:
            with suppress(NoStoryError):
                read_wikitext((before + part * (n // len(part))).encode())

        grows_no_faster(work, 10_000)  # mwparserfromhell alone takes hours


PARTS = [
    *("}}", "]]", "|}", "|", "\n", "a", "b c", ">", "</b>", "</ref>", "-->", "{{nowrap|", "]", "}"),
    *("{{lang|fr|", "\x7f", "\ue000", "'"),
    *(part for part in HOSTILE if part != "<nowiki>"),
]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(PARTS), max_size=40))
def test_no_hiding_mark_is_left_of_anything(parts: list[str]) -> None:
    assert not re.search(r"[\x7f\ue000-\ue003]", shown("x" + "".join(parts)))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(PARTS), max_size=40))
def test_no_markup_is_left_of_anything(parts: list[str]) -> None:
    """A letter stands between two parts: halves that meet once another is gone are text."""
    assert not re.search(r"\{\{|\}\}|\[\[|\]\]", shown("x" + "a".join(parts)))


def test_nothing_leaks_from_a_real_dump(real_text: Path) -> None:
    """All sections of 106 articles of Wikipedia, as they stand in its dump."""
    (dump,) = (real_text / "mediawiki").glob("*.bz2")
    leak = re.compile(
        r"\{\{|\}\}|\[\[|\]\]|\{\||\|\}|''|thumb\||\|thumb|<ref|</\w|__[A-Z]+__|&\w+;|&#\d|^=|=$"
        r"|^[*#|!]|<br|<small|[\x7f\ue000-\ue003]|\bcolspan=|\bstyle=",
        re.MULTILINE,
    )
    documents = 0
    with bz2.open(dump) as file:
        for _, element in ElementTree.iterparse(file):
            if not element.tag.endswith("}page"):
                continue
            text = element.findtext(".//{*}text") or ""
            is_redirect = element.find("{*}redirect") is not None
            element.clear()
            if is_redirect:
                continue
            try:
                pieces = read_wikitext(text.encode(), wikitext_headings(text.encode())).pieces
            except NoStoryError:
                continue
            documents += len(pieces)
            for piece in pieces:
                assert not leak.search(piece.text), leak.search(piece.text)
    assert documents > 800
