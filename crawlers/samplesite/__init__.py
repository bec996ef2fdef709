"""The bundled sample sites: a Bulbapedia, a Wikipedia and a Gutenberg on loopback.

The demo and the tests crawl these instead of the real ones: same protocols, same markup traps,
original text under CC0. `SampleSites` starts the three in Python, `python -m crawlers.samplesite`
from a shell.
"""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from crawlers.samplesite.bundle import bundled_sites
from crawlers.samplesite.content_folder import folder_sites
from crawlers.samplesite.library import LibrarySite
from crawlers.samplesite.markup import Dialect
from crawlers.samplesite.server import PortTakenError, RequestLog, SiteServer
from crawlers.samplesite.wiki import Wiki
from crawlers.samplesite.wiki_site import WikiSite

#: Where `corpora/` expects the demo's sites: bulbapedia, wikipedia, gutenberg.
PORTS = (8137, 8138, 8139)

__all__ = ["PORTS", "PortTakenError", "SampleSites"]


class SampleSites:
    """The three sites, served while the context lasts.

    `ports` are those of bulbapedia, wikipedia and gutenberg, 0 for any free one; `content` serves
    a folder's pages and books in place of the bundled ones (see `content_folder.py`). Raises
    PortTakenError, and ValueError where the folder holds nothing to serve.
    """

    def __init__(self, ports: Sequence[int] = (0, 0, 0), content: Path | None = None):
        bulbapedia, wikipedia, self.library = (
            bundled_sites() if content is None else folder_sites(content)
        )
        self.wikis: dict[str, Wiki] = {
            "bulbapedia": bulbapedia.wiki,
            "wikipedia": wikipedia.wiki,
        }
        self._server = SiteServer((bulbapedia, wikipedia, self.library), ports)
        self.bulbapedia, self.wikipedia, self.gutenberg = self._server.origins

    library: LibrarySite

    @property
    def log(self) -> RequestLog:
        """The requests received so far."""
        return self._server.log

    def edit(self, site: str, title: str, body: str) -> None:
        """Give a wiki page a new revision; pages linking to it get a new Last-Modified only."""
        self.wikis[site].edit(title, body)

    def redress(self, site: str, title: str, dialect: Dialect) -> None:
        """Serve a wiki page, its body as it is, in another markup: a new revision too."""
        wiki = self.wikis[site]
        page = wiki.page(title)
        if page is None:
            raise ValueError(f"{site} has no page {title!r}")
        wiki.edit(title, page.body, dialect)

    def delete(self, site: str, title: str) -> None:
        """Remove a wiki page."""
        self.wikis[site].delete(title)

    def move(self, site: str, title: str, to: str) -> None:
        """Rename a wiki page, leaving a redirect."""
        self.wikis[site].move(title, to)

    def close(self) -> None:
        """Stop serving."""
        self._server.close()

    def __enter__(self) -> "SampleSites":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def content_hashes(content: Path | None = None) -> list[str]:
    """The SHA-256 of what each site would serve: bulbapedia, wikipedia, gutenberg."""
    sites: tuple[WikiSite, WikiSite, LibrarySite] = (
        bundled_sites() if content is None else folder_sites(content)
    )
    return [site.content_hash() for site in sites]
