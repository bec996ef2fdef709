"""What a changed YAML does to stored pages: new labels without requests, and no mass tombstones."""

from collections.abc import Callable

import pytest


@pytest.mark.parametrize("change", [{"name": "new"}, {"licence": "CC-BY-4.0"}])
def test_a_new_name_or_licence_fetches_nothing(workplace, served, change: dict[str, str]) -> None:
    titles = [f"Film {n}" for n in range(1, 5)]
    source = {"spider": "wikipedia", "name": "old", "site": served.origin, "titles": titles}
    workplace.franchise("films", source)
    first = workplace.crawl("wikipedia", "films").pages()
    served.server.log.clear()
    workplace.franchise("films", source | change)
    crawl = workplace.crawl("wikipedia", "films")
    assert crawl.status == 0, crawl.stderr
    assert served.paths("/wiki/") == []
    outcome = crawl.outcome
    assert (outcome.fetched, outcome.unchanged, outcome.gone) == (0, 4, 0)
    column, value = ("source", "new") if "name" in change else ("licence", "CC-BY-4.0")
    assert crawl.pages() == {url: row | {column: value} for url, row in first.items()}
    again = workplace.crawl("wikipedia", "films")
    assert again.store.parts() == crawl.store.parts()


def test_most_of_a_source_does_not_go_at_once_unless_it_is_meant(
    workplace, serve: Callable
) -> None:
    server = serve()
    for n in range(24):
        server.wiki.create(f"Film {n}", f"<p>Plot {n}.</p>")
    source = {"spider": "wikipedia", "site": server.origin}
    workplace.franchise("films", source | {"titles": [f"Film {n}" for n in range(24)]})
    assert workplace.crawl("wikipedia", "films").status == 0
    workplace.franchise("films", source | {"titles": [f"Film {n}" for n in range(11)]})
    crawl = workplace.crawl("wikipedia", "films")
    assert (crawl.status, crawl.outcome.gone, crawl.store.count()) == (1, 0, 24)
    (error,) = crawl.errors
    assert "source wikipedia: 13 of its 24 stored pages are not listed any more" in error
    assert "crawl once with -s MAX_GONE=1" in error
    crawl = workplace.crawl("wikipedia", "films", "-s", "MAX_GONE=1")
    assert (crawl.status, crawl.outcome.gone, crawl.store.count()) == (0, 13, 11)


@pytest.mark.parametrize("limit", ["abc", "-1"])
def test_a_limit_that_is_no_number_is_one_error(workplace, crawl, limit: str) -> None:
    workplace.environment["LOREMILL_LIMIT"] = limit
    finished = crawl()
    assert finished.status == 2
    (error,) = finished.errors
    assert f"LOREMILL_LIMIT is '{limit}'; set it to a number" in error
    assert "Traceback" not in finished.stderr


def test_a_damaged_store_ends_a_crawl_with_one_error(crawl) -> None:
    (part,) = crawl().store.parts()
    part.write_bytes(part.read_bytes()[:100])
    finished = crawl()
    assert finished.status == 1
    (error,) = finished.errors
    assert f"{part} is damaged" in error
    assert "Traceback" not in finished.stderr
