"""Finds the pages of a wiki through its API: of a category, a namespace, a search, a list, titles.

Each page comes with its latest revision, for up to 500 pages a request, so a re-crawl sees what
changed without fetching it. Redirects are resolved; what is no article is left out.
"""

import re
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from crawlers.action_api import ActionApi, Json
from crawlers.explain import SourceError
from crawlers.namespaces import ARTICLES, CATEGORIES

#: Most titles a request may name without login (https://www.mediawiki.org/wiki/API:Query).
_TITLES = 50
#: Titles of one request, in encoded bytes: servers refuse longer lines from about 8 kB on.
_TITLE_BYTES = 6000
#: Revision and kind of each page found; behind a redirect, those of its target.
_PROPERTIES = {"prop": "info|pageprops", "ppprop": "disambiguation"}
_RESOLVED = {**_PROPERTIES, "redirects": "1"}
#: Categories that one may lead to. A tree of a franchise has some hundreds; by ten levels of
#: Wikipedia's nearly all of it is reached, which nobody means.
MOST_CATEGORIES = 10_000
#: Results that a wiki's search gives at the most (Elasticsearch's `index.max_result_window`).
SEARCH_LIMIT = 10_000
#: What no title may hold (https://www.mediawiki.org/wiki/Manual:$wgLegalTitleChars).
_ILLEGAL = re.compile(r"[#<>\[\]{}|\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Listed:
    """An article and its latest revision."""

    title: str
    page_id: str
    revision: str


@dataclass(frozen=True)
class Missing:
    """A title that was asked for and leads nowhere."""

    title: str
    why: str


async def category_members(api: ActionApi, category: str, depth: int) -> AsyncIterator[Listed]:
    """The articles of a category and of `depth` levels below it, nearer ones first.

    Raises SourceError where they are too many categories.
    """
    level, seen = [_category_title(category)], set[str]()
    for _ in range(depth + 1):
        below: dict[str, None] = {}  # in order
        for title in level:
            if title in seen:
                continue
            seen.add(title)
            async for answer in api.query(
                generator="categorymembers",
                gcmtitle=title,
                gcmtype="page|subcat" if depth else "page",
                gcmlimit="500",
                **_RESOLVED,
            ):
                titles = [page["title"] for page in answer.pages if page.get("ns") == CATEGORIES]
                below |= dict.fromkeys(title for title in titles if title not in seen)
                if len(seen) + len(below) > MOST_CATEGORIES:
                    raise SourceError(
                        f"the category {category!r} leads to more than {MOST_CATEGORIES:,} others",
                        "give a smaller `depth`, or name the categories that matter",
                    )
                for listed in _articles(answer.pages):
                    yield listed
        level = list(below)


async def namespace_pages(api: ActionApi, namespace: int) -> AsyncIterator[Listed]:
    """All pages of a namespace, by title; redirects stand for no page of their own."""
    async for answer in api.query(
        generator="allpages",
        gapnamespace=str(namespace),
        gapfilterredir="nonredirects",
        gaplimit="500",
        **_PROPERTIES,  # `redirects` beside this generator is an error
    ):
        for listed in _articles(answer.pages, namespace):
            yield listed


async def found_pages(api: ActionApi, words: str) -> AsyncIterator[Listed | Missing]:
    """The articles that the wiki's own search finds; Missing at the end where it tells not all.

    A wiki gives fewer a request than asked where its own limit is lower.
    """
    results = 0
    async for answer in api.query(
        generator="search",
        gsrsearch=words,
        gsrwhat="text",  # some wikis search titles alone where nothing is said
        gsrnamespace=str(ARTICLES),
        gsrlimit="500",
        **_RESOLVED,
    ):
        results += len(answer.pages)
        for listed in _articles(answer.pages):
            yield listed
        if results >= SEARCH_LIMIT:  # asking on would be an error
            yield Missing(words, f"finds more pages than a wiki's search tells: {SEARCH_LIMIT:,}")
            return


async def linked_pages(api: ActionApi, list_page: str) -> AsyncIterator[Listed]:
    """The articles a page links to; links to pages not yet written are left out."""
    async for answer in api.query(
        titles=list_page, generator="links", gplnamespace="0", gpllimit="500", **_RESOLVED
    ):
        for listed in _articles(answer.pages):
            yield listed


async def titled_pages(api: ActionApi, titles: Sequence[str]) -> AsyncIterator[Listed | Missing]:
    """The pages with these titles, in their order."""
    for title in titles:
        if _ILLEGAL.search(title) or not title.strip():
            yield Missing(title, "is no title: it is empty or holds one of # < > [ ] { } |")
    legal = [title for title in titles if not _ILLEGAL.search(title) and title.strip()]
    for some in _bundles(legal):
        async for answer in api.query(titles="|".join(some), **_RESOLVED):
            by_title = {page["title"]: page for page in answer.pages}
            for title in some:
                page = by_title.get(_final(title, answer.renamed))
                if page is None or "missing" in page or "invalid" in page:
                    yield Missing(title, "has no page of this title")
                    continue
                found = list(_articles([page]))
                if not found:
                    yield Missing(title, "is no article (a disambiguation or another namespace)")
                for listed in found:
                    yield listed


def article_url(site: str, article_path: str, title: str) -> str:
    """The page's address, quoted as MediaWiki does (wfUrlencode): `/` in a title stays."""
    return site + article_path + quote(title.replace(" ", "_"), safe=";@$!*(),/~:")


def _articles(pages: list[Json], namespace: int = ARTICLES) -> Iterator[Listed]:
    """The articles among them. Raises SourceError for one that cannot be told from another."""
    for page in pages:
        if (
            page.get("ns") != namespace
            or "missing" in page
            or "redirect" in page  # a double one, which `redirects` leaves
            or "disambiguation" in page.get("pageprops", {})
        ):
            continue
        page_id, revision = page.get("pageid"), page.get("lastrevid")
        if not (isinstance(page_id, int) and isinstance(revision, int)):
            # Left out, it would be taken for deleted.
            what = f"the API lists {page['title']!r} without its id or its latest revision"
            raise SourceError(what, "run the same command again; if it stays so, use a dump")
        yield Listed(page["title"], str(page_id), str(revision))


def _bundles(titles: Sequence[str]) -> Iterator[list[str]]:
    """As many titles a request as the API and a server's line length allow."""
    bundle: list[str] = []
    size = 0
    for title in titles:
        length = len(quote(title)) + 3  # the bar between two, encoded
        if bundle and (len(bundle) == _TITLES or size + length > _TITLE_BYTES):
            yield bundle
            bundle, size = [], 0
        bundle.append(title)
        size += length
    if bundle:
        yield bundle


def _final(title: str, renamed: dict[str, str]) -> str:
    """Where a title leads after normalisation and redirects, however many."""
    seen: set[str] = set()
    while title in renamed and title not in seen:
        seen.add(title)
        title = renamed[title]
    return title


def _category_title(category: str) -> str:
    return category if category.startswith("Category:") else f"Category:{category}"
