"""MediaWiki's Action API as far as a listing needs it: query, with continuation.

Errors come with status 200, an answer may be spread over several, and old installs speak
`query-continue` and lists keyed by id; all of that ends here. An answer that is cut short is an
error, never the whole: what it leaves out would be taken for deleted. What is remembered of a
listing does not grow with it: that it goes in a circle is found by Brent's algorithm.
https://www.mediawiki.org/wiki/API:Query, https://www.mediawiki.org/wiki/API:Continue
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import unquote, urlencode

from scrapy.http import Response

from crawlers.explain import SourceError, status

Json = dict[str, Any]

#: Answers in a row that may bring nothing, as where all that a batch links to is filtered out.
_PATIENCE = 50
#: Pages of one batch; the API's highest limit, for bots (https://www.mediawiki.org/wiki/API:Etiquette).
_BATCH = 5_000
#: Characters of an answer that an error shows.
_SHOWN = 120
#: What to do about errors that say that this wiki's API is not for everyone.
_CLOSED = {
    "readapidenied": "only who is logged in may read this wiki; name another, or use a dump",
    "apidisabled": "this wiki's API is switched off; name another wiki, or use a dump of it",
}
#: MediaWiki's words (apiwarn-truncatedresult) where an answer outgrew $wgAPIMaxResultSize.
_TRUNCATED = "result was truncated"
_CUT = "run the same command again; what is stored stays meanwhile"
_ELSEWHERE = "give `api_path:` as the wiki's Special:Version names it, or `site:` if it has moved"


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
        places, contents = _Circle(), _Circle()
        stale = empty = 0
        old = False
        while True:
            reply = await self._get({**parameters, **following})
            try:
                query = reply.get("query", {})
                arrived = _listed(query.get("pages", []))
                old = old or _is_old(reply)
                moves = {_asked(move): move["to"] for kind in ("normalized", "redirects")
                         for move in query.get(kind, [])}  # fmt: skip
                following = _following(reply)
            except (AttributeError, KeyError, TypeError) as error:
                raise self._misshapen(reply) from error
            empty = 0 if arrived else empty + 1
            stale += bool(arrived) and contents.closes(_digest(arrived))
            for page in arrived:
                # A page's properties may come in pieces, until the batch is complete.
                pages.setdefault(str(page.get("pageid") or page.get("title")), {}).update(page)
            answer.renamed.update(moves)
            if len(pages) > _BATCH:
                raise SourceError(f"{self.url} goes on without end: a batch of {len(pages)} pages")
            is_whole = "batchcomplete" in reply or (old and _only_generates(following))
            if is_whole:
                answer.pages = list(pages.values())
                if not all(map(_is_whole, answer.pages)):
                    raise self._misshapen(reply)
                yield answer
                answer, pages = Answer(), {}
            if not following:
                if not is_whole:
                    what = f"{self.url} answered a part as if it were all: no `batchcomplete`"
                    raise SourceError(what, _CUT)
                return
            if max(stale, empty) >= _PATIENCE:
                raise SourceError(
                    f"{self.url} goes on without end: {_PATIENCE} answers with nothing new"
                )
            if places.closes(_digest(following)):
                raise SourceError(f"{self.url} goes round in circles: the same continuation twice")

    async def _get(self, parameters: Json) -> Json:
        fixed = {"action": "query", "format": "json", "formatversion": "2", "maxlag": "5"}
        response = await self._download(f"{self.url}?{urlencode({**fixed, **parameters})}")
        if response.status != 200:
            what, remedy = status(response.status)
            is_there = response.status not in (403, 404, 410)  # 403: switched off, before 1.32
            raise SourceError(f"{self.url} {what}", remedy if is_there else _ELSEWHERE)
        try:
            reply = json.loads(response.body)
            json.dumps(reply, ensure_ascii=False).encode()  # half a surrogate pair is no text
        except (ValueError, RecursionError) as error:
            kind = "a web page" if response.body.lstrip()[:1] == b"<" else "something"
            raise SourceError(f"{self.url} answered {kind} that is not JSON", _ELSEWHERE) from error
        if not isinstance(reply, dict):
            raise self._misshapen(reply)
        if "error" in reply:
            detail = reply["error"]
            if not isinstance(detail, dict):
                raise self._misshapen(reply)
            code, info = (str(detail.get(key))[:_SHOWN] for key in ("code", "info"))
            what = f"{self.url} answered {code}: {info}"
            raise SourceError(what, _CLOSED[code]) if code in _CLOSED else SourceError(what)
        if _TRUNCATED in json.dumps(reply.get("warnings")):
            raise SourceError(f"{self.url} answered a part: it warns of a truncated result", _CUT)
        return reply

    def _misshapen(self, reply: Any) -> SourceError:
        shown = json.dumps(reply, ensure_ascii=False)[:_SHOWN]
        return SourceError(f"{self.url} answered JSON that is not the API's: {shown}")


class _Circle:
    """Whether a sequence repeats itself, by one remembered value (Brent, BIT 20, 1980)."""

    def __init__(self) -> None:
        self._remembered: bytes | None = None
        self._steps, self._power = 0, 1

    def closes(self, value: bytes) -> bool:
        """Whether the value is the one remembered; which that is changes at each power of two."""
        if value == self._remembered:
            return True
        self._steps += 1
        if self._steps == self._power:
            self._remembered, self._steps, self._power = value, 0, 2 * self._power
        return False


def _digest(value: Any) -> bytes:
    return sha256(json.dumps(value).encode()).digest()


def _is_old(reply: Json) -> bool:
    """Whether this is MediaWiki before 1.25, which ends no batch with `batchcomplete`.

    It continues by `query-continue`, keys pages by id, or warns that it knows no formatversion.
    """
    return (
        "query-continue" in reply
        or isinstance(reply.get("query", {}).get("pages"), dict)
        or "formatversion" in json.dumps(reply.get("warnings"))
    )


def _only_generates(following: Json) -> bool:
    """Whether a batch is complete, as old installs tell it: no property of it is to come."""
    return all(name.startswith("g") for name in following)


def _listed(pages: Any) -> list[Json]:
    """Pages as a list; before formatversion 2 they were keyed by id. Raises TypeError."""
    listed = list(pages.values()) if isinstance(pages, dict) else list(pages)
    if not all(isinstance(page, dict) for page in listed):
        raise TypeError("a page that is no object")
    return listed


def _asked(move: Json) -> str:
    """The title as it was asked; one in another Unicode form than NFC comes back encoded."""
    return unquote(move["from"]) if move.get("fromencoded") is True else str(move["from"])


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
