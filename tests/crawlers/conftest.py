"""Real crawls in child processes, against replicas on loopback that can be told to misbehave."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from crawlers.samplesite.exchange import Request, Response
from crawlers.samplesite.replicas import bulbapedia, wikipedia
from crawlers.samplesite.server import LoggedRequest, SiteServer
from crawlers.samplesite.wiki import Wiki
from crawlers.samplesite.wiki_site import WikiSite
from tests.crawl_workplace import Finished, Workplace


@dataclass
class FaultySite:
    """A wiki that gives the scripted answers of a path first, each once, then its own."""

    site: WikiSite
    script: dict[str, list[Response]] = field(default_factory=dict)
    always: dict[str, Response] = field(default_factory=dict)
    dead_after: str | None = None  # from the request after this path on, connections just close
    dead: bool = False
    refused: int = 0

    @property
    def name(self) -> str:
        return self.site.name

    def answer(self, request: Request) -> Response:
        if self.dead:
            self.refused += 1
            raise ConnectionAbortedError("the server is dead")
        self.dead = request.path == self.dead_after
        if self.script.get(request.path):
            return self.script[request.path].pop(0)
        return self.always.get(request.path) or self.site.answer(request)

    def content_hash(self) -> str:
        return ""


@dataclass
class WikiServer:
    """A served wiki, its faults, and what was asked of it."""

    wiki: Wiki
    site: FaultySite
    server: SiteServer

    @property
    def origin(self) -> str:
        return self.server.origins[0]

    def requests(self, prefix: str = "/") -> list[LoggedRequest]:
        return [entry for entry in self.server.log.entries() if entry.path.startswith(prefix)]

    def paths(self, prefix: str = "/") -> list[str]:
        return [entry.path for entry in self.requests(prefix)]


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)


@pytest.fixture
def serve() -> Iterator[Callable[..., WikiServer]]:
    """Serves a wiki (of Wikipedia's kind, or of Bulbapedia's) until the test ends."""
    servers: list[SiteServer] = []

    def start(kind: str = "wikipedia", **paths_and_limits: Any) -> WikiServer:
        wiki = {"wikipedia": wikipedia, "bulbapedia": bulbapedia}[kind]()
        site = FaultySite(WikiSite(wiki, **paths_and_limits))
        servers.append(SiteServer([site], [0]))
        return WikiServer(wiki, site, servers[-1])

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def served(serve: Callable[..., WikiServer]) -> WikiServer:
    """A wiki with four films."""
    server = serve()
    for n in range(1, 5):
        server.wiki.create(f"Film {n}", f"<p>Plot {n}.</p>")
    return server


@pytest.fixture
def crawl(workplace: Workplace, served: WikiServer) -> Callable[..., Finished]:
    """Crawls the films of `served`."""

    def run(
        *options: str, titles: tuple[str, ...] = ("Film 1", "Film 2", "Film 3", "Film 4")
    ) -> Finished:
        workplace.franchise(
            "films", {"spider": "wikipedia", "site": served.origin, "titles": list(titles)}
        )
        return workplace.crawl("wikipedia", "films", *options)

    return run
