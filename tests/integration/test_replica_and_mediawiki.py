"""The replica's API answers as a real MediaWiki's does, to every query that a crawl sends.

Else a spider would be right about the replica alone. Compared is the structure: names, types, which
pages, how a listing goes on; ids and dates are each wiki's own.
"""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from crawlers.samplesite.exchange import Request
from crawlers.samplesite.replicas import wikipedia
from crawlers.samplesite.wiki_site import WikiSite
from tests.integration.mediawiki import API_PATH, RealWiki, require

Json = dict[str, Any]
#: Title, categories, text; a link in brackets.
_PAGES = {
    **{f"Film {n}": (["Films"], f"A plot with {n} lamps.") for n in range(1, 6)},
    "Old film": (["Old films"], "A plot without lamps."),
    "List": ([], "[[Film 1]] [[Film 3]] [[Moved film]] [[Film]] [[Red link]] [[Help:Lamps]]"),
    "Help:Lamps": ([], "How to light them."),
    "Help:Mills": ([], "How to grind."),
    "Café": ([], "Coffee."),
    "Category:Films": ([], "All of them."),
    "Category:Old films": (["Films"], "The old ones."),
    "Template:Film": (["Films"], "A template."),
    "Film": (["Films"], "May be a film."),
    "Moved film": (["Films"], ""),
}
_NAMESPACES = {"Help": 12, "Category": 14, "Template": 10}
_PROPERTIES = {"prop": "info|pageprops", "ppprop": "disambiguation"}
_RESOLVED = {**_PROPERTIES, "redirects": "1"}


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealWiki]:
    require()
    wiki = RealWiki(tmp_path_factory.mktemp("mediawiki"))
    special = {"Film": "__DISAMBIG__", "Moved film": "#REDIRECT [[Film 1]]"}
    wiki.delete(["Main Page"])
    wiki.write(
        {
            title: f"{special.get(title, '')}\n{text}".strip()
            + "".join(f"\n[[Category:{category}]]" for category in categories)
            for title, (categories, text) in _PAGES.items()
        },
        {
            title: _NAMESPACES[title.partition(":")[0]]
            for title in _PAGES
            if title.partition(":")[0] in _NAMESPACES
        },
    )
    yield wiki
    wiki.close()


@pytest.fixture(scope="module")
def replica() -> WikiSite:
    wiki = wikipedia()
    for title, (categories, text) in _PAGES.items():
        links = text.replace("[[", '<a href="/wiki/').replace("]]", '">it</a>')
        wiki.create(
            title,
            f"<p>{links}</p>",
            categories=tuple(categories),
            disambiguation=title == "Film",
            redirect_to="Film 1" if title == "Moved film" else None,
        )
    return WikiSite(wiki, api_cap=500)


def ask(wiki: RealWiki | WikiSite, query: Json) -> Json:
    asked = urlencode({"action": "query", "format": "json", "formatversion": "2", **query})
    if isinstance(wiki, WikiSite):
        return json.loads(wiki.answer(Request("GET", f"/w/api.php?{asked}")).body)
    with urlopen(f"{wiki.origin}{API_PATH}?{asked}") as answer:
        return json.load(answer)


def shape(value: Any) -> Any:
    match value:
        case dict():
            return {name: shape(part) for name, part in value.items()}
        case list():
            return sorted({json.dumps(shape(part), sort_keys=True) for part in value})
        case bool():
            return value
        case _:
            return type(value).__name__


def structure(answer: Json) -> Json:
    """What a client can rely on: names and types, which pages, which titles for which."""
    query = dict(answer.get("query", {}))
    pages = query.pop("pages", [])
    moves = {kind: sorted(map(json.dumps, query.pop(kind, [])))
             for kind in ("normalized", "redirects")}  # fmt: skip
    return {
        **{name: shape(part) for name, part in answer.items() if name not in ("query", "continue")},
        "continue": {
            name: re.sub(r"^\d+\||\|\d+$", "|", str(token))  # without the page's id
            for name, token in answer.get("continue", {}).items()
        },
        "query": shape(query),
        "pages": {page["title"]: shape(page) for page in pages},
        **moves,
        "code": answer.get("error", {}).get("code"),
    }


