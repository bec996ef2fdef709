"""The wiki as browsers see it: full HTML pages in a skin's shell, the way MediaWiki serves them.

Articles carry Last-Modified and answer 304; a redirect page answers 200 with its target's content;
a missing title answers 404 with a body that has a content root of its own; category pages show 200
members and put the next page under /w/index.php.
"""

import json
from collections.abc import Iterable
from html import escape
from urllib.parse import quote

from crawlers.samplesite.exchange import Request, Response, dated, html, text
from crawlers.samplesite.markup import render
from crawlers.samplesite.wiki import Page, Wiki, canonical, namespace

#: Members a category page shows ($wgCategoryPagingLimit).
CATEGORY_PAGE = 200


def path_of(title: str) -> str:
    """The path of an article."""
    return "/wiki/" + quote(title.replace(" ", "_"), safe="/:,!()'*;@~-._")


def serve(wiki: Wiki, request: Request) -> Response:
    """Answer a request for an article, a category, a special page or /w/index.php."""
    asked = request.path.removeprefix("/wiki/")
    if request.path == "/w/index.php":
        asked = request.query.get("title", "Main Page")
    title = canonical(asked)
    if title is None:
        return html(400, _shell(wiki, "Bad title", None, "<p>The requested title is invalid.</p>"))
    if request.path.startswith("/wiki/") and path_of(title) != path_of(asked):
        return text(301, "", Location=request.origin + path_of(title))
    if namespace(title) == -1:
        return _special(wiki, title, request)
    page = wiki.page(title)
    shown = wiki.resolve(title)
    if page is None or shown is None:
        return _missing(wiki, title)
    if shown.whole_page is not None:
        answer = html(200, "")
        answer = Response(200, shown.whole_page, answer.headers)
    elif shown.namespace == 14:
        answer = html(200, _category(wiki, shown, request.query))
    else:
        content = render(shown.body, shown.dialect, shown.title)
        answer = html(200, _shell(wiki, shown.title, shown, content, redirected_from=page))
    return dated(request, answer, max(page.touched, shown.touched))


def _special(wiki: Wiki, title: str, request: Request) -> Response:
    name = title.removeprefix("Special:").lower()
    if name in ("random", "randompage"):
        first = next(page for page in wiki.pages() if page.namespace == 0)
        return text(302, "", Location=request.origin + path_of(first.title))
    if name == "search":
        found = "<p>There were no results matching the query.</p>"
        return html(200, _shell(wiki, "Search results", None, found))
    return html(404, _shell(wiki, "No such special page", None, "<p>No such special page.</p>"))


def _missing(wiki: Wiki, title: str) -> Response:
    body = (
        '<div class="noarticletext mw-content-ltr" dir="ltr" lang="en"><p>There is currently no '
        'text in this page. You can <a href="/wiki/Special:Search">search for this page title</a> '
        "in other pages.</p></div>"
    )
    return html(404, _shell(wiki, title, None, f'<div class="mw-parser-output">{body}</div>'))


def _category(wiki: Wiki, page: Page, query: dict[str, str]) -> str:
    name = page.title.partition(":")[2]
    since = query.get("pagefrom", "")
    members = [m for m in wiki.members(name) if m.title >= since]
    shown, rest = members[:CATEGORY_PAGE], members[CATEGORY_PAGE:]
    onward = ""
    if rest:
        target = f"/w/index.php?title={quote(page.title)}&pagefrom={quote(rest[0].title)}#mw-pages"
        onward = f'(<a href="{escape(target)}" title="{escape(page.title)}">next page</a>)'
    subcategories = wiki.members(name, ("subcat",))
    content = render(page.body, page.dialect, page.title)
    if subcategories:
        content += f'<div id="mw-subcategories"><h2>Subcategories</h2>{_list(subcategories)}</div>'
    content += (
        f'<div id="mw-pages"><h2>Pages in category "{escape(name)}"</h2>\n'
        f"<p>The following {len(shown)} pages are in this category, out of {len(members)} total."
        f'</p>{onward}<div class="mw-content-ltr">{_list(shown)}</div>{onward}</div>'
    )
    inner = f'<div class="mw-category-generated" lang="en" dir="ltr">{content}</div>'
    return _shell(wiki, page.title, page, inner)


