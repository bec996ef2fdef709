"""What lists and generators of the API give: members, links, a namespace, what a search finds.

Each gives some titles and the cursor to the rest, in MediaWiki's own form
(https://www.mediawiki.org/wiki/API:Lists).
"""

import re
from typing import Any

from crawlers.samplesite.wiki import NAMESPACES, Page, Wiki, canonical, namespace
from crawlers.samplesite.wiki_parameters import ApiError, Parameters

Json = dict[str, Any]
#: Where an entry stands in a listing: three parts, which a cursor joins by bars.
_Key = tuple[str | int, str | int, str | int]


def listing(
    wiki: Wiki, module: str, prefix: str, titles: list[str], parameters: Parameters, cap: int
) -> tuple[list[str], Json]:
    """Titles that a list or generator gives, and the cursor to the rest."""
    match module:
        case "categorymembers":
            return _category_members(wiki, f"{prefix}cm", parameters, cap)
        case "search":
            return _search(wiki, f"{prefix}sr", parameters, cap)
        case "allpages":
            return _all_pages(wiki, f"{prefix}ap", parameters, cap)
        case "links" if prefix:
            return _links(wiki, f"{prefix}pl", titles, parameters, cap)
    if prefix:
        raise ApiError("badgenerator", f'Module "{module}" cannot be used as a generator.')
    raise ApiError("badvalue", f'Unrecognized value for parameter "list": {module}.')


def _category_members(
    wiki: Wiki, prefix: str, parameters: Parameters, cap: int
) -> tuple[list[str], Json]:
    asked = parameters.get(f"{prefix}title")
    parameters.read(f"{prefix}prop", f"{prefix}sort", f"{prefix}dir")
    if not asked:
        names = f'"{prefix}title" and "{prefix}pageid"'
        raise ApiError("missingparam", f"One of the parameters {names} is required.")
    title = canonical(asked)
    if title is None or namespace(title) != 14:
        raise ApiError("invalidcategory", "The category name you entered is not valid.")
    kinds = tuple(parameters.values(f"{prefix}type", "page|subcat|file"))
    spaces = set(parameters.values(f"{prefix}namespace"))
    limit = parameters.limit(f"{prefix}limit", "categorymembers", cap)
    members = [
        page
        for page in wiki.members(title.partition(":")[2], kinds)
        if not spaces or str(page.namespace) in spaces
    ]
    members.sort(key=_member_key)
    keys = [_member_key(page) for page in members]
    start = _resume(f"{prefix}continue", keys, parameters)
    cursor = _cursor(f"{prefix}continue", keys[start + limit :])
    return [page.title for page in members[start : start + limit]], cursor


def _member_key(page: Page) -> _Key:
    """Kind, sort key in hex, page id: what cmcontinue holds on the real sites."""
    name = page.title.partition(":")[2] if page.namespace else page.title
    return page.kind, name.upper().encode().hex(), page.id


def _links(
    wiki: Wiki, prefix: str, titles: list[str], parameters: Parameters, cap: int
) -> tuple[list[str], Json]:
    spaces = set(parameters.values(f"{prefix}namespace"))
    parameters.read(f"{prefix}dir", f"{prefix}titles")
    limit = parameters.limit(f"{prefix}limit", "links", cap)
    found = sorted(
        ((page.id, namespace(title), title.replace(" ", "_")), title)
        for page in map(wiki.page, titles)
        if page
        for title in page.links()
        if namespace(title) != -1 and (not spaces or str(namespace(title)) in spaces)
    )
    keys: list[_Key] = [key for key, _ in found]
    start = _resume(f"{prefix}continue", keys, parameters)
    cursor = _cursor(f"{prefix}continue", keys[start + limit :])
    return list(dict.fromkeys(title for _, title in found[start : start + limit])), cursor


def _all_pages(wiki: Wiki, prefix: str, parameters: Parameters, cap: int) -> tuple[list[str], Json]:
    space = parameters.integer(f"{prefix}namespace") or 0
    if space not in NAMESPACES:
        what = f'Unrecognized value for parameter "{prefix}namespace": {space}.'
        raise ApiError("badvalue", what)
    start = (parameters.get(f"{prefix}from") or "").replace("_", " ")
    start = (parameters.get(f"{prefix}continue") or start).replace("_", " ")
    beginning = (parameters.get(f"{prefix}prefix") or "").replace("_", " ")
    kept = parameters.get(f"{prefix}filterredir", "all")
    limit = parameters.limit(f"{prefix}limit", "allpages", cap)

    def wanted(page: Page) -> bool:
        name = page.title.partition(":")[2] if space else page.title
        is_kept = kept == "all" or (kept == "redirects") == bool(page.redirect_to)
        return page.namespace == space and name >= start and name.startswith(beginning) and is_kept

    titles = [page.title for page in wiki.pages() if wanted(page)]
    rest = titles[limit:]
    cursor = {}
    if rest:
        name = rest[0].partition(":")[2] if space else rest[0]
        cursor = {f"{prefix}continue": name.replace(" ", "_")}
    return titles[:limit], cursor


def _search(wiki: Wiki, prefix: str, parameters: Parameters, cap: int) -> tuple[list[str], Json]:
    """Pages whose text has all the words; of titles alone where `what` does not say "text"."""
    asked = parameters.get(f"{prefix}search")
    if not asked:
        what = f'The "{prefix}search" parameter must be set.'
        raise ApiError("missingparam", what)
    in_text = parameters.get(f"{prefix}what", "title") == "text"
    spaces = set(parameters.values(f"{prefix}namespace", "0"))
    limit = parameters.limit(f"{prefix}limit", "search", cap)
    start = parameters.integer(f"{prefix}offset") or 0
    wanted = set(_words(asked))
    found = [
        page.title
        for page in wiki.pages()
        if str(page.namespace) in spaces and not page.redirect_to
        and wanted <= set(_words(page.body if in_text else page.title))
    ]  # fmt: skip
    more = len(found) > start + limit
    return found[start : start + limit], {f"{prefix}offset": start + limit} if more else {}


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", re.sub(r"<[^>]*>", " ", text).lower())


def _cursor(name: str, rest: list[_Key]) -> Json:
    return {name: "|".join(map(str, rest[0]))} if rest else {}


def _resume(name: str, keys: list[_Key], parameters: Parameters) -> int:
    """The index where a continuation takes up. Raises ApiError badcontinue."""
    cursor = parameters.get(name)
    if cursor is None or not keys:
        return 0
    try:
        parts = zip(keys[0], cursor.split("|", 2), strict=True)
        sought = tuple(type(like)(part) for like, part in parts)
    except ValueError:
        what = "Invalid continue param. You should pass the original value returned by the "
        raise ApiError("badcontinue", what + "previous query.") from None
    return next((index for index, key in enumerate(keys) if key >= sought), len(keys))
