"""The MediaWiki spider against a real MediaWiki: by YAML alone, crawled, changed, re-crawled."""

import asyncio
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pyarrow.parquet as pq
import pytest
from scrapy.http import Response, TextResponse

from crawlers.action_api import ActionApi
from crawlers.explain import SourceError
from crawlers.politeness.retry_after import retry_after
from crawlers.wiki_listing import (
    category_members,
    found_pages,
    namespace_pages,
    titled_pages,
)
from pipeline.extract import SourceRules, extract
from tests.crawl_workplace import Finished, Workplace
from tests.integration.mediawiki import API_PATH, ARTICLE_PATH, RealWiki, require

#: More than the API names in an answer (500) and a category page shows (200).
FILMS = 560
SHORTS = [f"Short {n}" for n in range(1, 13)]
SILENTS = ["AC/DC: what? 50% & more", "Café", "Silent night"]
_STORY = (
    "The keeper of the mill counted the lamps along the river and found one too many. Nobody in "
    "the village would own it, so she carried the stranger upstairs, trimmed its wick, and set it "
    "where the wheel could warm itself. Before midnight it had begun to hum. By the second cock "
    "she knew the tune, though it was her grandmother who had last sung it, on the other bank, to "
    "a child that the flood took. "
)


def story(name: str, *categories: str) -> str:
    """An article with what surrounds a plot on a wiki."""
    filed = "".join(f"\n[[Category:{category}]]" for category in categories)
    return (
        f"'''{name}''' is a film.<ref>The Tallow Street Gazette.</ref>\n\n== Plot ==\n"
        f"{_STORY}{name} ends at dawn.<ref>The same.</ref>\n\n== Cast ==\nNobody.{filed}"
    )


@pytest.fixture(scope="module")
def wiki(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealWiki]:
    require()
    real = RealWiki(tmp_path_factory.mktemp("mediawiki"))
    films = [f"Film {n}" for n in range(1, FILMS + 1)]
    real.write(
        {
            **{title: story(title, "Films") for title in films},
            **{title: story(title, "Shorts") for title in SHORTS},
            **{title: story(title, "Silents") for title in SILENTS},
            "Short": "'''Short''' may be\n* [[Short 1]]\n__DISAMBIG__\n[[Category:Shorts]]",
            "Old short": "#REDIRECT [[Short 7]]\n[[Category:Shorts]]",
            "Lamp": f"{_STORY}\nIts wick was made of nettles.",
            "List of shorts": "* [[Short 6]]\n* [[Old short]]\n* [[Short]]\n* [[Red link]]\n"
            "* [[Template:Short]]",
            "Category:Films": "Films.",
            "Category:Shorts": "Shorts.",
            "Category:Silents": "[[Category:Shorts]]",
            "Template:Short": "A short.<noinclude>[[Category:Shorts]]</noinclude>",
            "Help:Mills": story("Mills"),
            "Help:Lamps": story("Lamps"),
            "Help:Lights": "#REDIRECT [[Help:Lamps]]",
        },
        {
            **dict.fromkeys(("Category:Films", "Category:Shorts", "Category:Silents"), 14),
            **dict.fromkeys(("Help:Mills", "Help:Lamps", "Help:Lights"), 12),
            "Template:Short": 10,
        },
    )
    yield real
    real.close()


@pytest.fixture(autouse=True)
def _unasked(wiki: RealWiki) -> None:
    wiki.clear()


def source(wiki: RealWiki, **more: Any) -> dict[str, Any]:
    """A wiki that nobody here has read the rules of."""
    return {
        "spider": "mediawiki",
        "site": wiki.origin,
        "licence": "CC0-1.0",
        "article_path": ARTICLE_PATH,
        "api_path": API_PATH,
        **more,
    }


def titles(crawl: Finished) -> set[str]:
    return {row["title"] for row in crawl.pages().values()}


def crawled(workplace: Workplace, wiki: RealWiki) -> Finished:
    wiki.clear()
    crawl = workplace.crawl("mediawiki", "lore")
    assert crawl.status == 0, crawl.stderr
    return crawl


