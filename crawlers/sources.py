"""What a person may write about one source of a franchise: a kind of site, a dump, files.

`spider:` says which. Each kind has its own keys; an unknown key is a mistake, not an extra.
"""

import pkgutil
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cssselect import HTMLTranslator, SelectorError
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

import crawlers.spiders
from crawlers.origin import origin
from pipeline.licences import LICENCES
from pipeline.schema import genre_words


class Written(BaseModel):
    """A part of a YAML file."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _is_selector(selector: str) -> str:
    try:
        HTMLTranslator().css_to_xpath(selector)
    except SelectorError as error:
        raise ValueError(f"{selector!r} is no CSS selector of elements: {error}") from error
    return selector


#: Numbers of one series; each is asked for, and nobody has told a story in as many parts.
_SERIES = 100_000

Selector = Annotated[str, AfterValidator(_is_selector)]


class Series(Written):
    """Numbered pages, e.g. prefix EP, from 1 to 276, digits 3: EP001 … EP276."""

    prefix: str
    first: int = Field(1, ge=0)
    last: int = Field(ge=0)
    digits: int = Field(3, ge=1, le=9)

    @model_validator(mode="after")
    def _in_order(self) -> "Series":
        if self.last < self.first:
            raise ValueError(f"last ({self.last}) comes before first ({self.first})")
        if self.last - self.first >= _SERIES:
            raise ValueError(f"has more than {_SERIES:,} numbers; give a smaller `last`")
        return self

    def titles(self) -> list[str]:
        """The page titles, in order."""
        return [f"{self.prefix}{n:0{self.digits}}" for n in range(self.first, self.last + 1)]


class WrittenPolicy(Written):
    """What a person found in a site's rules; it can make a known site's limits only stricter."""

    rule: str | None = Field(None, description="the published rule that permits crawling")
    rule_url: str | None = Field(None, description="where it stands")
    checked: str | None = Field(None, description="when it was read, e.g. 2026-11-21")
    attribution: str | None = Field(None, description="whom to name, e.g. 'Wookieepedia editors'")
    delay: float | None = Field(None, ge=0, le=3600, description="seconds between two requests")
    requests_per_minute: int | None = Field(None, ge=1, le=600)

    @field_validator("checked", mode="before")
    @classmethod
    def _as_written(cls, checked: object) -> object:
        return checked.isoformat() if isinstance(checked, date) else checked  # YAML has dates


class AnySource(Written):
    """What all sources have in common."""

    spider: str
    name: str | None = Field(None, description="names the source in reports; default: the spider")
    genre: str | None = Field(None, description="genre of all that is found here")
    language: str | None = Field(
        None, description="ISO 639-1 code of the texts wanted; default: the franchise's"
    )
    licence: str | None = Field(
        None, description="SPDX id of the texts, where it is not the one of the spider's site"
    )
    limit: int | None = Field(None, ge=1, description="at most so many pages")

    @field_validator("licence")
    @classmethod
    def _is_a_known_licence(cls, licence: str | None) -> str | None:
        if licence is not None and licence not in LICENCES:
            raise ValueError(f"{licence!r} is unknown; allowed: {', '.join(LICENCES)}")
        return licence


class SiteSource(AnySource):
    """A source on the network."""

    site: str | None = Field(None, description="http(s)://host[:port] in place of the spider's own")
    policy: WrittenPolicy | None = None

    @field_validator("site")
    @classmethod
    def _is_an_origin(cls, site: str | None) -> str | None:
        return None if site is None else origin(site)


class FileSource(AnySource):
    """A source on this machine's disk."""

    path: str = Field(min_length=1, description="relative to this YAML file's folder, or absolute")

    @field_validator("path")
    @classmethod
    def _is_a_path(cls, path: str) -> str:
        if "\0" in path:
            raise ValueError("holds a NUL character, which no path does")
        try:
            Path(path).expanduser()
        except RuntimeError as error:
            raise ValueError(f"{path!r}: there is no such user's home folder") from error
        return path

    def located(self, folder: Path) -> Path:
        """The path, counted from the folder of the YAML file; `~` is the home folder."""
        return folder / Path(self.path).expanduser()


class MediaWikiSource(SiteSource):
    """Pages of a wiki, by whatever names them."""

    spider: Literal["bulbapedia", "wikipedia", "fandom", "mediawiki"]
    article_path: str = Field("/wiki/", pattern=r"^/", description="what stands before a title")
    api_path: str | None = Field(None, pattern=r"^/", description="default: /w/api.php")
    categories: list[str] = []
    depth: int = Field(0, ge=0, le=10, description="levels of subcategories to follow")
    list_pages: list[str] = []
    series: list[Series] = []
    titles: list[str] = []
    namespaces: list[Annotated[int, Field(ge=0)]] = Field(
        [], description="whole namespaces by number; 0 has the articles"
    )
    searches: list[str] = Field([], description="what the wiki's own search finds")
    sections: list[str] | None = Field(None, description="headings to keep; default: the plot's")

    @model_validator(mode="after")
    def _finds_something(self) -> "MediaWikiSource":
        named = ("categories", "list_pages", "series", "titles", "namespaces", "searches")
        if not any(getattr(self, name) for name in named):
            raise ValueError(f"names no pages; give at least one of {', '.join(named)}")
        return self

    @field_validator("article_path")
    @classmethod
    def _before_the_title(cls, article_path: str) -> str:
        before, _, after = article_path.partition("$1")  # as Special:Version has it
        if after:
            raise ValueError(f"{article_path!r} goes on behind the title, which is not read")
        return before

    @model_validator(mode="after")
    def _knows_its_wiki(self) -> "MediaWikiSource":
        if self.spider == "fandom" and self.site is None:
            raise ValueError("needs `site:`, e.g. https://harrypotter.fandom.com")
        if self.spider == "mediawiki" and not (self.site and self.licence):
            raise ValueError("needs `site:` and `licence:` (the wiki's own, as an SPDX id)")
        return self


