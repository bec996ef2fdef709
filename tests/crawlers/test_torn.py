"""Answers that end with their connection, or are not what was asked for, never replace a page."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

CATALOGUE = (
    b"Text#,Type,Issued,Title,Language,Authors,Subjects,LoCC,Bookshelves\n"
    b'11,Text,2020,The Lamp,en,"Ann, A.",x,PR,y\n'
)
BOOK = (
    b"*** START OF THE PROJECT GUTENBERG EBOOK THE LAMP ***\nThe lamp was lit.\n"
    b"*** END OF THE PROJECT GUTENBERG EBOOK THE LAMP ***\n"
)
OLD_BOOK = b"The lamp was lit.\n\nEnd of The Project Gutenberg Etext of The Lamp\n"
STORY = b"<html><head><title>The lamp</title></head><body><p>The lamp was lit.</p></body></html>"


def answer(body: bytes, kind: str = "text/html", *, length: bool = True) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nConnection: close\r\n"
    return (head + f"Content-Length: {len(body)}\r\n" * length + "\r\n").encode() + body


NOT_FOUND = b"HTTP/1.1 404 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass
class Bytes:
    """Sends just these bytes for a path, then closes."""

    answers: dict[str, bytes] = field(default_factory=dict)
    origin: str = ""
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def site() -> Iterator[Bytes]:
    with _served() as site:
        yield site


@contextmanager
def _served() -> Iterator[Bytes]:
    site = Bytes()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            path = self.rfile.readline().split()[1].decode()
            while self.rfile.readline().strip():
                pass
            site.asked.append(path)
            self.wfile.write(site.answers.get(path, NOT_FOUND))

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        site.origin = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield site
        server.shutdown()


def test_html_that_nothing_delimits_needs_its_end(workplace, site: Bytes) -> None:
    site.answers = {"/whole": answer(STORY, length=False), "/torn": answer(STORY, length=False)}
    source = {"spider": "web", "site": site.origin, "licence": "CC0-1.0"}
    workplace.franchise("tales", {**source, "pages": ["/whole", "/torn"]})
    assert workplace.crawl("web", "tales").store.count() == 2
    site.asked.clear()
    site.answers["/torn"] = answer(STORY[:-30], length=False)
    crawl = workplace.crawl("web", "tales")
    assert site.asked.count("/torn") == 4  # once, and RETRY_TIMES
    assert [f["what"] for f in crawl.outcome.failures] == ["the answer broke off in the middle"]
    assert {row["body"] for row in crawl.pages().values()} == {STORY}
    site.answers["/torn"] = answer(STORY[:-14])  # without its end, but of the length that was said
    crawl = workplace.crawl("web", "tales")
    assert crawl.outcome.fetched == 1


@pytest.mark.parametrize(
    ("served", "said", "times"),
    [
        (answer(STORY), "is no plain text (text/html", 1),
        (answer(b"\n<!DOCTYPE html><p>Come back", "text/plain"), "is no plain text (text/pl", 1),
        (answer(BOOK[:70], "text/plain", length=False), "broke off in the middle", 4),
        (answer(BOOK[:70], "text/plain"), "broke off in the middle", 4),
        (answer(OLD_BOOK[:20], "text/plain", length=False), "broke off in the middle", 4),
    ],
)
def test_a_book_is_replaced_by_a_whole_text_alone(
    workplace, site: Bytes, served: bytes, said: str, times: int
) -> None:
    path = "/cache/epub/11/pg11.txt"
    site.answers = {
        "/cache/epub/feeds/pg_catalog.csv": answer(CATALOGUE, "text/csv"),
        path: answer(BOOK, "text/plain; charset=utf-8"),
    }
    workplace.franchise("oz", {"spider": "gutenberg", "site": site.origin, "books": [11]})
    assert workplace.crawl("gutenberg", "oz").status == 0
    site.asked.clear()
    site.answers[path] = served
    crawl = workplace.crawl("gutenberg", "oz")
    assert crawl.status == 1
    assert said in crawl.outcome.failures[0]["what"]
    assert site.asked.count(path) == times
    assert [row["body"] for row in crawl.pages().values()] == [BOOK]


def test_an_old_book_has_its_own_end(workplace, site: Bytes) -> None:
    site.answers = {
        "/cache/epub/feeds/pg_catalog.csv": answer(CATALOGUE, "text/csv"),
        "/cache/epub/11/pg11.txt": answer(OLD_BOOK, "text/plain", length=False),
    }
    workplace.franchise("oz", {"spider": "gutenberg", "site": site.origin, "books": [11]})
    assert workplace.crawl("gutenberg", "oz").store.count() == 1


def test_pages_that_lead_to_one_are_stored_once_with_a_title_to_be_shown(
    workplace, site: Bytes
) -> None:
    to_login = (
        b"HTTP/1.1 302 F\r\nLocation: /login\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )
    page = "<html><head><title>\x1b[31mLog in\x07" + "x" * 900 + "</title></head></html>"
    site.answers = dict.fromkeys(["/a", "/b", "/c"], to_login) | {"/login": answer(page.encode())}
    source = {"spider": "web", "site": site.origin, "licence": "CC0-1.0"}
    workplace.franchise("tales", {**source, "pages": ["/a", "/b", "/c"]})
    crawl = workplace.crawl("web", "tales")
    assert crawl.status == 1
    (row,) = crawl.pages().values()
    assert row["title"].startswith("[31mLog in x")
    assert len(row["title"]) == 300
    assert [f["what"] for f in crawl.outcome.failures] == [
        f"leads to {site.origin}/login, as does {site.origin}/a: stored once"
    ] * 2