def _list(pages: Iterable[Page]) -> str:
    items = (f"<li>{link(page.title)}</li>" for page in pages)
    return f'<div class="mw-category-group"><ul>{"".join(items)}</ul></div>'


def link(title: str, label: str | None = None) -> str:
    """A wiki link as the parser writes it."""
    return f'<a href="{path_of(title)}" title="{escape(title)}">{escape(label or title)}</a>'


def _shell(
    wiki: Wiki, title: str, page: Page | None, content: str, redirected_from: Page | None = None
) -> str:
    """A whole page around the content: head with RLCONF, navigation, category links, footer."""
    name = escape(title.replace(" ", "_"))
    categories = page.categories if page else ()
    config = {
        "wgNamespaceNumber": page.namespace if page else namespace(title),
        "wgPageName": title.replace(" ", "_"),
        "wgTitle": title,
        "wgCurRevisionId": page.revision if page else 0,
        "wgRevisionId": page.revision if page else 0,
        "wgArticleId": page.id if page else 0,
        "wgIsArticle": page is not None,
        "wgIsRedirect": False,
        "wgAction": "view",
        "wgCategories": list(categories),
        "wgPageContentLanguage": "en",
        "wgPageContentModel": "wikitext",
    }
    moved = ""
    if redirected_from and page and redirected_from.id != page.id:
        config["wgInternalRedirectTargetUrl"] = path_of(page.title)
        config["wgRedirectedFrom"] = redirected_from.title.replace(" ", "_")
        moved = (
            '<span class="mw-redirectedfrom">(Redirected from '
            f"{link(redirected_from.title)})</span>"
        )
    rlconf = json.dumps(config, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003C")
    filed = "".join(f"<li>{link('Category:' + category)}</li>" for category in categories)
    edited = page.edited.strftime("%-d %B %Y, at %H:%M") if page else ""
    return f"""<!DOCTYPE html>
<html class="client-nojs" lang="en" dir="ltr">
<head>
<meta charset="UTF-8">
<title>{escape(title)} - {escape(wiki.site_name)}</title>
<script>document.documentElement.className="client-js";RLCONF={rlconf};RLSTATE={{}};</script>
<link rel="stylesheet" href="/w/load.php?lang=en&amp;modules=site.styles&amp;only=styles">
<meta name="generator" content="{escape(wiki.generator)}">
<link rel="canonical" href="{path_of(title)}">
<link rel="license" href="{escape(wiki.licence_url)}">
</head>
<body class="mediawiki ltr sitedir-ltr mw-hide-empty-elt ns-0 ns-subject page-{name} action-view">
<div id="mw-page-base" class="noprint"></div>
<div id="content" class="mw-body" role="main">
<a id="top"></a>
<div id="siteNotice" class="mw-body-content"><p>Help us reach five hundred articles!</p></div>
<h1 id="firstHeading" class="firstHeading mw-first-heading">\
<span class="mw-page-title-main">{escape(title)}</span></h1>
<div id="bodyContent" class="vector-body">
<div id="siteSub" class="noprint">From {escape(wiki.site_name)}</div>
<div id="contentSub">{moved}</div>
<a class="mw-jump-link" href="#mw-head">Jump to navigation</a>
<div id="mw-content-text" class="mw-body-content" lang="en" dir="ltr">{content}
<div class="printfooter" data-nosnippet="">Retrieved from "{path_of(title)}"</div></div>
<div id="catlinks" class="catlinks" data-mw="interface">\
<div id="mw-normal-catlinks" class="mw-normal-catlinks"><ul>{filed}</ul></div></div>
</div>
</div>
<div id="mw-navigation">
<h2>Navigation menu</h2>
<nav id="p-personal"><h3>Personal tools</h3><ul><li>Log in</li></ul></nav>
<nav id="p-navigation"><ul><li><a href="/wiki/Main_Page">Main page</a></li>
<li><a href="/wiki/Special:Randompage">Random page</a></li></ul></nav>
</div>
<footer id="footer" class="mw-footer" role="contentinfo">
<ul id="footer-info"><li id="footer-info-lastmod"> This page was last edited on {edited}.</li>
<li id="footer-info-copyright">Content is available under <a class="external" rel="nofollow" \
href="{escape(wiki.licence_url)}">{escape(wiki.licence_text)}</a>.</li></ul>
</footer>
</body>
</html>
"""