def test_crawled_changed_and_crawled_again(wiki: RealWiki, workplace: Workplace) -> None:
    workplace.franchise("lore", source(wiki, categories=["Shorts"], depth=1))
    first = crawled(workplace, wiki)
    assert titles(first) == {*SHORTS, *SILENTS}  # no redirect, disambiguation, template, category
    assert wiki.fetched() == sorted([*SHORTS, *SILENTS])
    assert len(wiki.requests()) == 1 + 2 + 15  # robots.txt, two categories, the pages
    before = first.pages()[wiki.url("Short 3")]
    assert before["last_modified"].endswith("GMT")
    assert before["revision"].isdecimal()
    assert before["licence"] == "CC0-1.0"
    assert b"ends at dawn" in before["body"]
    version = first.store.data_version()

    again = crawled(workplace, wiki)
    assert wiki.fetched() == []
    assert len(wiki.requests()) == 3
    assert again.outcome.unchanged == 15
    assert again.store.data_version() == version

    wiki.edit({"Short 1": story("Short 1, told anew", "Shorts")})
    wiki.delete(["Short 2"])
    wiki.move({"Short 3": "Short three"})
    wiki.move({"Short 4": "Short four"}, redirects=False)
    third = crawled(workplace, wiki)
    assert wiki.fetched() == ["Short 1", "Short four", "Short three"]
    assert len(wiki.requests()) == 3 + 3
    figures = third.outcome
    assert (figures.fetched, figures.unchanged, figures.gone, figures.moved) == (3, 11, 1, 2)
    assert titles(third) == {*SHORTS, *SILENTS, "Short three", "Short four"} - {
        "Short 2", "Short 3", "Short 4",
    }  # fmt: skip
    pages = third.pages()
    assert b"told anew" in pages[wiki.url("Short 1")]["body"]
    after = pages[wiki.url("Short three")]
    assert after["page_id"] == before["page_id"]
    assert int(after["revision"]) > int(before["revision"])  # a move is a revision of its own
    rows = [row for part in third.store.parts() for row in pq.read_table(part).to_pylist()]
    tombstones = {row["url"]: row["final_url"] for row in rows if row["status"] == 410}
    assert tombstones == {
        wiki.url("Short 2"): None,
        wiki.url("Short 3"): wiki.url("Short three"),
        wiki.url("Short 4"): wiki.url("Short four"),
    }

    quiet = crawled(workplace, wiki)
    assert len(wiki.requests()) == 3
    assert (quiet.outcome.unchanged, quiet.outcome.gone, quiet.outcome.moved) == (14, 0, 0)

    folder = workplace.folder / "documents"
    folder.mkdir()
    extract(quiet.store.current(), {"mediawiki": SourceRules(None, None, "en")}, folder)
    texts = {row["title"]: row["text"] for row in pq.read_table(folder / "documents.parquet")
             .to_pylist()}  # fmt: skip
    assert set(texts) == titles(quiet)
    assert texts["Short 5"] == f"{_STORY}Short 5 ends at dawn."


@pytest.mark.slow
def test_a_category_of_more_pages_than_the_api_names_at_once(
    wiki: RealWiki, workplace: Workplace
) -> None:
    workplace.franchise("lore", source(wiki, categories=["Films"]))
    first = crawled(workplace, wiki)
    assert first.store.count() == FILMS
    assert len(wiki.requests()) == 1 + 2 + FILMS
    crawled(workplace, wiki)
    assert len(wiki.requests()) == 3
    edited = [f"Film {n}" for n in range(1, 41)]
    wiki.edit({title: story(f"{title}, again", "Films") for title in edited})
    wiki.delete(f"Film {n}" for n in range(101, 106))
    wiki.move({f"Film {n}": f"Picture {n}" for n in range(201, 206)})
    third = crawled(workplace, wiki)
    assert wiki.fetched() == sorted(edited + [f"Picture {n}" for n in range(201, 206)])
    assert (third.outcome.gone, third.outcome.moved) == (5, 5)
    assert third.store.count() == FILMS - 5


