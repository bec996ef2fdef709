"""The MediaWiki spiders against a served wiki: what is listed, fetched, left alone, marked gone."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pyarrow.parquet as pq
import pytest

from crawlers.samplesite.exchange import html
from crawlers.samplesite.replicas import wikipedia
from crawlers.samplesite.server import SiteServer
from crawlers.samplesite.wiki_site import WikiSite
from pipeline.extract import SourceRules, extract
from pipeline.schema import PAGES


def a_wiki(serve, **options):
    served = serve(**options)
    served.wiki.create("Category:Films")
    served.wiki.create("Category:Old films", categories=("Films",))
    for n in range(1, 8):
        served.wiki.create(f"Film {n}", f"<p>Plot {n}.</p>", categories=("Films",))
    served.wiki.create("AC/DC: what? 50% & more", "<p>Odd.</p>", categories=("Films",))
    served.wiki.create("Silent film", "<p>Old.</p>", categories=("Old films",))
    served.wiki.create("Film", "<p>May be</p>", categories=("Films",), disambiguation=True)
    served.wiki.create("Template:Film", "<p>No.</p>", categories=("Films",))
    served.wiki.create("Moved film", redirect_to="Film 1", categories=("Films",))
    return served


def films(served, **more):
    return {"spider": "wikipedia", "site": served.origin, "categories": ["Films"], **more}


def test_category_with_continuation_and_depth(workplace, serve: Callable) -> None:
    served = a_wiki(serve, api_cap=3)
    workplace.franchise("films", films(served, depth=1))
    crawl = workplace.crawl("wikipedia", "films", "-O", "pages.parquet")
    assert crawl.status == 0, crawl.stderr
    pages = crawl.pages()
    titles = {row["title"] for row in pages.values()}
    assert titles == {*(f"Film {n}" for n in range(1, 8)), "Silent film", "AC/DC: what? 50% & more"}
    odd = pages[f"{served.origin}/wiki/AC/DC:_what%3F_50%25_%26_more"]
    assert b"Odd." in odd["body"]
    assert odd["licence"] == "CC-BY-SA-4.0"
    assert odd["revision"] == str(served.wiki.page("AC/DC: what? 50% & more").revision)
    assert any("gcmcontinue" in path for path in served.paths("/w/api.php"))
    feed = pq.read_table(workplace.folder / "pages.parquet")
    assert feed.schema.equals(PAGES)
    assert set(feed["url"].to_pylist()) == set(pages)
    assert crawl.outcome.complete
    assert (crawl.outcome.listed, crawl.outcome.fetched) == (9, 9)
    assert served.origin in crawl.outcome.robots


def test_recrawl_fetches_what_changed_and_marks_what_is_gone(workplace, serve: Callable) -> None:
    served = a_wiki(serve)
    workplace.franchise("films", films(served))
    first = workplace.crawl("wikipedia", "films")
    before = first.store.data_version()
    served.server.log.clear()
    again = workplace.crawl("wikipedia", "films", "-O", "pages.parquet")
    assert served.paths("/wiki/") == []
    assert not (workplace.folder / "pages.parquet").exists()
    (told,) = [line for line in again.stderr.splitlines() if "nothing new was fetched" in line]
    assert "pages.parquet is not written" in told
    assert str(again.store.root) in told
    assert (again.outcome.fetched, again.outcome.unchanged, again.outcome.gone) == (0, 8, 0)
    assert again.store.data_version() == before
    (workplace.folder / "pages.parquet").write_bytes(b"of an earlier crawl")
    kept = workplace.crawl("wikipedia", "films", "-O", "pages.parquet")
    assert "pages.parquet is left as it was" in kept.stderr
    assert (workplace.folder / "pages.parquet").read_bytes() == b"of an earlier crawl"

    served.wiki.edit("Film 2", "<p>Another plot.</p>")
    served.wiki.delete("Film 3")
    served.wiki.move("Film 4", "Film four")
    served.server.log.clear()
    third = workplace.crawl("wikipedia", "films")
    assert sorted(served.paths("/wiki/")) == ["/wiki/Film_2", "/wiki/Film_four"]
    assert (third.outcome.gone, third.outcome.moved) == (1, 1)
    assert third.store.data_version() != before
    titles = {row["title"] for row in third.pages().values()}
    assert "Film 3" not in titles
    assert "Film 4" not in titles
    assert {"Film 2", "Film four"} <= titles
    assert third.store.count() == 7


def test_a_page_older_than_listed_is_fetched_again(workplace, serve: Callable) -> None:
    served = serve()
    served.wiki.create("Film", "<p>New.</p>")
    stale = '<html><script>RLCONF={"wgRevisionId":42,"wgCurRevisionId":42}</script>Old.</html>'
    served.site.script["/wiki/Film"] = [html(200, stale)] * 2
    workplace.franchise("films", {"spider": "wikipedia", "site": served.origin, "titles": ["Film"]})
    first = workplace.crawl("wikipedia", "films")
    (row,) = first.pages().values()
    assert row["revision"] == "42"
    assert first.outcome.stale == 1
    assert "1 older than listed" in first.stderr
    before = first.store.parts()
    still = workplace.crawl("wikipedia", "films")
    assert (still.outcome.stale, still.outcome.unchanged, still.status) == (1, 1, 0)
    assert still.store.parts() == before  # the same old page is not stored again
    fresh = workplace.crawl("wikipedia", "films")
    (row,) = fresh.pages().values()
    assert row["revision"] == str(served.wiki.page("Film").revision)
    assert b"New." in row["body"]
    assert fresh.outcome.stale == 0


def test_a_page_that_is_another_than_listed_is_not_stored(workplace, serve: Callable) -> None:
    served = a_wiki(serve)
    other = '<html><script>RLCONF={"wgRevisionId":9999,"wgArticleId":7}</script>Not it.</html>'
    served.site.script["/wiki/Film_3"] = [html(200, other)]
    workplace.franchise("films", films(served))
    crawl = workplace.crawl("wikipedia", "films")
    (failure,) = crawl.outcome.failures
    assert "shows the page with id 7, not" in failure["what"]
    assert "Film 3" not in {row["title"] for row in crawl.pages().values()}
    assert workplace.crawl("wikipedia", "films").outcome.fetched == 1


def test_a_page_newer_than_listed_is_not_fetched_again(workplace, serve: Callable) -> None:
    served = serve()
    page = served.wiki.create("Film", "<p>Listed.</p>")
    # As where somebody edits it between the listing and the fetch: the next listing says so too.
    newer = f'"wgRevisionId":{page.revision + 1},"wgArticleId":{page.id}'
    body = f"<html><script>RLCONF={{{newer}}}</script>Newer.</html>"
    served.site.script["/wiki/Film"] = [html(200, body)]
    workplace.franchise("films", {"spider": "wikipedia", "site": served.origin, "titles": ["Film"]})
    first = workplace.crawl("wikipedia", "films")
    (row,) = first.pages().values()
    assert row["revision"] == str(page.revision + 1)
    assert (first.outcome.stale, first.outcome.failures) == (0, [])
    served.wiki.edit("Film", "<p>Newer.</p>")
    assert workplace.crawl("wikipedia", "films").outcome.unchanged == 1


def rows(store) -> list[dict[str, object]]:
    return [row for part in store.parts() for row in pq.read_table(part).to_pylist()]


def test_a_moved_page_is_followed(workplace, serve: Callable) -> None:
    served = a_wiki(serve)
    workplace.franchise("films", films(served))
    first = workplace.crawl("wikipedia", "films")
    old_url, new_url = (f"{served.origin}/wiki/{name}" for name in ("Film_4", "Film_four"))
    old = first.pages()[old_url]
    served.wiki.move("Film 4", "Film four")
    served.site.always["/wiki/Film_four"] = html(503, "Later.")
    failed = workplace.crawl("wikipedia", "films")
    assert (failed.outcome.moved, failed.outcome.gone) == (0, 0)
    assert old_url in failed.pages()  # as long as its new place cannot be had
    del served.site.always["/wiki/Film_four"]
    served.server.log.clear()
    crawl = workplace.crawl("wikipedia", "films")
    assert served.paths("/wiki/") == ["/wiki/Film_four"]
    assert (crawl.outcome.moved, crawl.outcome.gone, crawl.outcome.fetched) == (1, 0, 1)
    assert crawl.store.count() == 8
    new = crawl.pages()[new_url]
    assert new["page_id"] == old["page_id"]
    assert int(new["revision"]) > int(old["revision"])
    (tombstone,) = [row for row in rows(crawl.store) if row["status"] == 410]
    assert (tombstone["url"], tombstone["final_url"]) == (old_url, new_url)


def test_a_move_is_told_of_even_after_a_crawl_that_broke_off(workplace, serve: Callable) -> None:
    served = a_wiki(serve)
    workplace.franchise("films", films(served))
    workplace.crawl("wikipedia", "films")
    served.wiki.move("Film 4", "Film four")
    workplace.franchise("films", films(served), films(served, name="x", categories=["No"]))
    broken = workplace.crawl("wikipedia", "films")
    assert broken.status == 1
    assert broken.store.count() == 9  # under both urls, as nothing is marked gone
    workplace.franchise("films", films(served))
    crawl = workplace.crawl("wikipedia", "films")
    assert (crawl.outcome.fetched, crawl.outcome.moved, crawl.outcome.gone) == (0, 1, 0)
    assert crawl.store.count() == 8


def test_pages_that_change_places_are_both_kept(workplace, serve: Callable) -> None:
    served = a_wiki(serve)
    workplace.franchise("films", films(served))
    workplace.crawl("wikipedia", "films")
    for title, to in (("Film 1", "Aside"), ("Film 2", "Film 1"), ("Aside", "Film 2")):
        served.wiki.move(title, to, redirect=False)
    crawl = workplace.crawl("wikipedia", "films")
    assert (crawl.outcome.fetched, crawl.outcome.gone, crawl.outcome.moved) == (2, 0, 0)
    bodies = {row["title"]: row["body"] for row in crawl.pages().values()}
    assert b"Plot 2." in bodies["Film 1"]
    assert b"Plot 1." in bodies["Film 2"]


class Languages:
    """Two wikis on one host, as Fandom has them: the second's paths all begin with /de."""

    name = "languages"

    def __init__(self, *wikis):
        self.sites = [WikiSite(wiki) for wiki in wikis]

    def answer(self, request):
        first, second = self.sites
        if request.target.startswith("/de/"):
            return second.answer(replace(request, target=request.target.removeprefix("/de")))
        return first.answer(request)

    def content_hash(self) -> str:
        return ""


