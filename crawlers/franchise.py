"""What a person writes about a franchise: its title, its sources, when to crawl again.

The same models serve Scrapy (`-a franchise=NAME` reads `corpora/NAME/defs.yaml`) and the Dagster
component of the same name, so that there is one file and one meaning.
"""

import os
from pathlib import Path

from pydantic import Field, model_validator

from crawlers.sources import Source, Written, source_name
from crawlers.yaml_spec import SpecError, YamlDocument, read_yaml, validate

#: The `type:` line of a franchise in `defs.yaml`.
COMPONENT = "dagster_project.components.Franchise"


class FranchiseSpec(Written):
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

    @model_validator(mode="after")
    def _sources_have_a_language(self) -> "FranchiseSpec":
        self.sources[:] = [
            source
            if "language" in source.model_fields_set
            else source.model_copy(update={"language": self.language})
            for source in self.sources
        ]
        return self

    def spiders(self) -> list[str]:
        """The spiders that this franchise needs, each once, in the order of its sources."""
        return list(dict.fromkeys(source.spider for source in self.sources))


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
