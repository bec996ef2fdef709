"""robots.txt as RFC 9309 has it: what is allowed, what forbids, how the file is read."""

import socket
from itertools import pairwise

import pytest

from crawlers.politeness.robots import robots_text
from crawlers.politeness.site_wall import has_dot_segments
from crawlers.samplesite.exchange import Response, html, text

CLOSES_ALL = "User-agent: *\nDisallow: /\n"


def plain(body: bytes) -> Response:
    return Response(200, body, {"Content-Type": "text/plain"})


@pytest.mark.parametrize("status", [403, 404])
def test_missing_allows(served, crawl, status: int) -> None:
    served.site.always["/robots.txt"] = text(status, CLOSES_ALL)
    done = crawl(titles=("Film 1",))
    assert done.status == 0, done.stderr
    assert done.outcome.robots[served.origin] == str(status)


@pytest.mark.parametrize("status", [429, 500, 302])
def test_unreachable_forbids(served, crawl, status: int) -> None:
    """A redirect without a place to go is no answer either."""
    served.site.always["/robots.txt"] = text(status, "User-agent: *\nAllow: /\n")
    done = crawl("-s", "RETRY_TIMES=0", titles=("Film 1",))
    assert done.status == 1
    assert set(served.paths()) == {"/robots.txt"}
    assert f"answered {status}, so nothing there may be crawled" in done.errors[-1]


def test_silence_forbids(workplace) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        origin = f"http://127.0.0.1:{silent.getsockname()[1]}"
        workplace.franchise("films", {"spider": "wikipedia", "site": origin, "titles": ["A"]})
        options = ("-s", "DOWNLOAD_TIMEOUT=1", "-s", "RETRY_TIMES=0")
        done = workplace.crawl("wikipedia", "films", *options)
    assert done.status == 1
    assert "robots.txt could not be had" in done.errors[-1]
    assert "forbids all" in done.outcome.robots[origin]


def chain(served, hops: int) -> None:
    """robots.txt lies `hops` redirects away and closes Film 3."""
    places = ["/robots.txt", *(f"/robots-{hop}" for hop in range(1, hops + 1))]
    for place, following in pairwise(places):
        served.site.always[place] = text(302, "", Location=following)
    served.site.always[places[-1]] = text(200, "User-agent: *\nDisallow: /wiki/Film_3\n")


def test_five_redirects_are_followed(served, crawl) -> None:
    chain(served, 5)
    done = crawl()
    assert done.status == 0, done.stderr
    assert "/wiki/Film_2" in served.paths()
    assert "/wiki/Film_3" not in served.paths()


def test_more_redirects_forbid(served, crawl) -> None:
    chain(served, 6)
    done = crawl()
    assert done.status == 1
    assert served.paths()[-1] == "/robots-5"
    assert "robots.txt could not be had" in done.errors[-1]


def test_a_redirect_off_the_site_forbids(served, crawl, serve) -> None:
    other = serve()
    served.site.always["/robots.txt"] = text(302, "", Location=f"{other.origin}/robots.txt")
    done = crawl()
    assert done.status == 1
    assert other.paths() == []
    assert served.paths() == ["/robots.txt"]
    assert "leads off the site" in done.errors[-1]


def test_the_group_for_this_robot_counts_however_its_lines_end(served, crawl) -> None:
    lines = [
        "User-agent: *", "Disallow: /", "Crawl-delay: 600", "",
        "User-agent: somebot", "User-agent: LOREmill # that is us",
        "Disallow: /wiki/Film_3", "Crawl-delay: 0.2", "",
        "User-agent: otherbot", "Crawl-delay: 700",
    ]  # fmt: skip
    served.site.always["/robots.txt"] = plain(b"\xef\xbb\xbf" + "\r".join(lines).encode())
    done = crawl()
    assert done.status == 0, done.stderr
    assert "/wiki/Film_3" not in served.paths()
    assert len(served.paths("/wiki/")) == 3
    assert done.outcome.robots[served.origin] == "200, Crawl-delay 0.2"
    assert done.outcome.shortest_gap >= 0.2


def test_only_the_first_half_megabyte_is_read(served, crawl) -> None:
    first = b"User-agent: *\nDisallow: /wiki/Film_3\n"
    served.site.always["/robots.txt"] = plain(first + b"# filling\n" * 500_000 + b"Disallow: /\n")
    done = crawl()
    assert done.status == 0, done.stderr
    assert set(served.paths("/wiki/")) == {f"/wiki/Film_{n}" for n in (1, 2, 4)}


def test_a_line_that_the_bound_cuts_is_not_a_rule() -> None:
    body = b"User-agent: *\n" + b"Disallow: /wiki/Shipping:\n" * 30_000
    read = robots_text(body)
    assert 500 * 2**10 < len(read) <= 512 * 2**10
    assert set(read.splitlines()[1:]) == {"Disallow: /wiki/Shipping:"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_no_part_of_the_first_line(encoding: str) -> None:
    assert robots_text(CLOSES_ALL.encode(encoding)) == CLOSES_ALL


def test_invalid_utf8_spoils_only_its_own_line(served, crawl) -> None:
    body = b"# caf\xe9\nUser-agent: *\nDisallow: /wiki/Film_3\n"
    served.site.always["/robots.txt"] = plain(body)
    assert crawl().status == 0
    assert "/wiki/Film_3" not in served.paths()


def test_a_page_in_its_place_closes_nothing(served, crawl) -> None:
    served.site.always["/robots.txt"] = html(200, "<html><title>Welcome</title></html>")
    assert crawl(titles=("Film 1",)).status == 0


def test_it_is_read_again_when_it_is_old(served, crawl) -> None:
    served.site.script["/robots.txt"] = [text(200, "User-agent: *\nCrawl-delay: 0.3\n")]
    served.site.always["/robots.txt"] = text(200, "User-agent: *\nDisallow: /wiki/\n")
    done = crawl("-s", "ROBOTS_MAX_AGE=0.2")
    assert done.status == 1
    assert served.paths("/wiki/") == []
    assert len(served.paths("/robots.txt")) >= 2
    assert len(done.outcome.failures) == 4
    assert all("robots.txt closes /wiki/" in failure["what"] for failure in done.outcome.failures)


@pytest.mark.parametrize(
    ("path", "has_them"),
    [
        ("/wiki/../private/x", True),
        ("/wiki/%2e%2E/private/x", True),
        ("/wiki/..%2fprivate/x", True),
        ("/wiki/..\\private", True),
        ("/wiki/.%5cprivate", True),
        ("/wiki/..", True),
        ("/wiki/./x", True),
        ("/wiki/...And_Justice_for_All", False),
        ("/wiki/A..B/C.", False),
        ("/wiki/x?title=../y#/../z", False),
    ],
)
def test_dot_segments(path: str, has_them: bool) -> None:
    assert has_dot_segments(f"http://h{path}") == has_them


@pytest.mark.parametrize("way", ["/wiki/%2e%2e/private/x", "/wiki/..%2fprivate/x"])
def test_no_way_leads_around_it(served, crawl, way: str) -> None:
    served.site.always["/robots.txt"] = text(200, "User-agent: *\nDisallow: /private/\n")
    served.site.always["/wiki/Film_1"] = text(302, "", Location=way)
    done = crawl(titles=("Film 1",))
    assert not any("private" in path for path in served.paths())
    (failure,) = done.outcome.failures
    assert "as a part of its path" in failure["what"]
