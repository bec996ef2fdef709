"""Reads every `corpora/*/defs.yaml` at once and says all that is wrong with them.

Dagster loads the same files one by one and stops at the first mistake, and it cannot know that a
model names a corpus which does not exist. So the whole registry is checked first: each mistake is
named with file, line and the allowed values, and one bad file does not hide what is wrong in
another.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg

from crawlers.franchise import FranchiseSpec, validate_franchise
from crawlers.policy import UnknownHostError, origins, policy_of
from crawlers.sources import SiteSource
from crawlers.yaml_spec import SpecError, YamlDocument, read_yaml, validate
from dagster_project import changes_page, corpus_page, crawl_page, documents_page, models_page
from pipeline.corpus.spec import StoryCorpusSpec
from pipeline.model_spec import SLUG, ModelSpec
from pipeline.ratings.stories import HUMAN

_PACKAGE = "dagster_project.components."
#: Folders of reports/ that are no model's.
_PAGES = (changes_page, corpus_page, crawl_page, documents_page, models_page)
_TAKEN = tuple(page.FOLDER for page in _PAGES)


@dataclass
class Registry:
    """All that is written under `corpora/`, by name."""

    franchises: dict[str, FranchiseSpec] = field(default_factory=dict)
    corpora: dict[str, StoryCorpusSpec] = field(default_factory=dict)
    models: dict[str, ModelSpec] = field(default_factory=dict)


def load_registry(folder: Path) -> Registry:
    """Read and cross-check every `NAME/defs.yaml` of the folder. Raises SpecError."""
    registry = Registry()
    mistakes: list[str] = []
    references: list[Callable[[], str | None]] = []
    for path in sorted(folder.glob("*/defs.yaml")):
        try:
            documents = read_yaml(path)
        except SpecError as error:
            mistakes += error.mistakes
            continue
        for document in documents:
            try:
                references += _enter(registry, document, path.parent.name)
            except SpecError as error:
                mistakes += error.mistakes
    mistakes += [mistake for reference in references if (mistake := reference())]
    if mistakes:
        raise SpecError(mistakes)
    return registry


def _enter(registry: Registry, document: YamlDocument, name: str) -> list[Callable[[], str | None]]:
    """Enter one document; return the checks that need the whole registry."""
    kind = document.value.get("type") if isinstance(document.value, dict) else None
    if not isinstance(kind, str):
        raise SpecError([document.mistake((), f"has no `type:`; e.g. {_PACKAGE}Franchise")])
    match kind.removeprefix(_PACKAGE):
        case "Franchise":
            _claim({**registry.franchises, **registry.corpora}, name, document)
            registry.franchises[name] = validate_franchise(document)
            _check_policies(registry.franchises[name], document)
            _check_schedule(registry.franchises[name], document)
            return []
        case "StoryCorpus":
            _claim({**registry.franchises, **registry.corpora}, name, document)
            corpus = validate(StoryCorpusSpec, document, ("attributes",))
            registry.corpora[name] = corpus
            return [
                _exists(
                    document,
                    ("attributes", "franchises", index),
                    "franchise",
                    franchise,
                    lambda: set(registry.franchises),
                )
                for index, franchise in enumerate(corpus.franchises)
            ]
        case "StoryModel":
            model = validate(ModelSpec, document, ("attributes",))
            _claim(registry.models, model.name, document)
            if (folder := model.name) in _TAKEN:
                what = f"{folder!r} is taken: reports/{folder}/ has the pages of {folder}"
                raise SpecError([document.mistake(("attributes", "name"), what)])
            if model.name == HUMAN:
                what = f"{HUMAN!r} is taken: `loremill rate MODEL {HUMAN}` means people's text"
                raise SpecError([document.mistake(("attributes", "name"), what)])
            registry.models[model.name] = model
            return [
                _exists(
                    document,
                    ("attributes", "corpus"),
                    "corpus",
                    model.corpus,
                    lambda: {*registry.franchises, *registry.corpora},
                )
            ]
        case other if kind.startswith(_PACKAGE):
            raise SpecError(
                [
                    document.mistake(
                        ("type",),
                        f"{other!r} is unknown; allowed: Franchise, StoryCorpus, StoryModel",
                    )
                ]
            )
        case _:
            return []  # a component of another package; Dagster knows it


def _claim(taken: Mapping[str, object], name: str, document: YamlDocument) -> None:
    if not re.fullmatch(SLUG, name):
        what = f"the folder's name {name!r} is no name; use lower case, digits, - and _"
        raise SpecError([document.mistake((), what)])
    if name in taken:
        raise SpecError([document.mistake((), f"a second one named {name!r}; names are unique")])


def _check_policies(franchise: FranchiseSpec, document: YamlDocument) -> None:
    """Each site is one whose rules are known, so that no crawl begins without."""
    mistakes = []
    for index, source in enumerate(franchise.sources):
        for origin in origins(source):
            assert isinstance(source, SiteSource)
            try:
                policy_of(source, origin)
            except UnknownHostError as error:
                place = ("attributes", "sources", index, "site")
                mistakes.append(document.mistake(place, str(error)))
    if mistakes:
        raise SpecError(mistakes)


def _check_schedule(franchise: FranchiseSpec, document: YamlDocument) -> None:
    if franchise.recrawl is None:
        return
    try:
        dg.ScheduleDefinition(
            name="recrawl",
            job_name="recrawl",
            cron_schedule=franchise.recrawl,
            execution_timezone=franchise.timezone,
        )
    except dg.DagsterInvalidDefinitionError:
        what = (
            f"{franchise.recrawl!r} in the time zone {franchise.timezone!r} is no schedule; write "
            "minute, hour, day, month, weekday, e.g. '0 3 * * 1', and a zone like Europe/Berlin"
        )
        raise SpecError([document.mistake(("attributes", "recrawl"), what)]) from None


def _exists(
    document: YamlDocument,
    location: tuple[str | int, ...],
    what: str,
    name: str,
    known: Callable[[], set[str]],
) -> Callable[[], str | None]:
    def check() -> str | None:
        if name in known():
            return None
        there = ", ".join(sorted(known())) or "none"
        return document.mistake(location, f"{what} {name!r} does not exist; there are: {there}")

    return check
