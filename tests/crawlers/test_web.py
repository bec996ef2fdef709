"""A site that is no wiki, by YAML alone; and one that needs a spider of its own, in a few lines."""

import ast
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import md5

import pytest

from crawlers.samplesite.exchange import Request, Response, html, text
from crawlers.samplesite.server import SiteServer


def story(title: str, words: str = "The lamp was lit.") -> str:
    return (
        f"<html><head><title>{title} - Tales</title></head><body><h1>Tales</h1>"
        f"<article><h1>{title}</h1><p>{words}</p></article></body></html>"
    )


@dataclass
class StorySite:
    """Pages by path, with ETags; `dated` False leaves these out."""

    pages: dict[str, str | Response] = field(default_factory=dict)
    dated: bool = True
    name: str = "stories"

    def answer(self, request: Request) -> Response:
        if request.path == "/robots.txt":
            return text(200, "User-agent: *\nDisallow: /private/\n")
        page = self.pages.get(request.target)
        if page is None:
            return html(404, "none")
        if isinstance(page, Response):
            return page
        etag = f'"{md5(page.encode()).hexdigest()}"'
        if not self.dated:
            return html(200, page)
        if request.headers.get("if-none-match") == etag:
            return Response(304, b"", {"ETag": etag})
        return html(200, page, ETag=etag)

    def content_hash(self) -> str:
        return ""


@dataclass
class Served:
    site: StorySite
    server: SiteServer

    @property
    def origin(self) -> str:
        return self.server.origins[0]

    def asked(self) -> list[str]:
        paths = [entry.path for entry in self.server.log.entries()]
        self.server.log.clear()
        return [path for path in paths if path != "/robots.txt"]

    def source(self, **more: object) -> dict[str, object]:
        return {"spider": "web", "site": self.origin, "licence": "CC0-1.0", **more}


@pytest.fixture
def serve_pages() -> Iterator[Callable[..., Served]]:
    servers: list[SiteServer] = []

    def start(pages: dict[str, str | Response], **more: bool) -> Served:
        site = StorySite(dict(pages), **more)
        servers.append(SiteServer([site], [0]))
        return Served(site, servers[-1])

    yield start
    for server in servers:
        server.close()


def listing(*links: str, following: str | None = None) -> str:
    more = f'<a rel="next" href="{following}">more</a>' if following else ""
    items = "".join(f'<li class="tale"><a href="{link}">tale</a></li>' for link in links)
    return f"<body><a href='/about'>about</a><ul>{items}</ul>{more}</body>"


LINKS = {"links": "li.tale", "next": 'a[rel="next"]', "story": "article"}


def test_lists_are_followed_to_their_end_and_no_page_twice(workplace, serve_pages) -> None:
    served = serve_pages(
        {
            "/list": listing("/a", "b?part=1", "/a#top", "#up", following="/list?page=2"),
            "/list?page=2": listing("/b?part=2", "/a", following="/list"),
            "/a": story("A"),
            "/b?part=1": story("B, one"),
            "/b?part=2": story("B, two"),
        }
    )
    workplace.franchise("tales", served.source(pages=["/list"], **LINKS))
    crawl = workplace.crawl("web", "tales")
    assert crawl.status == 0, crawl.stderr
    assert sorted(served.asked()) == [
        "/a", "/b?part=1", "/b?part=2", "/list", "/list?page=2"
    ]  # fmt: skip
    pages = {row["page_id"]: row for row in crawl.pages().values()}
    assert {page_id: row["title"] for page_id, row in pages.items()} == {
        "a": "A", "b?part=1": "B, one", "b?part=2": "B, two"
    }  # fmt: skip
    assert pages["a"]["attribution_url"] == f"{served.origin}/a"
    assert pages["a"]["licence"] == "CC0-1.0"


@pytest.mark.parametrize("dated", [True, False])
def test_only_changed_stories_are_stored_anew(workplace, serve_pages, dated) -> None:
    served = serve_pages({"/a": story("A"), "/b": story("B"), "/c": story("C")}, dated=dated)
    workplace.franchise("tales", served.source(pages=["/a", "/b", "/c"]))
    workplace.crawl("web", "tales")
    served.site.pages["/a"] = story("A", "The lamp went out.")
    workplace.franchise("tales", served.source(pages=["/a", "/b"]))
    served.server.log.clear()
    crawl = workplace.crawl("web", "tales")
    outcome = crawl.outcome
    assert (outcome.fetched, outcome.unchanged, outcome.gone) == (1, 1, 1)
    statuses = {entry.path: entry.status for entry in served.server.log.entries()}
    assert (statuses["/a"], statuses["/b"]) == (200, 304 if dated else 200)


