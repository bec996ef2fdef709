"""A MediaWiki on loopback that is only fast: generated pages of some 30 kB, and their listing.

`python benchmarks/wiki_server.py PAGES` prints its port, and what it was asked when told to by
`GET /asked`. It is its own process and writes ready bytes, so that a crawl is never waiting for it:
the replica of `crawlers.samplesite` renders each page and would be the bottleneck.
"""

import asyncio
import json
import random
import sys
import time
from urllib.parse import parse_qs, urlsplit

_BATCH = 500  # what the API gives a request at the most
#: Bodies differ, so that they compress like a wiki's; more of them than a Parquet row group holds.
_BODIES = 300
_PARAGRAPHS = 40
_SENTENCES = 6
_HEAD = (
    "HTTP/1.1 200 OK\r\nContent-Type: {kind}; charset=UTF-8\r\n"
    "Last-Modified: Mon, 05 Jan 2026 08:00:00 GMT\r\nContent-Length: {length}\r\n\r\n"
)


def _bodies() -> list[bytes]:
    draw = random.Random(1)  # noqa: S311 - words, not secrets
    words = [
        "".join(draw.choices("aeioubcdfghlmnprstvw", k=draw.randint(2, 11))) for _ in range(4000)
    ]

    def sentence() -> str:
        return " ".join(draw.choices(words, k=draw.randint(8, 28))).capitalize() + ". "

    def paragraph() -> str:
        link = draw.choice(words)
        text = "".join(sentence() for _ in range(_SENTENCES))
        return f'<p>{text}<a href="/wiki/{link}" title="{link}">{link}</a></p>\n'

    return ["".join(paragraph() for _ in range(_PARAGRAPHS)).encode() for _ in range(_BODIES)]


class Wiki:
    """All answers, ready or nearly so; `edited` pages have a newer revision."""

    def __init__(self, pages: int):
        self.pages = pages
        self.bodies = _bodies()
        self.asked = {"page": 0, "listing": 0, "robots": 0}
        self.first = self.last = 0.0  # when the first and the last page was asked for

    def answer(self, target: str) -> bytes:
        """The whole answer to `GET target`."""
        path = urlsplit(target).path
        if path.startswith("/wiki/Page_"):
            self.asked["page"] += 1
            self.last = time.monotonic()
            self.first = self.first or self.last
            return _html(self.page(int(path.removeprefix("/wiki/Page_"))))
        if path == "/w/api.php":
            self.asked["listing"] += 1
            query = parse_qs(urlsplit(target).query)
            return _json(self.listing(int(query.get("gcmcontinue", ["0"])[0])))
        if path == "/robots.txt":
            self.asked["robots"] += 1
            return _answer("text/plain", b"User-agent: *\nDisallow: /trap/\n")
        if path == "/asked":
            told = _json({**self.asked, "first": self.first, "last": self.last})
            self.asked = dict.fromkeys(self.asked, 0)
            self.first = self.last = 0.0
            return told
        return _answer("text/plain", b"")

    def page(self, number: int) -> bytes:
        """A page as a skin of MediaWiki serves it."""
        return (
            b'<!DOCTYPE html>\n<html><head><title>Page %d</title><script>RLCONF={"wgArticleId":%d,'
            b'"wgRevisionId":%d};</script></head><body><div class="mw-parser-output">\n'
            % (number, number + 1, 1000 + number)
            + self.bodies[number % _BODIES]
            + b"</div></body></html>\n"
        )

    def listing(self, start: int) -> dict[str, object]:
        """The category's members from number `start` on."""
        end = min(start + _BATCH, self.pages)
        answer: dict[str, object] = {
            "batchcomplete": True,
            "query": {
                "pages": [
                    {"pageid": n + 1, "ns": 0, "title": f"Page {n}", "lastrevid": 1000 + n}
                    for n in range(start, end)
                ]
            },
        }
        if end < self.pages:
            answer["continue"] = {"gcmcontinue": str(end), "continue": "gcmcontinue||"}
        return answer


def _answer(kind: str, body: bytes) -> bytes:
    return _HEAD.format(kind=kind, length=len(body)).encode() + body


def _html(body: bytes) -> bytes:
    return _answer("text/html", body)


def _json(value: object) -> bytes:
    return _answer("application/json", json.dumps(value).encode())


class _Connection(asyncio.Protocol):
    """HTTP/1.1 with keep-alive, GET without a body, and nothing else."""

    def __init__(self, wiki: Wiki):
        self._wiki = wiki
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, self._received = self._received.split(b"\r\n\r\n", 1)
            assert isinstance(self._transport, asyncio.Transport)
            self._transport.write(self._wiki.answer(head.split(b" ", 2)[1].decode()))


async def _serve(pages: int) -> None:
    wiki = Wiki(pages)
    server = await asyncio.get_running_loop().create_server(
        lambda: _Connection(wiki), "127.0.0.1", 0
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
