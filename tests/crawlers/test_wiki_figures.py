"""How many requests a wiki of 5,000 pages costs, counted at its server (issue 3)."""

from collections.abc import Callable, Iterator
from urllib.parse import unquote

import pytest

PAGES = 5_000
EDITS, DELETIONS, MOVES = 40, 5, 5
#: What the real API gives without login (https://www.mediawiki.org/wiki/API:Query).
API_CAP = 500


@pytest.fixture
def wiki(serve: Callable) -> Iterator:
    served = serve(api_cap=API_CAP)
    served.wiki.create("Category:Films")
    for n in range(PAGES):
        served.wiki.create(f"Film {n}", f"<p>Plot {n}.</p>", categories=("Films",))
    return served


def changed(wiki) -> set[str]:
    """Edits, deletes and moves pages; returns the titles that a re-crawl has to fetch."""
    edited = [f"Film {n}" for n in range(0, EDITS * 100, 100)]
    for title in edited:
        wiki.edit(title, f"<p>Another plot of {title}.</p>")
    for n in range(50, 50 + DELETIONS):
        wiki.delete(f"Film {n}")
    for n in range(150, 150 + MOVES):
        wiki.move(f"Film {n}", f"Picture {n}")
    return {*edited, *(f"Picture {n}" for n in range(150, 150 + MOVES))}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("named", "unchanged"),
    [
        ({"categories": ["Films"]}, 0.005),
        ({"namespaces": [0]}, 0.005),
        ({"series": [{"prefix": "Film ", "first": 0, "last": PAGES - 1, "digits": 1}]}, 0.025),
    ],
    ids=["category", "namespace", "titles"],
)
def test_requests_a_page(workplace, wiki, named: dict[str, object], unchanged: float) -> None:
    workplace.franchise("films", {"spider": "wikipedia", "site": wiki.origin, **named})

    def crawl() -> int:
        wiki.server.log.clear()
        finished = workplace.crawl("wikipedia", "films", "-s", "AUTOTHROTTLE_ENABLED=0")
        assert finished.status == 0, finished.stderr
        asked = len(wiki.paths())
        assert finished.outcome.requests == asked
        return asked

    store = workplace.store("films", "wikipedia")
    first, again = crawl(), crawl()
    assert store.count() == PAGES
    to_fetch = changed(wiki.wiki)
    third = crawl()
    print(f"{first} requests at first, {again} where nothing changed, {third} after the changes")
    assert first / PAGES <= 1.03
    assert again / PAGES <= unchanged
    fetched = [unquote(path) for path in wiki.paths("/wiki/")]
    assert sorted(fetched) == sorted(f"/wiki/{title.replace(' ', '_')}" for title in to_fetch)
    assert third <= again + len(to_fetch)
    outcome = workplace.outcome("films", "wikipedia")
    assert (outcome.fetched, outcome.gone, outcome.moved) == (EDITS + MOVES, DELETIONS, MOVES)
    assert store.count() == PAGES - DELETIONS
