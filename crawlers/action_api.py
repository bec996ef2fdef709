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
#: Characters of an answer that an error shows.
_SHOWN = 120


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
        """Batches of the answer, until the API has no more. Raises SourceError.

        Each page has a title (str) and a namespace `ns` (int).
        """
        following: Json = {}
        pages: dict[str, Json] = {}
        answer = Answer()
        seen: set[str] = set()  # hashes of what came
        stale = 0
        while True:
            reply = await self._get({**parameters, **following})
            try:
                query = reply.get("query", {})
                arrived = _listed(query.get("pages", []))
                moves = {move["from"]: move["to"] for kind in ("normalized", "redirects")
                         for move in query.get(kind, [])}  # fmt: skip
                continued = _following(reply)
            except (AttributeError, KeyError, TypeError) as error:
                raise self._misshapen(reply) from error
            news = {sha256(json.dumps(page).encode()).hexdigest() for page in arrived} - seen
            seen |= news
            stale = 0 if news else stale + 1
            for page in arrived:
                # A page's properties may come in pieces, until the batch is complete.
                pages.setdefault(str(page.get("pageid") or page.get("title")), {}).update(page)
            answer.renamed.update(moves)
            if "batchcomplete" in reply or not continued:
                answer.pages = list(pages.values())
                if not all(map(_is_whole, answer.pages)):
                    raise self._misshapen(reply)
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
            raise self._misshapen(reply)
        if "error" in reply:
            detail = reply["error"]
            if not isinstance(detail, dict):
                raise self._misshapen(reply)
            raise SourceError(f"{self.url} answered {detail.get('code')}: {detail.get('info')}")
        return reply

    def _misshapen(self, reply: Any) -> SourceError:
        shown = json.dumps(reply, ensure_ascii=False)[:_SHOWN]
        return SourceError(f"{self.url} answered JSON that is not the API's: {shown}")


def _listed(pages: Any) -> list[Json]:
    """Pages as a list; before formatversion 2 they were keyed by id. Raises TypeError."""
    listed = list(pages.values()) if isinstance(pages, dict) else list(pages)
    if not all(isinstance(page, dict) for page in listed):
        raise TypeError("a page that is no object")
    return listed


def _is_whole(page: Json) -> bool:
    """Whether a page is fit to be listed; an invalid title has no namespace."""
    return (
        isinstance(page.get("title"), str)
        and ("invalid" in page or isinstance(page.get("ns"), int))
        and isinstance(page.get("pageprops", {}), dict)
    )


def _following(reply: Json) -> Json:
    """What to add to the next request; the form before MediaWiki 1.21 is a level deeper."""
    if "query-continue" in reply:
        return {name: value for part in reply["query-continue"].values()
                for name, value in part.items()}  # fmt: skip
    return dict(reply.get("continue", {}))
