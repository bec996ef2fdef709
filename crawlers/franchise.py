"""What a person writes about a franchise: its title, its sources, when to crawl again.

The same models serve Scrapy (`-a franchise=NAME` reads `corpora/NAME/defs.yaml`) and the Dagster
component of the same name, so that there is one file and one meaning.
"""

import os
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from crawlers.yaml_spec import SpecError, YamlDocument, read_yaml, validate

#: The `type:` line of a franchise in `defs.yaml`.
COMPONENT = "dagster_project.components.Franchise"


class _Written(BaseModel):
    """A part of a YAML file: an unknown key is a mistake, not an extra."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Series(_Written):
    """Numbered pages, e.g. prefix EP, from 1 to 276, digits 3: EP001 … EP276."""

    prefix: str
    first: int = Field(1, ge=0)
    last: int = Field(ge=0)
    digits: int = Field(3, ge=1, le=9)

    @model_validator(mode="after")
    def _in_order(self) -> "Series":
        if self.last < self.first:
            raise ValueError(f"last ({self.last}) comes before first ({self.first})")
        return self

    def titles(self) -> list[str]:
        """The page titles, in order."""
        return [f"{self.prefix}{n:0{self.digits}}" for n in range(self.first, self.last + 1)]


class _AnySource(_Written):
    name: str | None = Field(None, description="names the source in reports; default: the spider")
    site: str | None = Field(None, description="http(s)://host[:port] in place of the spider's own")
    genre: str | None = Field(None, description="genre of all that is found here")
    licence: str | None = Field(
        None, description="SPDX id of the texts, where it is not the one of the spider's site"
    )
    limit: int | None = Field(None, ge=1, description="at most so many pages")

    @field_validator("site")
    @classmethod
    def _is_an_origin(cls, site: str | None) -> str | None:
        if site is not None and not re.fullmatch(r"https?://[^/\s]+/?", site):
            raise ValueError(f"{site!r} is not http(s)://host[:port]")
        return site.rstrip("/") if site else None


class MediaWikiSource(_AnySource):
    """Pages of a wiki: by category, by the links of a list page, by number, by title."""

    spider: Literal["bulbapedia", "wikipedia"]
    categories: list[str] = []
    depth: int = Field(0, ge=0, le=10, description="levels of subcategories to follow")
    list_pages: list[str] = []
    series: list[Series] = []
    titles: list[str] = []
    sections: list[str] | None = Field(None, description="headings to keep; default: the plot's")

    @model_validator(mode="after")
    def _finds_something(self) -> "MediaWikiSource":
        if not (self.categories or self.list_pages or self.series or self.titles):
            raise ValueError(
                "names no pages; give at least one of categories, list_pages, series, titles"
            )
        return self


class GutenbergSource(_AnySource):
    """Books of the catalogue: by number, by author, by subject, by bookshelf."""

    spider: Literal["gutenberg"]
    books: list[Annotated[int, Field(ge=1)]] = []
    authors: list[str] = Field([], description="as in the catalogue, e.g. 'Baum, L. Frank'")
    subjects: list[str] = []
    bookshelves: list[str] = []
    title_contains: str | None = Field(None, description="of the books found, only these")
    language: str = Field("en", description="the catalogue's code")

    @model_validator(mode="after")
    def _finds_something(self) -> "GutenbergSource":
        if not (self.books or self.authors or self.subjects or self.bookshelves):
            raise ValueError(
                "names no books; give at least one of books, authors, subjects, bookshelves"
            )
        return self


Source = Annotated[MediaWikiSource | GutenbergSource, Field(discriminator="spider")]


class FranchiseSpec(_Written):
    """A franchise: where its lore is, and when to look again."""

    title: str
    genre: str | None = Field(None, description="genre of all that has no closer one")
    language: str = Field("en", description="ISO 639-1 code")
    sources: list[Source] = Field(min_length=1)
    recrawl: str | None = Field(None, description="cron, e.g. '0 3 * * 1'")
    timezone: str = Field("UTC", description="of the cron line, e.g. Europe/Berlin")

    @model_validator(mode="after")
    def _source_names_are_distinct(self) -> "FranchiseSpec":
        names = [source_name(source) for source in self.sources]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two sources are named {name!r}; give each its own `name`")
        return self

    def spiders(self) -> list[str]:
        """The spiders that this franchise needs, each once, in the order of its sources."""
        return list(dict.fromkeys(source.spider for source in self.sources))


def source_name(source: MediaWikiSource | GutenbergSource) -> str:
    """The name under which a source's pages are stored."""
    return source.name or source.spider


def corpora_folder() -> Path:
    """The registry of franchises: LOREMILL_CORPORA, or `corpora/` beside this package."""
    return Path(os.environ.get("LOREMILL_CORPORA") or Path(__file__).parents[1] / "corpora")


def data_root() -> Path:
    """Where everything is stored: LOREMILL_DATA, or `data/` beside this package."""
    return Path(os.environ.get("LOREMILL_DATA") or Path(__file__).parents[1] / "data").absolute()


def load_franchise(name: str, corpora: Path | None = None) -> FranchiseSpec:
    """The franchise `corpora/NAME/defs.yaml` describes. Raises SpecError."""
    folder = corpora or corpora_folder()
    known = sorted(path.parent.name for path in folder.glob("*/defs.yaml"))
    if name not in known:
        raise SpecError([f"{folder}: has no franchise {name!r}; there are: {', '.join(known)}"])
    path = folder / name / "defs.yaml"
    for document in read_yaml(path):
        if isinstance(document.value, dict) and document.value.get("type") == COMPONENT:
            return validate_franchise(document)
    raise SpecError([f"{path}: has no document of type {COMPONENT}"])


def validate_franchise(document: YamlDocument) -> FranchiseSpec:
    """The `attributes` of a Franchise document. Raises SpecError naming every mistake."""
    if not isinstance(document.value.get("attributes"), dict):
        raise SpecError([document.mistake(("attributes",), "is required, with title and sources")])
    return validate(FranchiseSpec, document, ("attributes",))
