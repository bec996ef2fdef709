"""Real crawls in child processes, against replicas on loopback that can be told to misbehave."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from resource import RLIMIT_FSIZE, setrlimit
from typing import Any

import pytest
import yaml

from crawlers.franchise import COMPONENT
from crawlers.page_store import CrawlOutcome, PageStore, pages_root
from crawlers.samplesite.exchange import Request, Response
from crawlers.samplesite.replicas import bulbapedia, wikipedia
from crawlers.samplesite.server import LoggedRequest, SiteServer
from crawlers.samplesite.wiki import Wiki
from crawlers.samplesite.wiki_site import WikiSite

ROOT = Path(__file__).parents[2]
#: Waits short enough for a test; what is obeyed stays the same.
SETTINGS = {"RETRY_BACKOFF": "0.02", "PROGRESS_INTERVAL": "0.2"}


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


@dataclass
class Finished:
    """A crawl that has ended."""

    status: int
    stderr: str
    store: PageStore

    @property
    def outcome(self) -> CrawlOutcome:
        return CrawlOutcome.load(self.store.root)

    @property
    def errors(self) -> list[str]:
        return [line for line in self.stderr.splitlines() if line.startswith("error: ")]

    def pages(self) -> dict[str, dict[str, Any]]:
        return {row["url"]: row for batch in self.store.current() for row in batch.to_pylist()}


class Workplace:
    """A corpora folder and a data root of its own."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.environment = {
            **{name: value for name, value in os.environ.items() if "LOREMILL" not in name},
            "LOREMILL_DATA": str(folder / "data"),
            "LOREMILL_CORPORA": str(folder / "corpora"),
            "SCRAPY_SETTINGS_MODULE": "crawlers.settings",
            "PYTHONPATH": str(ROOT),
        }

    def franchise(self, name: str, *sources: dict[str, Any]) -> None:
        path = self.folder / "corpora" / name / "defs.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        attributes = {"title": name, "sources": list(sources)}
        path.write_text(yaml.safe_dump({"type": COMPONENT, "attributes": attributes}), "utf-8")

    def store(self, franchise: str, spider: str) -> PageStore:
        return PageStore(pages_root(self.folder / "data", franchise, spider))

    def outcome(self, franchise: str, spider: str) -> CrawlOutcome:
        return CrawlOutcome.load(self.store(franchise, spider).root)

    def start(
        self, spider: str, franchise: str, *options: str, largest_file: int | None = None
    ) -> subprocess.Popen[str]:
        """`largest_file` in bytes stands in for a full disk."""
        settings = [part for item in SETTINGS.items() for part in ("-s", "=".join(item))]
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "scrapy", "crawl", spider),
                *("-a", f"franchise={franchise}", *settings, *options),
            ],
            cwd=self.folder,
            env=self.environment,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: largest_file and setrlimit(RLIMIT_FSIZE, (largest_file,) * 2),
        )

    def crawl(
        self, spider: str, franchise: str, *options: str, largest_file: int | None = None
    ) -> Finished:
        process = self.start(spider, franchise, *options, largest_file=largest_file)
        _, stderr = process.communicate(timeout=120)
        return Finished(process.returncode, stderr, self.store(franchise, spider))


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)


@pytest.fixture
def serve() -> Iterator[Callable[..., WikiServer]]:
    """Serves a wiki (of Wikipedia's kind, or of Bulbapedia's) until the test ends."""
    servers: list[SiteServer] = []

    def start(kind: str = "wikipedia", api_cap: int = 50) -> WikiServer:
        wiki = {"wikipedia": wikipedia, "bulbapedia": bulbapedia}[kind]()
        site = FaultySite(WikiSite(wiki, api_cap))
        servers.append(SiteServer([site], [0]))
        return WikiServer(wiki, site, servers[-1])

    yield start
    for server in servers:
        server.close()
