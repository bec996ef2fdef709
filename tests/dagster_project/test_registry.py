"""Every mistake in the YAML is named with file, line and the allowed values, all at once."""

from pathlib import Path

import pytest

from crawlers.yaml_spec import SpecError
from dagster_project.registry import load_registry

_REGISTRY = Path(__file__).parents[2] / "corpora"
_FRANCHISE = """\
type: dagster_project.components.Franchise
attributes:
  title: Heroes
  sources:
    - spider: wikipedia
      titles: [Hero]
"""
_MODEL = """\
type: dagster_project.components.StoryModel
attributes:
  name: hero-gpt2
  corpus: {corpus}
  preset: gpt2
  size: tiny
"""
_CORPUS = """\
type: dagster_project.components.StoryCorpus
attributes:
  title: Mix
  franchises: [heroes, {other}]
"""


@pytest.fixture
def write(tmp_path: Path):
    def write(name: str, *documents: str) -> Path:
        (tmp_path / name).mkdir()
        (tmp_path / name / "defs.yaml").write_text("---\n".join(documents), "utf-8")
        return tmp_path

    return write


def _mistakes(folder: Path) -> list[str]:
    with pytest.raises(SpecError) as caught:
        load_registry(folder)
    return [mistake.removeprefix(f"{folder}/") for mistake in caught.value.mistakes]


def test_what_is_right_is_loaded(write):
    write("heroes", _FRANCHISE, _MODEL.format(corpus="heroes"))
    write("villains", _FRANCHISE)
    registry = load_registry(write("mix", _CORPUS.format(other="villains")))
    assert registry.franchises["heroes"].title == "Heroes"
    assert registry.models["hero-gpt2"].corpus == "heroes"
    assert registry.corpora["mix"].franchises == ["heroes", "villains"]


def test_unknown_spider_names_line_and_allowed_ones(write):
    folder = write("bad", _FRANCHISE.replace("wikipedia", "wikipdia"))
    (mistake,) = _mistakes(folder)
    assert mistake.startswith(
        "bad/defs.yaml:5: attributes.sources.0: 'wikipdia' is unknown; allowed: 'bulbapedia', "
    )


def test_unknown_key_names_line_and_allowed_ones(write):
    folder = write("bad", _FRANCHISE + "      categoris: [Heroes]\n")
    (mistake,) = _mistakes(folder)
    assert mistake.startswith("bad/defs.yaml:7: attributes.sources.0.categoris: unknown key; ")
    assert "categories" in mistake


def test_a_corpus_that_does_not_exist_is_an_error(write):
    folder = write("heroes", _FRANCHISE, _MODEL.format(corpus="villains"))
    assert _mistakes(folder) == [
        "heroes/defs.yaml:11: attributes.corpus: corpus 'villains' does not exist; "
        "there are: heroes"
    ]


def test_a_franchise_that_does_not_exist_is_an_error(write):
    write("heroes", _FRANCHISE)
    (mistake,) = _mistakes(write("mix", _CORPUS.format(other="villains")))
    assert mistake.startswith("mix/defs.yaml:4: attributes.franchises.1: franchise 'villains'")


def test_one_bad_file_does_not_hide_another(write):
    write("a", "type: [\n")
    write("b", _FRANCHISE.replace("title: Heroes", "titel: Heroes"))
    write("c", _FRANCHISE, _MODEL.format(corpus="nowhere"))
    folder = write("d", "attributes: {}\n")
    files = {mistake.split("/")[0] for mistake in _mistakes(folder)}
    assert files == {"a", "b", "c", "d"}


def test_two_models_of_one_name_are_an_error(write):
    folder = write("heroes", _FRANCHISE, *[_MODEL.format(corpus="heroes")] * 2)
    (mistake,) = _mistakes(folder)
    assert "a second one named 'hero-gpt2'" in mistake


def test_unknown_component_names_the_allowed_ones(write):
    folder = write("bad", _FRANCHISE.replace("components.Franchise", "components.Francise"))
    assert _mistakes(folder) == [
        "bad/defs.yaml:1: type: 'Francise' is unknown; allowed: Franchise, StoryCorpus, StoryModel"
    ]


def test_unknown_licence_names_the_allowed_ones(write):
    folder = write("bad", _FRANCHISE + "      licence: CC-BY-SA\n")
    (mistake,) = _mistakes(folder)
    assert mistake.startswith(
        "bad/defs.yaml:7: attributes.sources.0.licence: 'CC-BY-SA' is unknown"
    )
    assert "CC-BY-SA-4.0" in mistake


@pytest.mark.parametrize(
    "line", ["  recrawl: mondays\n", "  recrawl: 0 3 * * 1\n  timezone: Mars\n"]
)
def test_a_schedule_that_is_none_is_named(write, line):
    folder = write("bad", _FRANCHISE + line)
    (mistake,) = _mistakes(folder)
    assert mistake.startswith("bad/defs.yaml:7: attributes.recrawl: ")
    assert "is no schedule" in mistake


def test_a_corpus_named_like_a_franchise_is_an_error(write):
    folder = write(
        "heroes", _FRANCHISE, _CORPUS.format(other="heroes").replace("heroes, heroes", "heroes")
    )
    (mistake,) = _mistakes(folder)
    assert "a second one named 'heroes'" in mistake