def test_two_wikis_on_one_host_have_page_ids_of_their_own(workplace) -> None:
    first, second = wikipedia(), wikipedia()
    first.robots = "User-agent: *\nAllow: /\n"
    ids = [
        [wiki.create(f"{name} {n}", f"<p>Plot {n}.</p>").id for n in range(3)]
        for wiki, name in ((first, "Film"), (second, "Streifen"))
    ]
    assert ids[0] == ids[1]
    server = SiteServer([Languages(first, second)], [0])
    wiki = {"spider": "mediawiki", "licence": "CC0-1.0", "site": server.origins[0]}
    titles = [[f"{name} {n}" for n in range(3)] for name in ("Film", "Streifen")]
    paths = {"api_path": "/de/w/api.php", "article_path": "/de/wiki/$1"}  # as Special:Version has
    workplace.franchise(
        "films",
        wiki | {"name": "en", "titles": titles[0]},
        wiki | {"name": "de", "titles": titles[1]} | paths,
    )
    try:
        workplace.crawl("mediawiki", "films")
        second.delete("Streifen 1")
        second.move("Streifen 2", "Der Streifen")
        crawl = workplace.crawl("mediawiki", "films")
    finally:
        server.close()
    assert (crawl.outcome.gone, crawl.outcome.moved) == (1, 1), crawl.stderr
    told = {row["title"]: row["final_url"] for row in rows(crawl.store) if row["status"] == 410}
    assert told["Streifen 1"] is None
    assert told["Streifen 2"].endswith("/de/wiki/Der_Streifen")


