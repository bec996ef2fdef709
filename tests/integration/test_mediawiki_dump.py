"""A real MediaWiki's own dump, crawled, gives the stories that its own HTML gives."""

from pathlib import Path
from urllib.request import urlopen

import pyarrow.parquet as pq

from pipeline.extract import SourceRules, extract
from pipeline.extract.mediawiki import read_article
from tests.crawl_workplace import Workplace
from tests.integration.mediawiki import RealWiki, require

STORY = """'''''The Long Lamp''''' is a [[film]].<ref name="a">A lamp.</ref>
{| class="infobox"
| Lamp
|}
__NOTOC__
== Plot ==
:''For the ferry, see [[Ferry]].''
[[Maren]] carries the last [[lamp]]s over the ''bridge''.<ref>One.</ref> The '''river'''
rises behind her &mdash; and {{nowrap|nobody}} asks.<!-- why? -->
<!-- A line of its own. -->
Her brother {{lang|fr|''Sora''}} speaks of l'''amour'' and o'''''clocks'''.

* "Who is there?" he asks.
** "Only [https://river.example the river]," she [[said|says]].
# One.
; Maren : carries it
 A verse
 of two lines.
----
{| class="wikitable"
! Actor !! Role
|-
| Ada || Maren
|}
=== The ''end'' ===
<blockquote>
It goes out.

It is dark.
</blockquote>
A rate of 3 < 5 &amp; rising,<br />as <nowiki>''they'' say</nowiki>.
<div style="float: left">A box.</div> Beside it.

== Cast ==
* Ada
[[Category:Lamps at night]]
"""
FILMS = """== Films ==
{| class="wikitable"
! Year !! Title !! style="width: 50%" | Plot
|-
| rowspan="2" | 1901 || ''[[Upstream]]'' || A boat goes ''up'' the river, and nobody rows it.
|-
| The Low Bridge
| A bridge sinks{{nowrap| into}} the mud.

It stays there.
|}
[[Category:Lamps]]
"""
WIKI = {
    "The Long Lamp": STORY,
    "Films of lamps": FILMS,
    "Old lamp": "#REDIRECT [[The Long Lamp]]",
    "Lamp": "'''Lamp''' may be [[The Long Lamp]].\n[[Category:Lamps]]\n__DISAMBIG__",
    "Elsewhere": STORY.replace("[[Category:Lamps at night]]", ""),
    "Category:Lamps at night": "[[Category:Lamps]]",
    "Template:Nowrap": '<span class="nowrap">{{{1}}}</span>',
    "Template:Lang": '<span lang="{{{1}}}">{{{2}}}</span>',
}


def test_the_dump_of_a_wiki_gives_the_text_of_its_html(
    workplace: Workplace, tmp_path: Path
) -> None:
    require()
    folder = tmp_path / "wiki"
    folder.mkdir()
    wiki = RealWiki(folder)
    try:
        wiki.write(WIKI)
        (tmp_path / "lamps.xml").write_text(wiki.run("dumpBackup", "--current", "--quiet"), "utf-8")
        served = {}
        for title in ("The Long Lamp", "Films of lamps"):
            with urlopen(wiki.url(title)) as response:
                for piece in read_article(response.read()).pieces:
                    served[piece.title or title, piece.section] = piece.text
    finally:
        wiki.close()
    source = {"spider": "dump", "path": str(tmp_path / "lamps.xml"), "licence": "CC0-1.0"}
    workplace.franchise("lamps", {**source, "categories": ["lamps"], "depth": 1})
    finished = workplace.crawl("dump", "lamps")
    assert (finished.status, finished.errors) == (0, [])
    assert {row["title"] for row in finished.pages().values()} == {
        "The Long Lamp", "Films of lamps"
    }  # fmt: skip
    rules = {"dump": SourceRules(None, None, "en")}
    out = tmp_path / "documents"
    out.mkdir()
    extract(finished.store.current(), rules, out)
    tables = [
        pq.read_table(out / f"{name}.parquet").to_pylist() for name in ("documents", "dropped")
    ]
    found = {(row["title"], row["section"]): row["text"] for table in tables for row in table}
    assert found == served
    assert len(found) == 3
