"""`action=query`: which pages are meant, what is told of them, and how the rest is fetched.

Titles and generators give pages, `prop` tells of them, `list` and `meta` stand beside; `continue`
is to be passed back whole (https://www.mediawiki.org/wiki/API:Query). An empty generator answers
without a "query" key, as on the real sites.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from unicodedata import is_normalized
from urllib.parse import quote

from crawlers.samplesite.wiki import NAMESPACES, Page, Wiki, canonical, namespace
from crawlers.samplesite.wiki_lists import listing
from crawlers.samplesite.wiki_parameters import ApiError, Parameters

Json = dict[str, Any]

_NOT_NFC = "invalid or non-normalized data. Textual data should be valid, NFC-normalized Unicode."


@dataclass
class _PageSet:
    """The pages that a query is about."""

    titles: list[str] = field(default_factory=list)
    normalized: list[Json] = field(default_factory=list)
    redirects: list[Json] = field(default_factory=list)
    invalid: list[Json] = field(default_factory=list)


def run_query(wiki: Wiki, parameters: Parameters, cap: int) -> Json:
    """The answer to `action=query`, in the shapes of formatversion 2."""
    found: Json = {}
    onward: Json = {}
    pages = _asked_for(wiki, parameters)
    generator = parameters.get("generator")
    ranks: dict[str, int] = {}
    if generator is not None:
        if generator == "allpages" and parameters.flag("redirects"):
            what = 'Use "gapfilterredir=nonredirects" instead of "redirects" when using "allpages" '
            raise ApiError("params", f"{what}as a generator.")
        titles, cursor = listing(wiki, generator, "g", pages.titles, parameters, cap)
        onward |= cursor
        pages = _PageSet(titles)
        if generator == "search":
            first = 1 + (parameters.integer("gsroffset") or 0)
            ranks = {title: first + index for index, title in enumerate(titles)}
    if parameters.flag("redirects"):
        _follow_redirects(wiki, pages)
    for key in ("normalized", "redirects"):
        if getattr(pages, key):
            found[key] = getattr(pages, key)
    told = pages.invalid + _tell(wiki, pages.titles, parameters)
    for page in told:
        if page["title"] in ranks:
            page["index"] = ranks[page["title"]]
    if told:
        found["pages"] = told
    for module in parameters.values("list"):
        titles, cursor = listing(wiki, module, "", [], parameters, cap)
        onward |= cursor
        found[module] = [_listed(wiki, title) for title in titles]
    for module in parameters.values("meta"):
        if module != "siteinfo":
            parameters.warn("query", f'Unrecognized value for parameter "meta": {module}.')
            continue
        found |= _siteinfo(wiki, parameters)
    answer: Json = {}
    if onward:
        module = f"{next(iter(onward))}||" if generator is not None else "-||"
        answer["continue"] = {**onward, "continue": module}
    answer["batchcomplete"] = True
    parameters.read("continue")
    return {**answer, "query": found} if found else answer


def _asked_for(wiki: Wiki, parameters: Parameters) -> _PageSet:
    pages = _PageSet()
    for asked in parameters.values("titles"):
        title = canonical(asked)
        if title is None:
            reason = "The requested page title contains invalid characters."
            pages.invalid.append({"title": asked, "invalidreason": reason, "invalid": True})
            continue
        if title != asked:
            is_composed = is_normalized("NFC", asked)
            if not is_composed:
                parameters.warn("query", f'The value passed for "titles" contains {_NOT_NFC}')
            said = asked if is_composed else quote(asked)
            pages.normalized.append({"fromencoded": not is_composed, "from": said, "to": title})
        if title not in pages.titles:
            pages.titles.append(title)
    ids = set(parameters.values("pageids"))
    pages.titles += [page.title for page in wiki.pages() if str(page.id) in ids]
    return pages


def _follow_redirects(wiki: Wiki, pages: _PageSet) -> None:
    targets: list[str] = []
    for title in pages.titles:
        page = wiki.page(title)
        if page and page.redirect_to:
            pages.redirects.append({"from": title, "to": page.redirect_to})
            title = page.redirect_to
        if title not in targets:
            targets.append(title)
    pages.titles = targets


def _tell(wiki: Wiki, titles: Iterable[str], parameters: Parameters) -> list[Json]:
    """What `prop` asks about each page; missing pages first, then by id, as MediaWiki orders."""
    props = parameters.values("prop")
    known = ("info", "pageprops", "revisions")
    unknown = [prop for prop in props if prop not in known]
    if unknown:
        word = "values" if len(unknown) > 1 else "value"
        parameters.warn("query", f'Unrecognized {word} for parameter "prop": {", ".join(unknown)}.')
    parameters.read("inprop", "ppprop", "rvprop", "rvlimit", "rvslots")
    told = []
    for title in titles:
        page = wiki.page(title)
        entry = _listed(wiki, title)
        if entry["ns"] < 0:
            told.append({**entry, "special": True})
            continue
        if page is None:
            entry["missing"] = True
        if "info" in props:
            entry |= {"contentmodel": "wikitext", "pagelanguage": "en",
                      "pagelanguagehtmlcode": "en", "pagelanguagedir": "ltr"}  # fmt: skip
            entry |= _info(page) if page else {}
        if "pageprops" in props and page and page.disambiguation:
            entry["pageprops"] = {"disambiguation": ""}
        if "revisions" in props and page:
            entry["revisions"] = [
                {"revid": page.revision, "parentid": page.parent_revision, "minor": False,
                 "user": "Archivist", "timestamp": _time(page.edited), "comment": ""}
            ]  # fmt: skip
        told.append(entry)
    return sorted(told, key=lambda entry: entry.get("pageid", -1))


def _listed(wiki: Wiki, title: str) -> Json:
    page = wiki.page(title)
    identity = {"pageid": page.id} if page else {}
    return {**identity, "ns": namespace(title), "title": title}


def _info(page: Page) -> Json:
    told: Json = {
        "touched": _time(page.touched),
        "lastrevid": page.revision,
        "length": len(page.whole_page or page.body.encode()),
    }
    if page.redirect_to:
        told["redirect"] = True
    if page.parent_revision == 0:
        told["new"] = True
    return told


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _siteinfo(wiki: Wiki, parameters: Parameters) -> Json:
    told: Json = {}
    for part in parameters.values("siprop", "general"):
        match part:
            case "general":
                told["general"] = {
                    "mainpage": "Main Page", "base": "/wiki/Main_Page",
                    "sitename": wiki.site_name, "generator": wiki.generator, "lang": "en",
                    "articlepath": "/wiki/$1", "scriptpath": "/w", "script": "/w/index.php",
                    "case": "first-letter", "writeapi": True,
                }  # fmt: skip
            case "rightsinfo":
                told["rightsinfo"] = {"url": wiki.licence_url, "text": wiki.licence_text}
            case "namespaces":
                told["namespaces"] = {
                    str(number): {"id": number, "case": "first-letter", "name": name,
                                  "content": number == 0}
                    for number, name in NAMESPACES.items()
                }  # fmt: skip
            case "statistics":
                pages = wiki.pages()
                articles = [page for page in pages if page.namespace == 0 and not page.redirect_to]
                told["statistics"] = {"pages": len(pages), "articles": len(articles)}
            case _:
                what = f'Unrecognized value for parameter "siprop": {part}.'
                parameters.warn("siteinfo", what)
    return told