def test_a_document_keeps_its_id_when_its_page_is_moved(workplace, serve: Callable) -> None:
    served = serve()
    story = (
        "<p>The keeper lit the lamp and walked down to the harbour. There the boats lay as she had "
        "left them, all but one, which had turned its bow to the sea. She untied it, for who holds "
        "what wants to leave? In the morning it was back, and in it sat her brother, older than "
        "their father had ever been, with a net full of letters that she was still to write.</p>"
    )
    served.wiki.create("Film 1", f"<h2>Plot</h2>{story}", categories=("Films",))
    workplace.franchise("films", films(served))

    def document() -> dict[str, object]:
        store = workplace.crawl("wikipedia", "films").store
        rules = {"wikipedia": SourceRules(None, None, "en")}
        folder = workplace.folder / "documents"
        folder.mkdir(exist_ok=True)
        extract(store.current(), rules, folder)
        (row,) = pq.read_table(folder / "documents.parquet").to_pylist()
        return row

    before = document()
    served.wiki.move("Film 1", "The Lamp (film)")
    after = document()
    assert after["doc_id"] == before["doc_id"]
    assert after["work_id"] == before["work_id"]
    assert after["text_sha256"] == before["text_sha256"]
    assert after["title"] == "The Lamp (film)"


def test_a_whole_namespace_and_a_search(workplace, serve: Callable) -> None:
    served = a_wiki(serve, api_cap=3)
    served.wiki.create("Shipping:Two keepers", "<p>Together.</p>")
    served.wiki.create("Shipping:Elsewhere", redirect_to="Shipping:Two keepers")
    served.wiki.create("Apart", "<p>A lighthouse keeper, alone.</p>")
    named = {"spider": "wikipedia", "site": served.origin}
    workplace.franchise("all", {**named, "namespaces": [0, 106]})
    pages = workplace.crawl("wikipedia", "all").pages().values()
    assert {row["title"] for row in pages} == {
        *(f"Film {n}" for n in range(1, 8)), "AC/DC: what? 50% & more", "Silent film", "Apart",
        "Shipping:Two keepers",
    }  # fmt: skip
    workplace.franchise("some", {**named, "searches": ["lighthouse keeper", "plot 3"]})
    pages = workplace.crawl("wikipedia", "some").pages().values()
    assert [row["title"] for row in pages] == ["Apart", "Film 3"]
    workplace.franchise("none", {**named, "namespaces": [4], "searches": ["no such word"]})
    none = workplace.crawl("wikipedia", "none")
    assert "the namespace 4 has no pages" in none.errors[0]
    assert "the search 'no such word' finds no pages" in none.errors[1]


