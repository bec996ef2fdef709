"""A wiki as a site: its robots.txt, its articles, its API."""

from dataclasses import dataclass

from crawlers.samplesite import wiki_api, wiki_html
from crawlers.samplesite.exchange import Request, Response, html, text
from crawlers.samplesite.wiki import Wiki

#: Entries of an API listing; the real limit is 500, which no sample category would ever reach.
API_CAP = 50


@dataclass
class WikiSite:
    """One wiki replica."""

    wiki: Wiki
    api_cap: int = API_CAP
    api_path: str = "/w/api.php"

    @property
    def name(self) -> str:
        """Which site it imitates."""
        return self.wiki.name

    def answer(self, request: Request) -> Response:
        """Answer one request."""
        if request.path == "/robots.txt":
            return text(200, self.wiki.robots)
        if request.path == "/":
            return text(301, "", Location=f"{request.origin}/wiki/Main_Page")
        if request.path == self.api_path:
            return wiki_api.serve(self.wiki, request, self.api_cap)
        if request.path.startswith("/wiki/") or request.path == "/w/index.php":
            return wiki_html.serve(self.wiki, request)
        return html(404, "<!DOCTYPE html><title>Not Found</title><h1>Not Found</h1>")

    def content_hash(self) -> str:
        """A SHA-256 over all pages."""
        return self.wiki.content_hash()