@pytest.mark.parametrize(
    "query",
    [
        {"generator": "categorymembers", "gcmtitle": "Category:Films", "gcmtype": "page|subcat",
         "gcmlimit": "500", **_RESOLVED, "maxlag": "5"},
        {"generator": "categorymembers", "gcmtitle": "Category:Films", "gcmtype": "page",
         "gcmlimit": "2", **_RESOLVED},
        {"generator": "categorymembers", "gcmtitle": "Category:None", "gcmtype": "page",
         **_RESOLVED},
        {"generator": "categorymembers", "gcmtitle": "Films", "gcmtype": "page", **_RESOLVED},
        {"generator": "categorymembers", "gcmtype": "page", **_RESOLVED},
        {"generator": "categorymembers", "gcmtitle": "Category:Films", "gcmcontinue": "x"},
        {"generator": "allpages", "gapnamespace": "0", "gapfilterredir": "nonredirects",
         "gaplimit": "500", **_PROPERTIES},
        {"generator": "allpages", "gapnamespace": "0", "gapfilterredir": "nonredirects",
         "gaplimit": "3", **_PROPERTIES},
        {"generator": "allpages", "gapnamespace": "12", "gapfilterredir": "nonredirects",
         "gaplimit": "1", **_PROPERTIES},
        {"generator": "allpages", "gapnamespace": "4", "gaplimit": "1", **_PROPERTIES},
        {"generator": "allpages", "gapnamespace": "77", "gaplimit": "1", **_PROPERTIES},
        {"generator": "allpages", "gapnamespace": "0", "gaplimit": "1", **_RESOLVED},
        {"generator": "search", "gsrsearch": "plot lamps", "gsrwhat": "text", "gsrnamespace": "0",
         "gsrlimit": "500", **_RESOLVED},
        {"generator": "search", "gsrsearch": "plot lamps", "gsrwhat": "text", "gsrnamespace": "0",
         "gsrlimit": "2", **_RESOLVED},
        {"generator": "search", "gsrsearch": "old", "gsrlimit": "5", **_RESOLVED},
        {"generator": "search", "gsrsearch": "zeppelin", "gsrwhat": "text", **_RESOLVED},
        {"generator": "search", **_RESOLVED},
        {"generator": "links", "titles": "List", "gplnamespace": "0", "gpllimit": "500",
         **_RESOLVED},
        {"generator": "links", "titles": "List", "gplnamespace": "0", "gpllimit": "2",
         **_RESOLVED},
        {"generator": "links", "titles": "No such", "gplnamespace": "0", **_RESOLVED},
        {"titles": "film_1|Moved film|No such|Film|Bad[title|Special:Search|Help:Lamps|List",
         **_RESOLVED},
        {"titles": "Moved film", **_PROPERTIES},
        {"titles": "Cafe\N{COMBINING ACUTE ACCENT}|café", **_RESOLVED},
        {"titles": "|".join(f"T{n}" for n in range(51)), **_RESOLVED},
        {"titles": "Film 1", "maxlag": "-2"},
        {"titles": "Film 1", "nonsense": "1"},
        {"generator": "categorymembers", "gcmtitle": "Category:Films", "gcmlimit": "900"},
        {"generator": "nonsense"},
    ],
    ids=lambda query: " ".join(f"{k}={v}" for k, v in query.items() if k[0] in "gt")[:60],
)  # fmt: skip
def test_same_answer(real: RealWiki, replica: WikiSite, query: Json) -> None:
    onward_real: Json = {}
    onward_replica: Json = {}
    for step in range(20):
        true, imitated = ask(real, query | onward_real), ask(replica, query | onward_replica)
        assert structure(imitated) == structure(true), f"answer {step + 1}"
        if "continue" not in true:
            break
        onward_real, onward_replica = true["continue"], imitated["continue"]
    else:
        pytest.fail("the listing goes on without end")