def test_a_failed_listing_marks_nothing_gone(workplace, serve: Callable) -> None:
    served = a_wiki(serve)
    workplace.franchise("films", films(served))
    workplace.crawl("wikipedia", "films")
    workplace.franchise(
        "films", films(served, categories=["Old films"]), films(served, name="x", categories=["No"])
    )
    crawl = workplace.crawl("wikipedia", "films", "-O", "pages.parquet")
    assert crawl.status == 1
    assert "the category 'No' has no pages" in crawl.errors[0]
    assert "defs.yaml: source x" in crawl.errors[0]
    assert crawl.outcome.gone == 0
    assert crawl.store.count() == 9  # eight from before, and the silent film
    assert not (workplace.folder / "pages.parquet").exists()


def test_a_crawl_that_misses_most_pages_is_not_complete(workplace, serve: Callable) -> None:
    served = a_wiki(serve)
    workplace.franchise("films", films(served))
    workplace.crawl("wikipedia", "films", "-O", "pages.parquet")
    before = (workplace.folder / "pages.parquet").read_bytes()
    served.wiki.delete("Film 7")
    for n in range(1, 7):
        served.wiki.edit(f"Film {n}", f"<p>Plot {n}, told anew.</p>")
        if n > 1:
            served.site.always[f"/wiki/Film_{n}"] = html(404, "<p>Not today.</p>")
    crawl = workplace.crawl("wikipedia", "films", "-O", "pages.parquet")
    assert crawl.status == 1
    assert "only 2 of 7 pages could be had" in crawl.errors[0]
    assert "/wiki/Film_2, is not there (status 404)" in crawl.errors[0]
    assert crawl.stderr.count("failed: http") == 3
    assert not crawl.outcome.complete
    assert (crawl.outcome.fetched, crawl.outcome.gone, crawl.store.count()) == (1, 0, 8)
    assert (workplace.folder / "pages.parquet").read_bytes() == before