def test_a_folder_with_a_blank_in_its_name_is_an_error(write):
    (mistake,) = _mistakes(write("hollow kings", _FRANCHISE))
    assert "'hollow kings' is no name" in mistake


def test_a_franchise_that_stands_twice_is_an_error(write):
    write("heroes", _FRANCHISE)
    (mistake,) = _mistakes(write("mix", _CORPUS.format(other="heroes")))
    assert "'heroes' stands twice" in mistake


def test_a_site_whose_rules_nobody_knows_is_an_error_with_its_line(write):
    folder = write("bad", _FRANCHISE + "      site: https://heroes.example\n")
    (mistake,) = _mistakes(folder)
    assert mistake.startswith(
        "bad/defs.yaml:7: attributes.sources.0.site: no policy says how heroes.example may be"
    )
    assert "give `licence:`" in mistake


@pytest.mark.parametrize("folder", ["changes", "corpora", "crawls", "documents"])
def test_a_model_may_not_take_the_folder_of_other_pages(write, folder):
    model = _MODEL.format(corpus="heroes").replace("hero-gpt2", folder)
    (mistake,) = _mistakes(write("heroes", _FRANCHISE, model))
    assert mistake.startswith(f"heroes/defs.yaml:10: attributes.name: '{folder}' is taken")


def test_a_model_may_not_be_called_what_stories_are_rated_against(write):
    model = _MODEL.format(corpus="heroes").replace("hero-gpt2", "human")
    (mistake,) = _mistakes(write("heroes", _FRANCHISE, model))
    assert mistake.startswith("heroes/defs.yaml:10: attributes.name: 'human' is taken: `loremill ")


def test_how_a_corpus_is_made_is_read(write):
    write("heroes", _FRANCHISE)
    write("villains", _FRANCHISE)
    told = _CORPUS.format(other="villains") + (
        "  layout: lines\n"
        "  duplicates: {keep: newest, threshold: 0.8, work_threshold: 0.5}\n"
        "  licences: [CC0-1.0, CC-BY-SA-4.0]\n"
    )
    config = load_registry(write("mix", told)).corpora["mix"].config()
    assert (config.layout, config.duplicates.keep) == ("lines", "newest")
    assert (config.duplicates.threshold, config.duplicates.work_threshold) == (0.8, 0.5)
    assert config.licences == ("CC0-1.0", "CC-BY-SA-4.0")


@pytest.mark.parametrize(
    ("line", "place", "told"),
    [
        ("  layout: pages\n", "attributes.layout", "'stream'"),
        ("  duplicates: {keep: best}\n", "attributes.duplicates.keep", "'longest'"),
        ("  duplicates: {threshold: 2}\n", "attributes.duplicates.threshold", "1"),
        ("  duplicates: {similar: 1}\n", "attributes.duplicates.similar", "threshold"),
        ("  licences: [CC-BY]\n", "attributes.licences", "'CC-BY' is unknown; known are CC0-1.0"),
        ("  licences: []\n", "attributes.licences", "empty list"),
        ("  licences: {exclude: true}\n", "attributes.licences", "exclude_non_commercial"),
        ("  licences: CC0-1.0\n", "attributes.licences", "a list of SPDX ids"),
        ("  validation: 0.9\n", "attributes.validation", "0.5"),
    ],
)
def test_what_is_wrong_with_how_a_corpus_is_made_is_named_by_line(write, line, place, told):
    write("heroes", _FRANCHISE)
    folder = write("mix", _CORPUS.format(other="heroes").replace("heroes, heroes", "heroes") + line)
    mistakes = _mistakes(folder)
    assert all(mistake.startswith(f"mix/defs.yaml:5: {place}") for mistake in mistakes), mistakes
    assert any(told in mistake for mistake in mistakes), mistakes


@pytest.mark.parametrize(
    ("model", "corpus", "preset"),
    [
        ("batman-char-lstm", "batman", "char-lstm"),
        ("batman-word-lstm", "batman", "word-lstm"),
        ("batman-gpt2", "batman", "gpt2"),
        ("movies-gpt2-genre", "movies-by-genre", "gpt2-genre"),
        ("movies-kaggle-gpt2-genre", "movies-kaggle-by-genre", "gpt2-genre"),
        ("oz-char-gru", "oz", "char-gru"),
        ("shakespeare-char-lstm2", "shakespeare", "char-lstm2"),
        ("pokemon-gpt2", "pokemon", "gpt2"),
    ],
)
def test_each_recipe_stands_in_the_registry(model: str, corpus: str, preset: str):
    registry = load_registry(_REGISTRY)
    spec = registry.models[model]
    assert (spec.corpus, spec.preset) == (corpus, preset)
    if preset == "gpt2":
        assert spec.samples.at_steps == [400, 800, 1600]
    if preset == "gpt2-genre":  # what is asked for is what the corpus has, as control tokens
        of = registry.corpora[corpus]
        assert of.layout == "lines"
        sources = [source for name in of.franchises for source in registry.franchises[name].sources]
        genres = {genre for s in sources for genre in getattr(s, "genres", None) or [s.genre]}
        assert genres == set(spec.samples.genres)
        assert genres == {"superhero", "sci_fi", "action", "drama", "horror", "thriller"}
