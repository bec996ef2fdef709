"""What sites and pages say about use by machines, and where it is kept."""

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from protego import Protego
from scrapy.http import HtmlResponse, Response

from crawlers.contact import ROBOT
from crawlers.outcome import requests_path
from crawlers.politeness.signals import combined, robots_signals, usage_signals
from crawlers.samplesite.exchange import html, text


def page(head: str, kind: str = "text/html; charset=UTF-8") -> Response:
    body = f"<!doctype html><html><head>{head}</head><body></body></html>".encode()
    return HtmlResponse("http://h", headers={"Content-Type": kind}, body=body)


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({}, None),
        ({"X-Robots-Tag": "noai"}, "noai"),
        ({"X-Robots-Tag": "noindex, NoImageAI, noai"}, "noai; noimageai"),
        ({"X-Robots-Tag": "noindex"}, None),
        ({"X-Robots-Tag": "loremill: noai"}, "noai"),
        ({"X-Robots-Tag": "*: noai"}, "noai"),
        ({"X-Robots-Tag": "otherbot: noindex, noai"}, None),
        ({"X-Robots-Tag": "otherbot: noindex, Loremill: noai"}, "noai"),
        ({"X-Robots-Tag": "max-snippet: 10, noai"}, "noai"),
        ({"X-Robots-Tag": "unavailable_after: 25 Jun 2030 15:00:00 PST, noai"}, "noai"),
        ({"X-Robots-Tag": ["otherbot: noai", "noimageai"]}, "noimageai"),
        ({"Content-Signal": "search=yes, ai-input=no,ai-train = NO"},
         "ai-input=no; ai-train=no; search=yes"),
        ({"Content-Signal": "ai-train=maybe, no-ai-train=no, ai-trains=no"}, None),
        ({"Content-Signal": ["ai-train=yes", "ai-train=no"]}, "ai-train=no"),
        ({"tdm-reservation": "1"}, "tdm-reservation=1"),
        ({"tdm-reservation": "yes"}, None),
        ({"tdm-reservation": ["0", "1"], "X-Robots-Tag": "noai"}, "noai; tdm-reservation=1"),
    ],
)  # fmt: skip
def test_headers(headers: dict[str, object], said: str | None) -> None:
    assert usage_signals(Response("http://h", headers=headers, body=b"text")) == said


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("<title>noai</title>", None),
        ('<meta name="robots" content="noai, noimageai">', "noai; noimageai"),
        ("<META content='max-image-preview:large, NoAI' NAME=Robots />", "noai"),
        ("<meta name=Loremill content=noai>", "noai"),
        ('<meta name="otherbot" content="noai">', None),
        ('<meta\n  name="robots"\n  content="noindex,noai"\n>', "noai"),
        ('<meta name="tdm-reservation" content="1">', "tdm-reservation=1"),
        ('<meta name="tdm-reservation" content="0">', "tdm-reservation=0"),
        ('<meta name="description" content="about noai">', None),
        ('</head><body><meta name="robots" content="noai">', None),
    ],
)
def test_head(head: str, said: str | None) -> None:
    assert usage_signals(page(head)) == said
    assert usage_signals(page(head, "text/plain")) is None


@pytest.mark.parametrize(
    "hostile",
    [
        b"noai" + b"<meta " * 200_000,
        b"noai" + b"<meta name=" * 100_000 + b">",
        b"noai<meta " + b'name="' * 200_000,
        b"noai<meta name=robots content=" + b"noai," * 200_000 + b">",
    ],
)
def test_a_hostile_head_is_passed_quickly(hostile: bytes) -> None:
    """Quickly: many times within the time that a test has at most."""
    for _ in range(1_000):
        usage_signals(HtmlResponse("http://h", headers={"Content-Type": "text/html"}, body=hostile))


@pytest.mark.parametrize(
    ("robots", "said"),
    [
        ("", None),
        ("User-Agent: *\nContent-Signal: search=yes, ai-train=no\nAllow: /\n",
         "ai-train=no; search=yes"),
        ("Content-Signal: ai-train=no\nUser-Agent: *\nAllow: /\n", None),  # of no group
        ("user-agent: loremill\ncontent-signal: ai-train=yes # so be it\n\n"
         "User-agent: *\nContent-Signal: ai-train=no\n", "ai-train=yes"),
        ("User-agent: otherbot\nContent-Signal: ai-train=no\n", None),
        ("User-agent: a\nSitemap: http://h/x\nUser-agent: Loremill\nContent-Signal: search=no\n",
         "search=no"),
        ("User-agent:\nContent-Signal: ai-train=no\n", None),
        ("User-agent: *\nContent-Signal: ai-train=no\n\nUser-agent: *\nContent-Signal: search=yes",
         "ai-train=no; search=yes"),
        ("\r".join(["User-agent: *", "Content-Signal: ai-input=no"]), "ai-input=no"),
    ],
)  # fmt: skip
def test_robots(robots: str, said: str | None) -> None:
    assert robots_signals(robots) == said


_AGENTS = st.sampled_from(["*", "Loremill", "LOREMILL", "lore", "lore*", "millbot", ""])
_GROUPS = st.lists(st.lists(_AGENTS, min_size=1, max_size=3), min_size=1, max_size=3)


@given(_GROUPS, st.sampled_from(["\n", "\r\n", "\n\n", "\nSitemap: http://h/s\n"]))
def test_the_group_is_the_one_whose_rules_are_obeyed(groups: list[list[str]], end: str) -> None:
    keys = ["search", "ai-input", "ai-train"]
    lines = []
    for key, agents in zip(keys, groups, strict=False):
        lines += [f"User-agent: {agent}" for agent in agents]
        lines += [f"Content-Signal: {key}=no", f"Disallow: /{key}"]
    robots = end.join(lines)
    obeyed = Protego.parse(robots)
    closed = [f"{key}=no" for key in sorted(keys)
              if not obeyed.can_fetch(f"http://h/{key}", ROBOT)]  # fmt: skip
    assert (robots_signals(robots) or "") == "; ".join(closed)


def test_site_and_page_say_it_together() -> None:
    assert combined(None, None) is None
    assert combined("ai-train=no; search=yes", "noai") == "ai-train=no; noai; search=yes"
    assert combined("ai-train=no", "ai-train=yes") == "ai-train=no"


def test_signals_stand_with_the_page_the_outcome_and_the_record(served, crawl) -> None:
    said = "User-agent: *\nContent-Signal: search=yes, ai-train=no\n"
    served.site.always["/robots.txt"] = text(200, said)
    served.site.always["/wiki/Film_2"] = html(
        200, "<html><body>x</body></html>", X_Robots_Tag="noai"
    )
    done = crawl()
    assert done.status == 0, done.stderr
    signals = {url.rpartition("/")[2]: page["signals"] for url, page in done.pages().items()}
    site = "ai-train=no; search=yes"
    assert signals == {
        "Film_1": site, "Film_2": "ai-train=no; noai; search=yes", "Film_3": site, "Film_4": site
    }  # fmt: skip
    assert done.outcome.signals == {"ai-train=no": 4, "search=yes": 4, "noai": 1}
    assert done.outcome.robots[served.origin] == f"200, {site}"
    assert "ai-train=no on 4 pages; noai on 1 page" in done.stderr
    rows = pq.read_table(requests_path(done.store.root, done.outcome.crawl_id)).to_pylist()
    assert [row["done"] for row in rows if row["kind"] == "robots"] == [site]