class GutenbergSource(SiteSource):
    """Books of the catalogue: by number, by author, by subject, by bookshelf."""

    spider: Literal["gutenberg"]
    books: list[Annotated[int, Field(ge=1)]] = []
    authors: list[str] = Field([], description="as in the catalogue, e.g. 'Baum, L. Frank'")
    subjects: list[str] = []
    bookshelves: list[str] = []
    title_contains: str | None = Field(None, description="of the books found, only these")
    language: str = Field("en", description="the catalogue's code; default: the franchise's")

    @model_validator(mode="after")
    def _finds_something(self) -> "GutenbergSource":
        if not (self.books or self.authors or self.subjects or self.bookshelves):
            raise ValueError(
                "names no books; give at least one of books, authors, subjects, bookshelves"
            )
        return self


class DumpSource(FileSource):
    """A MediaWiki XML dump (.xml, .xml.bz2, .xml.xz, .xml.zst), read as a stream.

    What is named is taken; where nothing is, all articles.
    """

    spider: Literal["dump"]
    licence: str
    categories: list[str] = Field([], description="as the pages' own wikitext names them")
    depth: int = Field(0, ge=0, le=10, description="levels of subcategories to follow")
    series: list[Series] = []
    titles: list[str] = []
    namespaces: list[Annotated[int, Field(ge=0)]] = []
    sections: list[str] | None = Field(None, description="headings to keep; default: the plot's")


class ZimSource(FileSource):
    """A ZIM file of Kiwix. What is named is taken; where nothing is, all articles."""

    spider: Literal["zim"]
    licence: str
    titles: list[str] = []
    title_contains: str | None = None
    sections: list[str] | None = Field(None, description="headings to keep; default: the plot's")


class Columns(Written):
    """Which column of a table holds what. Only `text` is needed."""

    text: str
    title: str | None = None
    genre: str | None = None
    url: str | None = Field(None, description="a row's page, for the attribution")
    id: str | None = Field(None, description="what names a row for good; default: url, or title")


class FilesSource(FileSource):
    """Texts on disk: a file, a folder or a pattern such as books/*.txt.

    .txt, .md, .html and .epub are a page each; .csv, .tsv, .jsonl and .parquet a page a row.
    """

    spider: Literal["files"]
    licence: str
    columns: Columns | None = Field(
        None, description="of tables; default: as in the set 'Wikipedia Movie Plots'"
    )
    genres: dict[str, Annotated[list[str], Field(min_length=1)]] | None = Field(
        None,
        min_length=1,
        description="of tables: what rows call each genre that is wanted; the first that fits "
        "counts, rows of others are left out",
    )
    story: Selector = Field("body", description="of .html files: selector of a story's text")
    sections: list[str] | None = Field(
        None, description="of .html files that are a wiki's: the headings to keep instead"
    )

    @field_validator("genres")
    @classmethod
    def _genres_differ(cls, genres: dict[str, list[str]] | None) -> dict[str, list[str]] | None:
        names = [name for written in (genres or {}).values() for name in written]
        for together in (list(genres or {}), names):
            words = [genre_words(name) for name in together]
            for name, said in zip(together, words, strict=True):
                if not said:
                    raise ValueError(f"the genre {name!r} has no letter")
                if words.count(said) > 1:
                    raise ValueError(f"the genre {name!r} stands twice")
        return genres


#: The spiders whose sources have keys of their own.
_KNOWN_SPIDERS = {"bulbapedia", "wikipedia", "fandom", "mediawiki", "gutenberg", "dump", "zim",
                  "files", "web"}  # fmt: skip


def _own_spiders() -> list[str]:
    """Spiders that somebody added: a file each where spiders are, named after its spider."""
    found = pkgutil.iter_modules(crawlers.spiders.__path__)
    return sorted(module.name for module in found if module.name not in _KNOWN_SPIDERS)


if TYPE_CHECKING:
    WebSpiderName = str
else:
    WebSpiderName = Literal[("web", *_own_spiders())]


class WebSource(SiteSource):
    """Pages of a site that is no wiki, by CSS selectors."""

    spider: WebSpiderName
    site: str
    licence: str
    pages: list[Annotated[str, Field(pattern=r"^/")]] = Field(
        min_length=1, description="paths of stories, or with `links` of pages that list them"
    )
    links: Selector | None = Field(None, description="selector of the links to stories")
    next: Selector | None = Field(None, description="selector of the link to the next list page")
    story: Selector = Field("body", description="selector of a story's text")

    @model_validator(mode="after")
    def _lists_what_it_follows(self) -> "WebSource":
        if self.next and not self.links:
            raise ValueError("`next` leads from list page to list page: give `links` too")
        return self


Source = Annotated[
    MediaWikiSource | GutenbergSource | DumpSource | ZimSource | FilesSource | WebSource,
    Field(discriminator="spider"),
]


def source_name(source: AnySource) -> str:
    """The name under which a source's pages are stored."""
    return source.name or source.spider
