"""The bounds that hold whatever a site serves (issue 3): pages a crawl, depth, memory.

Those of a page, its size, unpacked size, time and redirects, are rows of `fault_table.py`.
"""

from collections.abc import Callable

from tests.crawl_workplace import Workplace
from tests.integration.fault_server import FaultServer, floods_headers, paths, source
from tests.integration.fault_table import API, OPTIONS, PAGE
from tests.integration.judge import is_told, is_whole


def test_what_has_no_bound_of_its_own_ends_the_crawl(
    workplace: Workplace, faulty: Callable[..., FaultServer]
) -> None:
    server = faulty(PAGE, floods_headers)
    workplace.franchise("films", source(server))
    memory = ("-s", "MEMUSAGE_LIMIT_MB=180", "-s", "MEMUSAGE_CHECK_INTERVAL_SECONDS=0.2")
    crawl = workplace.crawl("wikipedia", "films", *OPTIONS, *memory)
    is_told(crawl, crawl.outcome, 1)
    is_whole(crawl.store)
    assert "memusage_exceeded" in crawl.errors[0]


def test_more_pages_than_a_crawl_may_have(
    workplace: Workplace, faulty: Callable[..., FaultServer]
) -> None:
    server = faulty()
    workplace.franchise("films", source(server))
    crawl = workplace.crawl("wikipedia", "films", *OPTIONS, "-s", "MAX_PAGES=5")
    is_told(crawl, crawl.outcome, 1)
    is_whole(crawl.store)
    (error,) = crawl.errors
    for word in ("defs.yaml", server.origin, "more pages than a crawl may have (5)", "MAX_PAGES"):
        assert word in error
    assert len(paths(server.asked, "/wiki/*")) == 5
    enough = workplace.crawl("wikipedia", "films", *OPTIONS, "-s", "MAX_PAGES=12")
    is_told(enough, enough.outcome, 0)


def test_categories_are_followed_no_deeper_than_asked(
    workplace: Workplace, faulty: Callable[..., FaultServer]
) -> None:
    server = faulty()
    for level in range(6):  # 0 > 1 > … > 5 > 0: a circle
        below = (f"Level {(level - 1) % 6}",)
        server.site.wiki.create(f"Category:Level {level}", categories=below)
        server.site.wiki.create(f"Deep {level}", categories=(f"Level {level}",))
    for depth, pages in ((2, 3), (10, 6)):
        server.asked.clear()
        workplace.franchise("films", source(server, categories=["Level 0"], depth=depth))
        crawl = workplace.crawl("wikipedia", "films", *OPTIONS)
        is_told(crawl, crawl.outcome, 0)
        assert len(crawl.pages()) == pages
        assert len(paths(server.asked, API)) == pages  # each category is listed once


def test_a_depth_beyond_ten_is_a_mistake(
    workplace: Workplace, faulty: Callable[..., FaultServer]
) -> None:
    server = faulty()
    workplace.franchise("films", source(server, categories=["Films"], depth=11))
    crawl = workplace.crawl("wikipedia", "films")
    assert crawl.status == 2
    (error,) = crawl.errors
    assert all(word in error for word in ("defs.yaml:", "depth", "10"))
    assert server.asked == []