def test_first_source_wins_and_limit_holds(workplace, serve: Callable) -> None:
    served = a_wiki(serve)
    workplace.franchise(
        "films",
        films(served, name="some", limit=2),
        films(served, name="all", categories=["Films", "Old films"]),
    )
    pages = workplace.crawl("wikipedia", "films").pages().values()
    sources = {source: [p["title"] for p in pages if p["source"] == source] for source in
               ("some", "all")}  # fmt: skip
    assert len(sources["some"]) == 2
    assert len(sources["all"]) == 7
    assert not set(sources["some"]) & set(sources["all"])


def test_a_limit_keeps_every_source_from_marking_pages_gone(workplace, serve: Callable) -> None:
    served = a_wiki(serve)
    old = films(served, name="old", categories=["Old films"])
    served.wiki.create("Silent twin", "<p>Old.</p>", categories=("Old films",))
    workplace.franchise("films", films(served, name="some"), old)
    assert workplace.crawl("wikipedia", "films").store.count() == 10
    served.wiki.delete("Silent film")
    workplace.franchise("films", films(served, name="some", limit=1), old)
    # What the limit cuts off may be any page, also one that another source listed before.
    cut = workplace.crawl("wikipedia", "films")
    assert (cut.outcome.listed, cut.outcome.gone, cut.store.count()) == (2, 0, 10)
    workplace.franchise("films", films(served, name="all", limit=1))
    cut = workplace.crawl("wikipedia", "films")
    assert (cut.outcome.listed, cut.outcome.gone, cut.store.count()) == (1, 0, 10)
    workplace.franchise("films", films(served, name="some"), old)
    assert workplace.crawl("wikipedia", "films").outcome.gone == 1


def test_series_titles_and_list_pages(workplace, serve: Callable) -> None:
    served = serve("bulbapedia")
    for n in (1, 2, 4):
        served.wiki.create(f"EP00{n}", f"<p>Episode {n}</p>")
    served.wiki.create("Special one", "<p>Special</p>")
    served.wiki.create("List", '<p><a href="/wiki/Linked">a</a> <a href="/wiki/Red_link">b</a></p>')
    served.wiki.create("Linked", "<p>Linked</p>")
    served.wiki.create("EP999", redirect_to="Special one")
    workplace.franchise(
        "show",
        {
            "spider": "bulbapedia",
            "site": served.origin,
            "series": [{"prefix": "EP", "first": 1, "last": 4}],
            "titles": ["EP999", "special_one", "No|title"],
            "list_pages": ["List"],
        },
    )
    crawl = workplace.crawl("bulbapedia", "show")
    assert crawl.status == 0, crawl.stderr
    titles = [row["title"] for row in crawl.pages().values()]
    assert titles == ["Linked", "EP001", "EP002", "EP004", "Special one"]
    assert {row["licence"] for row in crawl.pages().values()} == {"CC-BY-NC-SA-2.5"}
    assert [failure["what"].split("'")[1] for failure in crawl.outcome.failures] == [
        "EP003",
        "No|title",
    ]
    times = [entry.time for entry in served.requests("/wiki/")]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert sum(gaps) / len(gaps) >= 0.045  # the replica's robots.txt: Crawl-delay: 0.05


@pytest.mark.parametrize(
    ("spider", "franchise", "words"),
    [
        ("wikipedia", "nowhere", ["nowhere", "films"]),
        ("gutenberg", "films", ["defs.yaml", "no source", "wikipedia"]),
        ("wikipedo", "films", ["wikipedo", "bulbapedia, ", "wikipedia"]),
    ],
)
def test_mistakes_are_named(workplace, spider: str, franchise: str, words: list[str]) -> None:
    workplace.franchise("films", {"spider": "wikipedia", "titles": ["A"]})
    crawl = workplace.crawl(spider, franchise)
    assert crawl.status == 2
    assert len(crawl.errors) == 1
    assert all(word in crawl.errors[0] for word in words)
    assert "Traceback" not in crawl.stderr


