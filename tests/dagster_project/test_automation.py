"""A quiet week asks for nothing; a changed page is followed, though never to a first training."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pytest
from dagster import DefaultSensorStatus

from crawlers.page import Page
from crawlers.samplesite import SampleSites
from crawlers.store.page_store import PageStore

_STORY = (
    "The keeper came back with the tide and without her lantern. Whoever asked her for it was told "
    "another story: that she had lent it to a drowned bell, that a heron wore it, that it had gone "
    "ahead. Only the youngest of the wardens did not ask. He lit his own, set it on the sill, and "
    "in the morning there were two."
)

_PAGES = "keepers/bulbapedia_pages"
_INDEXES = {"keepers/index", "mix/index"}
_MIX = """\
type: dagster_project.components.StoryCorpus
attributes:
  title: A mix
  franchises: [keepers]
"""


@dataclass
class Week:
    """The automation of a project, as the sensor evaluates it time after time."""

    definitions: dg.Definitions
    instance: dg.DagsterInstance
    cursor: Any = field(default=None)

    def asked(self) -> set[str]:
        """What is asked for in this evaluation."""
        result = dg.evaluate_automation_conditions(
            self.definitions, self.instance, cursor=self.cursor
        )
        self.cursor = result.cursor
        return {
            key.to_user_string()
            for key in self.definitions.resolve_asset_graph().get_all_asset_keys()
            if result.get_num_requested(key)
        }

    def made(self, key: str, version: str, passed: bool = True) -> None:
        """As Dagster notes it when a step has run: this version, and its blocking checks."""
        asset = dg.AssetKey.from_user_string(key)
        self.instance.report_runless_asset_event(
            dg.AssetMaterialization(asset, tags={"dagster/data_version": version})
        )
        for check in self.definitions.resolve_asset_graph().get_check_keys_for_assets({asset}):
            self.instance.report_runless_asset_event(
                dg.AssetCheckEvaluation(
                    asset_key=asset, check_name=check.name, passed=passed, blocking=True
                )
            )

    def trained(self) -> None:
        """Everything was made once, the model and its report by a person."""
        for key in (_PAGES, "keepers/documents", "keepers/corpus", "mix/corpus"):
            self.made(key, "1")
        for key in _INDEXES:
            self.made(key, "1")
        for stage in ("model", "samples", "perplexity", "quality", "memorisation", "report"):
            self.made(f"keepers-gpt2/{stage}", "1")
        self.made("keepers/models", "1")


@pytest.fixture
def week(project, load) -> Iterator[Week]:
    project.write_keepers("http://127.0.0.1:9", episodes=2)
    project.write("mix", _MIX)
    with dg.DagsterInstance.ephemeral() as instance:
        week = Week(load(project), instance)
        assert week.asked() == set()
        yield week


def test_a_crawl_that_found_nothing_new_asks_for_nothing(week):
    week.trained()
    assert week.asked() == set()
    for _ in range(3):
        week.made(_PAGES, "1")
        assert week.asked() == set()


def test_a_changed_page_is_followed_to_the_report_of_a_trained_model(week):
    week.trained()
    week.asked()
    week.made(_PAGES, "2")
    assert week.asked() == {"keepers/documents"}
    assert week.asked() == set()  # it is asked for once
    week.made("keepers/documents", "2")
    assert week.asked() == {"keepers/corpus", "mix/corpus"}
    week.made("keepers/corpus", "2")
    week.made("mix/corpus", "2")
    models = {"keepers-gpt2/model", "keepers-gpt2/perplexity"}
    assert week.asked() == models | _INDEXES  # one run, in order
    for index in _INDEXES:
        week.made(index, "2")
    week.made("keepers-gpt2/model", "2")
    week.made("keepers-gpt2/perplexity", "2")
    assert week.asked() == {"keepers-gpt2/samples", "keepers-gpt2/report", "keepers/models"}
    assert week.asked() == set()
    week.made("keepers-gpt2/samples", "2")
    measured = {"keepers-gpt2/quality", "keepers-gpt2/memorisation"}
    assert week.asked() == measured | {"keepers-gpt2/report"}
    for asset in (*measured, "keepers-gpt2/report"):
        week.made(asset, "2")
    assert week.asked() == {"keepers/models"}
    assert week.asked() == set()


def test_a_model_that_copies_does_not_keep_the_page_of_models_from_being_made(week):
    week.trained()
    week.asked()
    week.made("keepers-gpt2/report", "2", passed=False)
    assert week.asked() == set()
    week.made("keepers-gpt2/memorisation", "2")
    assert week.asked() == {"keepers-gpt2/report", "keepers/models"}


def test_a_change_that_extraction_leaves_out_ends_there(week):
    week.trained()
    week.asked()
    week.made(_PAGES, "2")
    assert week.asked() == {"keepers/documents"}
    week.made("keepers/documents", "1")
    assert week.asked() == set()


def test_a_new_franchise_grows_to_its_corpus_and_trains_nothing(week):
    week.made(_PAGES, "1")
    line = {"keepers/documents", "keepers/corpus", "mix/corpus"} | _INDEXES
    assert week.asked() == line  # one run
    for key in line:
        week.made(key, "1")
    assert week.asked() == set()
    week.made(_PAGES, "2")
    week.asked()
    week.made("keepers/documents", "2")
    week.asked()
    week.made("keepers/corpus", "2")
    assert week.asked() == {"keepers/index"}  # nobody has trained it yet
    week.made("keepers-gpt2/model", "1")
    stages = ("samples", "perplexity", "quality", "memorisation", "report")
    assert week.asked() == {f"keepers-gpt2/{stage}" for stage in stages}
    for stage in stages:
        week.made(f"keepers-gpt2/{stage}", "1")
    assert week.asked() == {"keepers/models"}


def test_nothing_is_built_on_a_crawl_that_failed_its_checks(week):
    week.trained()
    week.asked()
    week.made(_PAGES, "2", passed=False)
    assert week.asked() == set()
    week.made(_PAGES, "2")  # the next crawl is a good one
    assert week.asked() == {"keepers/documents"}


def test_the_sensor_can_be_switched_on_and_the_schedule_keeps_its_time_zone(project, load):
    project.write(
        "keepers",
        """\