def test_what_is_no_story_is_a_failure(workplace, serve_pages) -> None:
    pages: dict[str, str | Response] = {f"/{n}": story(f"Tale {n}") for n in range(40)}
    served = serve_pages({**pages, "/pdf": Response(200, b"%PDF", {"Content-Type": "text/pdf"})})
    links = [*pages, "/pdf", "/private/diary", "https://elsewhere.example/tale", "mailto:me"]
    served.site.pages["/list"] = listing(*links)
    workplace.franchise("tales", served.source(pages=["/list"], links="li a"))
    crawl = workplace.crawl("web", "tales")
    assert crawl.status == 0, crawl.stderr
    assert crawl.store.count() == 40
    assert "/private/diary" not in served.asked()
    said = {f["url"].removeprefix(served.origin): f["what"] for f in crawl.outcome.failures}
    assert "is no story in text/html" in said["/pdf"]
    assert "text/pdf" in said["/pdf"]
    assert "https://elsewhere.example/tale" in said["/list"]
    assert "/private/diary" in said


def test_a_list_without_links_or_that_is_not_there_is_an_error(workplace, serve_pages) -> None:
    served = serve_pages({"/a": story("A"), "/list": listing()})
    workplace.franchise("tales", served.source(pages=["/list"], links="li.tale a"))
    (error,) = workplace.crawl("web", "tales").errors
    assert "nothing that matches `links`, 'li.tale a'" in error
    workplace.franchise("tales", served.source(pages=["/lost"], links="li.tale a"))
    (error,) = workplace.crawl("web", "tales").errors
    assert "/lost is not there (status 404)" in error
    assert "defs.yaml: source web" in error


@pytest.mark.parametrize("key", ["links", "next", "story"])
def test_a_bad_selector_is_a_mistake_with_its_line(workplace, key) -> None:
    source = {"spider": "web", "site": "http://127.0.0.1:1", "licence": "CC0-1.0", "pages": ["/"]}
    workplace.franchise("tales", {**source, "links": "a", key: "div[class="})
    file = workplace.folder / "corpora" / "tales" / "defs.yaml"
    lines = file.read_text().splitlines()
    line = next(n for n, text in enumerate(lines, 1) if "div[class=" in text)
    process = workplace.start("web", "tales")
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 2
    assert f"{file}:{line}: " in stderr
    assert "'div[class=' is no CSS selector of elements" in stderr


#: What a person writes for a site whose index is JSON and whose tales are plain text.
OWN_SPIDER = '''\
"""The tales of the Tamber: an index in JSON, and a file of plain text for each tale."""

from collections.abc import AsyncIterator

from crawlers.explain import SourceError
from crawlers.franchise_spider import Found
from crawlers.sources import AnySource, WebSource
from crawlers.spiders.web import WebSpider


class TamberSpider(WebSpider):
    """`pages:` of its sources are indexes."""

    name = "tamber"
    story_types = ("text/plain",)

    async def listing(self, source: AnySource) -> AsyncIterator[Found]:
        """The tales of each index that are finished."""
        assert isinstance(source, WebSource)
        for path in source.pages:
            index = await self.read_json(source.site + path)
            if not isinstance(index, dict) or "tales" not in index:
                raise SourceError(f"{path} is no index of tales")
            for tale in index["tales"]:
                if tale.get("finished"):
                    yield self.story(source.site + tale["file"], source, title=tale["name"])
'''


def test_a_spider_for_an_unlike_site_is_under_forty_lines(workplace, serve_pages) -> None:
    assert len(OWN_SPIDER.splitlines()) < 40
    ast.parse(OWN_SPIDER)
    folder = workplace.folder / "spiders"
    folder.mkdir()
    (folder / "tamber.py").write_text(OWN_SPIDER)
    workplace.environment["LOREMILL_SPIDERS"] = str(folder)
    tales = [{"name": f"Tale {n}", "file": f"/tales/{n}.txt", "finished": n != 3} for n in range(4)]
    served = serve_pages({f"/tales/{n}.txt": text(200, f"Tale {n}.") for n in range(4)})
    served.site.pages["/index.json"] = text(200, json.dumps({"tales": tales}), "application/json")
    workplace.franchise("tales", served.source(spider="tamber", pages=["/index.json"]))
    crawl = workplace.crawl("tamber", "tales")
    assert crawl.status == 0, crawl.stderr
    assert {row["title"]: row["body"] for row in crawl.pages().values()} == {
        f"Tale {n}": f"Tale {n}.".encode() for n in range(3)
    }
    assert workplace.crawl("tamber", "tales").outcome.unchanged == 3
    served.site.pages["/index.json"] = text(200, "<html>Moved</html>", "application/json")
    crawl = workplace.crawl("tamber", "tales")
    (error,) = crawl.errors
    assert "/index.json is no JSON" in error
    assert crawl.store.count() == 3  # a listing that failed takes nothing away


def test_a_spider_that_nobody_wrote_is_a_mistake(workplace) -> None:
    source = {"spider": "tamber", "site": "http://127.0.0.1:1", "licence": "CC0-1.0"}
    workplace.franchise("tales", {**source, "pages": ["/"]})
    process = workplace.start("web", "tales")
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "'tamber' is unknown; allowed: " in stderr