def test_parquet_feed_is_not_appended_to(workplace) -> None:
    workplace.franchise("films", {"spider": "wikipedia", "titles": ["A"]})
    good = workplace.folder / "pages.parquet"
    good.write_bytes(b"the last good file")
    crawl = workplace.crawl("wikipedia", "films", "-o", "pages.parquet")
    assert crawl.status == 2
    assert "use -O" in crawl.errors[0]
    assert good.read_bytes() == b"the last good file"


def test_a_full_disk_ends_the_crawl_and_keeps_what_was_there(workplace, serve: Callable) -> None:
    served = serve()
    for n in range(1, 7):
        served.wiki.create(f"Film {n}", "<p>" + "plot " * 4_000 + "</p>")
    titles = [f"Film {n}" for n in range(1, 7)]
    source = {"spider": "wikipedia", "site": served.origin, "titles": titles}
    workplace.franchise("films", {**source, "limit": 1})
    before = workplace.crawl("wikipedia", "films").store.data_version()
    workplace.franchise("films", source)
    crawl = workplace.crawl("wikipedia", "films", largest_file=50_000)
    assert crawl.status == 1
    assert len(crawl.errors) == 1
    assert "cannot be stored" in crawl.errors[0]
    assert "Traceback" not in crawl.stderr
    assert "LOREMILL_DATA" in crawl.errors[0]
    assert "Film_6" not in " ".join(served.paths("/wiki/"))  # not crawled in vain
    assert crawl.store.data_version() == before
    again = workplace.crawl("wikipedia", "films")
    assert again.status == 0
    assert again.store.count() == 6
    assert again.outcome.unchanged == 3  # the first, and two out of the torn journal


def test_a_disk_too_full_even_for_the_outcome_is_told(workplace, serve: Callable) -> None:
    served = a_wiki(serve)
    workplace.franchise("films", films(served))
    before = workplace.crawl("wikipedia", "films")
    served.wiki.create("A New Film", "<p>Told once.</p>", categories=("Films",))
    crawl = workplace.crawl("wikipedia", "films", largest_file=100)
    assert crawl.status == 1
    assert len(crawl.errors) == 2  # the pages, and the record of the requests
    assert all("LOREMILL_DATA" in error for error in crawl.errors)
    assert "Traceback" not in crawl.stderr
    assert crawl.outcome == before.outcome
    assert crawl.store.data_version() == before.store.data_version()


def test_a_disk_too_full_to_seal_what_a_crawl_left_is_told(workplace, serve: Callable) -> None:
    served = a_wiki(serve)
    workplace.franchise("films", films(served))
    store = workplace.store("films", "wikipedia")
    workplace.crawl("wikipedia", "films", largest_file=3_000)
    assert [*(store.root / "journal").iterdir()]
    crawl = workplace.crawl("wikipedia", "films", largest_file=100)
    assert crawl.status == 1
    assert len(crawl.errors) == 1
    assert "cannot be stored" in crawl.errors[0]
    assert "LOREMILL_DATA" in crawl.errors[0]


def test_a_second_crawl_of_the_same_store_is_refused(workplace, serve: Callable) -> None:
    served = a_wiki(serve)
    workplace.franchise("films", films(served))
    first = workplace.crawl("wikipedia", "films")
    writer = first.store.writer("another")
    crawl = workplace.crawl("wikipedia", "films")
    writer.close()
    assert crawl.status == 1
    (said,) = crawl.stderr.splitlines()
    assert said.startswith("error: another crawl is writing")
    assert said.count(str(first.store.root)) == 1
    assert crawl.outcome == first.outcome


def test_scrapy_lists_the_spiders(workplace) -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "scrapy", "list"],
        env=workplace.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    named = {"bulbapedia", "fandom", "gutenberg", "mediawiki", "wikipedia"}
    assert named <= set(listed.stdout.split())  # beside those that somebody added