type: dagster_project.components.Franchise
attributes:
  title: Keepers
  sources: [{spider: wikipedia, titles: [Keepers]}]
  recrawl: "0 3 * * 1"
  timezone: Europe/Berlin
""",
    )
    repository = load(project).get_repository_def()
    sensor = repository.get_sensor_def("default_automation_condition_sensor")
    assert sensor.default_status is DefaultSensorStatus.STOPPED  # a person decides
    (schedule,) = repository.schedule_defs
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 3 * * 1", "Europe/Berlin")
    crawled = repository.get_job(schedule.job_name).asset_layer.executable_asset_keys
    assert dg.AssetKey(["keepers", "wikipedia_pages"]) in crawled


@pytest.fixture
def store(tmp_path) -> Callable[[Page], str]:
    """The data version after a page has been added."""

    def add(page: Page) -> str:
        pages = PageStore(tmp_path / "store")
        writer = pages.writer(page.crawl_id)
        writer.append(page)
        writer.close()
        return pages.data_version()

    return add


def test_a_data_version_is_of_what_pages_are_not_of_when_they_came(store):
    page = Page(
        url="https://wiki.example/A", title="A", page_id="1", status=200, revision="7",
        body=b"<p>text</p>", licence="CC-BY-SA-4.0", spider="wikipedia", franchise="heroes",
        source="wikipedia", crawl_id="first", fetched_at=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    first = store(page)
    later = replace(page, crawl_id="second", fetched_at=datetime(2026, 2, 1, tzinfo=UTC))
    assert store(later) == first
    assert store(replace(later, licence="CC-BY-SA-3.0")) != first
    assert store(replace(later, body=b"<p>another text</p>")) != first


@pytest.fixture
def own_sites() -> Iterator[SampleSites]:
    """To be changed, which those of the session must not be."""
    with SampleSites() as sites:
        yield sites


@pytest.mark.slow
def test_real_crawls_of_a_real_site(project, own_sites, load, materialize):
    project.write_keepers(own_sites.bulbapedia, episodes=3)
    definitions = load(project)
    with dg.DagsterInstance.ephemeral() as instance:
        week = Week(definitions, instance)
        week.asked()
        for key in (_PAGES, "keepers/documents", "keepers/corpus"):
            assert materialize(definitions, instance, key).success
        week.asked()
        assert materialize(definitions, instance, _PAGES).success
        assert week.asked() == set()
        own_sites.edit("bulbapedia", "LK002", f"<h2>Plot</h2><p>{_STORY}</p>")
        assert materialize(definitions, instance, _PAGES).success
        assert week.asked() == {"keepers/documents"}
        assert materialize(definitions, instance, "keepers/documents").success
        assert week.asked() == {"keepers/corpus"}
