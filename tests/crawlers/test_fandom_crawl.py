"""A wiki of Fandom by YAML alone: the API beside the front page, the infobox before any section."""

from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from crawlers.samplesite.markup import Dialect
from pipeline.extract import SourceRules, extract

_LAZY = "data:image/gif;base64,R0lGODlhAQABAIABAAAAAP///yH5BAEAAAEALAAAAAABAAEAQAICTAEAOw=="
_PLOT = [
    "Ott the ferryman finds the mill's wheel turning in a dry stream, and follows it upwards.",
    "Behind the weir he meets the miller, who has been grinding moonlight into flour for a year.",
    "They open the sluice together, and the town below wakes to the first grey bread.",
]
#: Written for this test, CC0. The infobox has a title, and a header that is called as a section is.
_PAGE = f"""<table class="spoiler"><tbody><tr><td>Spoilers ahead, turn back!</td></tr>
</tbody></table>
<aside role="region" class="portable-infobox pi-background pi-layout-default">
<h2 class="pi-item pi-title pi-secondary-background" data-source="title">The Mill</h2>
<figure class="pi-item pi-image"><a href="#" class="image"><img src="{_LAZY}" \
data-src="https://static.example.org/mill.png" class="pi-image-thumbnail lazyload" /></a>
<figcaption class="pi-item-spacing pi-caption">The wheel at night</figcaption></figure>
<section class="pi-item pi-group pi-border-color"><h2 class="pi-item pi-header">Plot</h2>
<div class="pi-item pi-data"><h3 class="pi-data-label">Told by</h3>
<div class="pi-data-value">Ott, in the infobox</div></div></section></aside>
<p><b>The Mill</b> is the third episode.
</p>
<h2>Plot</h2>
<p>{_PLOT[0]}
</p>
<figure class="thumb tright show-info-icon"><a class="image"><img src="{_LAZY}" class="lazyload" \
data-src="https://static.example.org/weir.png" /></a><figcaption class="thumbcaption">
The weir, lazily loaded</figcaption></figure>
<p>{_PLOT[1]}<sup class="reference"><a href="#cite_note-1">[1]</a></sup>
</p><p>{_PLOT[2]}
</p>
<h2>Cast</h2>
<p>Ott.
</p>
"""


@pytest.mark.parametrize("dialect", [Dialect.LEGACY, Dialect.MODERN], ids=lambda d: d.value)
def test_by_yaml_alone(workplace, serve: Callable, tmp_path: Path, dialect: Dialect) -> None:
    served = serve(api_path="/api.php")
    served.wiki.robots = "User-agent: *\nDisallow: /wiki/Special:\nDisallow: /w/\n"
    served.wiki.create("Category:Episodes")
    served.wiki.create("The Mill", _PAGE, categories=("Episodes",), dialect=dialect)
    source = {"spider": "fandom", "site": served.origin, "categories": ["Episodes"]}
    workplace.franchise("mill", source)
    crawl = workplace.crawl("fandom", "mill")
    assert crawl.status == 0, crawl.stderr
    assert [path.partition("?")[0] for path in served.paths()] == [
        "/robots.txt", "/api.php", "/wiki/The_Mill",
    ]  # fmt: skip
    (page,) = crawl.pages().values()
    assert page["licence"] == "CC-BY-SA-3.0"
    assert page["revision"] == str(served.wiki.page("The Mill").revision)
    extract(crawl.store.current(), {"fandom": SourceRules(None, None, "en")}, tmp_path)
    (document,) = pq.read_table(tmp_path / "documents.parquet").to_pylist()
    assert document["section"] == "Plot"
    assert document["text"] == "\n\n".join(_PLOT)
    assert workplace.crawl("fandom", "mill").outcome.unchanged == 1


def test_it_needs_a_site(workplace) -> None:
    workplace.franchise("mill", {"spider": "fandom", "categories": ["Episodes"]})
    crawl = workplace.crawl("fandom", "mill")
    assert crawl.status == 2
    (error,) = crawl.errors
    assert "site" in error
    assert "fandom.com" in error