def test_every_way_to_name_pages(wiki: RealWiki, workplace: Workplace) -> None:
    decomposed = "Cafe\N{COMBINING ACUTE ACCENT}"
    named = {
        "namespaces": [12],
        "searches": ["wick nettles"],
        "list_pages": ["List of shorts"],
        "series": [{"prefix": "Short ", "first": 8, "last": 9, "digits": 1}],
        "titles": [decomposed, "short_5", "No such film", "Short", SILENTS[0]],
    }
    workplace.franchise("lore", source(wiki, **named))
    crawl = crawled(workplace, wiki)
    assert titles(crawl) == {
        *("Help:Mills", "Help:Lamps"),
        "Lamp",
        *("Short 6", "Short 7"),  # one of them linked by a redirect
        *("Short 8", "Short 9"),
        *("Café", "Short 5", SILENTS[0]),
    }
    assert {failure["what"] for failure in crawl.outcome.failures} == {
        "'No such film' has no page of this title",
        "'Short' is no article (a disambiguation or another namespace)",
    }


def test_a_wiki_that_is_not_open_is_one_clear_error(wiki: RealWiki, workplace: Workplace) -> None:
    workplace.franchise("lore", source(wiki, categories=["Shorts"]))
    with wiki.closed():
        crawl = workplace.crawl("mediawiki", "lore")
    assert crawl.status == 1
    (error,) = crawl.errors
    assert "readapidenied" in error
    assert "only who is logged in may read this wiki" in error
    assert wiki.fetched() == []
    workplace.franchise("lore", source(wiki, categories=["Shorts"], api_path="/w/api.php"))
    (error,) = workplace.crawl("mediawiki", "lore").errors
    assert "/w/api.php is not there (status 404)" in error
    assert "give `api_path:`" in error


def listed(wiki: RealWiki, pages: Any) -> list[Any]:
    async def run() -> list[Any]:
        return [page async for page in pages(ActionApi(f"{wiki.origin}{API_PATH}", _download))]

    return asyncio.run(run())


async def _download(url: str) -> Response:
    with urlopen(url) as answer:
        headers = {name: [value] for name, value in answer.headers.items()}
        return TextResponse(url, body=answer.read(), headers=headers)


def test_long_listings_go_on_to_their_end(wiki: RealWiki) -> None:
    films = listed(wiki, lambda api: category_members(api, "Films", 0))
    assert len(wiki.requests(API_PATH)) == 2
    assert len({page.page_id for page in films}) == len(films) > 500
    wiki.clear()
    everything = listed(wiki, lambda api: namespace_pages(api, 0))
    assert len(wiki.requests(API_PATH)) == 2
    assert set(films) <= set(everything)
    assert not {"Short", "Old short"} & {page.title for page in everything}
    wiki.clear()
    searched = listed(wiki, lambda api: found_pages(api, "lamps dawn"))
    assert len(wiki.requests(API_PATH)) == 2
    assert set(films) <= set(searched) <= set(everything)
    wiki.clear()
    named = listed(wiki, lambda api: titled_pages(api, [page.title for page in films]))
    assert named == films
    assert len(wiki.requests(API_PATH)) == -(-len(films) // 50)


def test_a_lagging_wiki_says_how_long_to_wait(wiki: RealWiki) -> None:
    # A lag that a wiki without replicas has already: the error is the real one.
    answer = asyncio.run(_download(f"{wiki.origin}{API_PATH}?action=query&format=json&maxlag=-2"))
    assert answer.headers["MediaWiki-API-Error"] == b"maxlag"  # what the middleware waits for
    assert retry_after(answer) == 5
    with pytest.raises(SourceError, match="maxlag"):
        listed(wiki, lambda api: (page async for page in api.query(titles="Lamp", maxlag="-2")))


def test_a_page_that_has_not_changed_is_answered_so(wiki: RealWiki) -> None:
    with urlopen(wiki.url("Lamp")) as answer:
        modified = answer.headers["Last-Modified"]
    with pytest.raises(HTTPError, match="304"):
        urlopen(Request(wiki.url("Lamp"), headers={"If-Modified-Since": modified}))
