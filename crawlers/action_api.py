"""MediaWiki's Action API as far as a listing needs it: query, with continuation.

Errors come with status 200, an answer may be spread over several, and old installs speak
`query-continue` and lists keyed by id; all of that ends here.
https://www.mediawiki.org/wiki/API:Query, https://www.mediawiki.org/wiki/API:Continue
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from scrapy.http import Response

from crawlers.explain import SourceError, status

Json = dict[str, Any]

#: Answers in a row that may bring nothing, as where all that a batch links to is filtered out.
_PATIENCE = 50


@dataclass
class Answer:
    """One whole batch of an answer: its pages, and how the asked titles were understood."""

    pages: list[Json] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)  # normalised or redirected: from -> to


class ActionApi:
    """The API at `url`; `download` fetches one url."""

    def __init__(self, url: str, download: Callable[[str], Awaitable[Response]]):
        self.url = url
        self._download = download

    async def query(self, **parameters: str) -> AsyncIterator[Answer]:
        """Batches of the answer, until the API has no more. Raises SourceError."""
        following: Json = {}
        pages: dict[str, Json] = {}
        answer = Answer()
        seen: set[str] = set()  # hashes of what came
        stale = 0
        while True:
            reply = await self._get({**parameters, **following})
            query = reply.get("query", {})
            arrived = _listed(query.get("pages", []))
            news = {sha256(json.dumps(page).encode()).hexdigest() for page in arrived} - seen
            seen |= news
            stale = 0 if news else stale + 1
            for page in arrived:
                # A page's properties may come in pieces, until the batch is complete.
                pages.setdefault(str(page.get("pageid") or page.get("title")), {}).update(page)
            for kind in ("normalized", "redirects"):
                answer.renamed.update({move["from"]: move["to"] for move in query.get(kind, [])})
            continued = _following(reply)
            if "batchcomplete" in reply or not continued:
                answer.pages = list(pages.values())
                yield answer
                answer, pages = Answer(), {}
            if not continued:
                return
            if stale >= _PATIENCE:
                raise SourceError(
                    f"{self.url} goes on without end: {stale} answers in a row with nothing new"
                )
            if continued == following:
                raise SourceError(f"{self.url} goes round in circles: the same continuation twice")
            following = continued

    async def _get(self, parameters: Json) -> Json:
        fixed = {"action": "query", "format": "json", "formatversion": "2", "maxlag": "5"}
        response = await self._download(f"{self.url}?{urlencode({**fixed, **parameters})}")
        if response.status != 200:
            raise SourceError(f"{self.url} {status(response.status)[0]}")
        try:
            reply = json.loads(response.body)
        except ValueError as error:
            raise SourceError(f"{self.url} answered something that is not JSON") from error
        if not isinstance(reply, dict):
            raise SourceError(f"{self.url} answered JSON that is not the API's")
        if "error" in reply:
            detail = reply["error"]
            raise SourceError(f"{self.url} answered {detail.get('code')}: {detail.get('info')}")
        return reply


def _listed(pages: Any) -> list[Json]:
    """Pages as a list; before formatversion 2 they were keyed by id."""
    return list(pages.values()) if isinstance(pages, dict) else list(pages)


def _following(reply: Json) -> Json:
    """What to add to the next request; the form before MediaWiki 1.21 is a level deeper."""
    if "query-continue" in reply:
        return {name: value for part in reply["query-continue"].values()
                for name, value in part.items()}  # fmt: skip
    following: Json = reply.get("continue", {})
    return following
