"""Which pages of a dump a source means: what it names, or where it names nothing all articles.

A title may be a redirect to a page that stood before it, and which categories lie below one is
known only when all category pages were seen; such sources need a first pass over the dump, which
keeps no more than names, and those of categories on disk: Wikipedia has millions. What names
nothing is a mistake, told as the spider of live wikis does.
"""

import re
from collections.abc import Iterator

from crawlers.namespaces import ARTICLES, CATEGORIES
from crawlers.on_disk.wiki_dump import DumpPage, Wiki
from crawlers.scratch_database import scratch_database
from crawlers.sources import DumpSource

#: How wikis mark a page that only parts others of one name: English Wikipedia's templates and
#: their redirects (Category:Disambiguation message boxes), the largest other Wikipedias', the
#: magic word of the extension Disambiguator.
_DISAMBIGUATION = re.compile(
    r"__DISAMBIG__|\{\{\s*(?:[\w-]{1,30} ){0,3}(?:disambig(?:uation)?|disamb|dab|hndis|geodis"
    r"|numberdis|schooldis|begriffsklärung|homonymie|desambiguaci[oó]n|desambiguação|disambigua|doorverwijs"
    r"pagina|ujednoznacznienie|неоднозначность|förgrening|曖昧さ回避|aimai|消歧义|消歧義)"
    r"\s*[|}\-–/]",
    re.IGNORECASE,
)
_ENDS_AS_ONE = re.compile(r"\((?:disambiguation|Begriffsklärung|homonymie|значения)\)$")
#: Where the marker stands: the page's top or its end.
_MARGIN = 20_000
_LEAVE_OUT = "leave it out if it stays so"


def is_disambiguation(page: DumpPage) -> bool:
    """Whether the page only leads to others."""
    if _ENDS_AS_ONE.search(page.title):
        return True
    return bool(
        _DISAMBIGUATION.search(page.text[:_MARGIN]) or _DISAMBIGUATION.search(page.text[-_MARGIN:])
    )


def is_article(page: DumpPage) -> bool:
    """Whether the page has text of its own, in wikitext."""
    return page.redirect is None and page.model == "wikitext" and not is_disambiguation(page)


class Selection:
    """The pages that one source names; `survey` each page of a first pass where it needs one."""

    def __init__(self, source: DumpSource, wiki: Wiki):
        self._source = source
        self._wiki = wiki
        named = bool(source.titles or source.series or source.categories)
        self._namespaces = set(source.namespaces if named or source.namespaces else (ARTICLES,))
        self._titles = {wiki.title(title): title for title in source.titles}
        self._series = {
            wiki.title(title): series.prefix for series in source.series
            for title in series.titles()
        }  # fmt: skip
        self._redirects: dict[str, str] = {}  # of the titles wanted -> target
        self._targets: set[str] = set()
        self._names = scratch_database()
        self._names.execute("CREATE TABLE lies_in (category, parent)")
        self._names.execute(  # `line` of the source, of which a category is so many levels below
            "CREATE TABLE named (category, line, level, PRIMARY KEY (category, line)) WITHOUT ROWID"
        )
        self._names.executemany(
            "INSERT INTO named VALUES (?, ?, 0)",
            ((wiki.category(category), category) for category in set(source.categories)),
        )
        self._met: set[str] = set()  # titles that came, as wanted
        self._refused: dict[str, str] = {}  # titles that came and are no articles -> why
        self._lines: set[tuple[str, str | int]] = set()  # lines of the source that found something

    @staticmethod
    def needs_survey(source: DumpSource) -> bool:
        """Whether a first pass must come before the one that takes."""
        return bool(source.titles or source.series or (source.categories and source.depth))

    def survey(self, page: DumpPage) -> None:
        """Note where a wanted title leads, and what a category lies in."""
        wanted = page.title in self._titles or page.title in self._series
        if page.redirect is not None and (wanted or page.title in self._targets):
            target = self._wiki.title(page.redirect.partition("#")[0])
            self._redirects[page.title] = target
            self._targets.add(target)
        if page.namespace == CATEGORIES and self._source.depth and page.redirect is None:
            name = page.title.partition(":")[2]
            parents = self._wiki.categories(page.text)
            self._names.executemany(
                "INSERT INTO lies_in VALUES (?, ?)", ((name, parent) for parent in parents)
            )

    def settle(self) -> None:
        """Follow the redirects and the categories' levels, once the first pass is done."""
        for wanted in (self._titles, self._series):
            for title in list(wanted):
                if (target := self._target(title)) != title:
                    wanted.setdefault(target, wanted.pop(title))
        self._names.execute("CREATE INDEX by_parent ON lies_in (parent)")
        for level in range(self._source.depth):
            self._names.execute(
                "INSERT OR IGNORE INTO named SELECT lies_in.category, line, level + 1 "
                "FROM named JOIN lies_in ON parent = named.category WHERE level = ?",
                (level,),
            )
        self._names.execute("DROP TABLE lies_in")

    def takes(self, page: DumpPage) -> bool:
        """Whether the source means this page; call it for each page of the dump once."""
        article = is_article(page)
        if page.namespace == ARTICLES and not article and page.title in self._titles:
            self._refused[page.title] = "is no article (a disambiguation or another redirect)"
        if not article:
            return False
        found: set[tuple[str, str | int]] = set()
        if page.namespace in self._namespaces:
            found.add(("namespace", page.namespace))
        if page.namespace == ARTICLES:
            if page.title in self._titles:
                self._met.add(page.title)
                found.add(("titles", ""))
            if page.title in self._series:
                found.add(("series", self._series[page.title]))
            if self._source.categories:
                for category in self._wiki.categories(page.text):
                    lines = "SELECT line FROM named WHERE category = ?"
                    found |= {
                        ("category", line) for (line,) in self._names.execute(lines, (category,))
                    }
        self._lines |= found
        return bool(found)

    def missing(self) -> Iterator[tuple[str, str]]:
        """Titles that lead nowhere, each with the remedy: no mistake as long as others do."""
        for title, written in self._titles.items():
            if title not in self._met:
                why = self._refused.get(title, "has no page of this title in the dump")
                yield f"{written!r} {why}", _LEAVE_OUT

    def mistakes(self) -> Iterator[tuple[str, str]]:
        """Lines of the source that name nothing, each with the remedy."""
        source = self._source
        for category in source.categories:
            if ("category", category) not in self._lines:
                deeper = "" if source.depth else ", or give `depth` if it holds only subcategories"
                yield (
                    f"the category {category!r} has no pages",
                    "see whether its name is right, and whether the pages' own wikitext names "
                    f"it: what a template adds stands in no dump{deeper}",
                )
        for series in source.series:
            if ("series", series.prefix) not in self._lines:
                remedy = "see whether prefix, numbers and digits are right"
                yield f"the series {series.prefix!r} has no pages", remedy
        for namespace in source.namespaces:
            if ("namespace", namespace) not in self._lines:
                names = self._wiki.namespaces
                known = ", ".join(f"{n} {names[n] or '(articles)'}" for n in sorted(names))
                yield f"the namespace {namespace} has no pages", f"the wiki's are: {known[:300]}"
        if source.titles and not self._met:
            yield "none of the titles has a page", "see whether they are right"

    def _target(self, title: str) -> str:
        seen: set[str] = set()
        while title in self._redirects and title not in seen:
            seen.add(title)
            title = self._redirects[title]
        return title
