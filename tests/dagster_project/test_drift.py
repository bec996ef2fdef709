"""A site whose markup changes overnight: the alarm rings, and nothing behind it is touched."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from lxml import html

from crawlers.samplesite import SampleSites
from crawlers.samplesite.markup import Dialect
from pipeline.artifact import Artifact

pytestmark = pytest.mark.slow

_PAGES, _DOCUMENTS, _CORPUS = "keepers/bulbapedia_pages", "keepers/documents", "keepers/corpus"
_EPISODES = 12

Run = Callable[..., dg.ExecuteInProcessResult]


@pytest.fixture
def site() -> Iterator[SampleSites]:
    """To be changed, which those of the session must not be."""
    with SampleSites() as sites:
        yield sites


@pytest.fixture
def run(project, site, load, materialize) -> Iterator[Run]:
    """Runs steps of a franchise that was crawled and milled while the site was well."""
    project.write_keepers(site.bulbapedia, episodes=_EPISODES)
    definitions = load(project)
    with dg.DagsterInstance.ephemeral() as instance:

        def run(*keys: str, accept: bool = False) -> dg.ExecuteInProcessResult:
            job = definitions.resolve_implicit_global_asset_job_def()
            accepted = {"ops": {"keepers__documents": {"config": {"accept_drift": True}}}}
            return job.execute_in_process(
                instance=instance,
                asset_selection=[dg.AssetKey.from_user_string(key) for key in keys],
                run_config=accepted if accept else {},
                raise_on_error=False,
            )

        assert run(_PAGES, _DOCUMENTS, _CORPUS).success
        yield run


def _redress(site: SampleSites, dialect: Dialect, episodes: range) -> list[str]:
    titles = [f"LK{episode:03}" for episode in episodes]
    for title in titles:
        site.redress("bulbapedia", title, dialect)
    return titles


def _bytes(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def _check(result: dg.ExecuteInProcessResult) -> dg.AssetCheckEvaluation:
    (check,) = [
        found for found in result.get_asset_check_evaluations() if found.check_name == "no_drift"
    ]
    return check


def _said(result: dg.ExecuteInProcessResult, key: str) -> dict[str, Any]:
    (made,) = [
        event.materialization
        for event in result.get_asset_materialization_events()
        if event.asset_key == dg.AssetKey.from_user_string(key)
    ]
    return {name: value.value for name, value in made.metadata.items()}


def test_new_markup_is_refused_and_nothing_behind_it_is_touched(project, site, run: Run) -> None:
    documents, corpora = project.data / "documents", project.data / "corpora"
    before = _bytes(documents) | _bytes(corpora)
    version = Artifact.load(documents / "keepers").data_version
    titles = _redress(site, Dialect.REBUILT, range(1, _EPISODES + 1))

    refused = run(_PAGES, _DOCUMENTS, _CORPUS)
    assert not refused.success
    assert _bytes(documents) | _bytes(corpora) == before
    ran = {event.step_key for event in refused.all_events if event.is_step_start}
    assert ran == {"keepers__bulbapedia_pages", "keepers__documents"}
    (made,) = [
        event.materialization
        for event in refused.get_asset_materialization_events()
        if event.asset_key.path[-1] == "documents"
    ]
    assert made.tags["dagster/data_version"] == version

    check = _check(refused)
    assert (check.passed, check.blocking) == (False, True)
    assert "in bulbapedia, pages with a story fell from 12 to 0 (100%)" in check.description
    accept = check.metadata["accept"].value
    assert accept in check.description
    assert '{"ops": {"keepers__documents": {"config": {"accept_drift": true}}}}' in accept
    named = check.metadata["pages"].value
    assert all(f"/wiki/{title})" in named for title in titles)
    assert "→ 0" in named
    page = html.parse(project.data / "reports/changes/documents/keepers.html").getroot()
    verdict = page.find_class("verdict")[0].text
    assert verdict.startswith("Refused: in bulbapedia, pages with a story fell")
    links = {a.get("href") for a in page.get_element_by_id("drift").iterfind(".//a")}
    assert links == {f"{site.bulbapedia}/wiki/{title}" for title in titles}

    again = run(_DOCUMENTS)  # it does not pass the second time either
    assert not _check(again).passed
    assert _bytes(documents) | _bytes(corpora) == before


def test_what_a_person_accepts_becomes_the_good_one(project, site, run: Run) -> None:
    _redress(site, Dialect.REBUILT, range(1, 7))
    assert not run(_PAGES, _DOCUMENTS).success
    accepted = run(_DOCUMENTS, accept=True)
    assert accepted.success
    assert _check(accepted).description.startswith("accepted by a person: in bulbapedia, pages")
    documents = Artifact.load(project.data / "documents/keepers")
    assert documents.figures["pages_with_story"] == 6
    page = html.parse(project.data / "reports/changes/documents/keepers.html").getroot()
    assert "Refused" not in page.find_class("verdict")[0].text
    later = run(_DOCUMENTS, _CORPUS)
    assert later.success
    assert _said(later, _DOCUMENTS)["reused"] is True


def test_a_handful_of_pages_in_new_markup_is_enough(project, site, run: Run) -> None:
    """The crawl fetches what was edited only, and the whole source hardly falls: 3 of 40 pages."""
    project.write_keepers(site.bulbapedia, episodes=40)
    assert run(_PAGES, _DOCUMENTS).success
    _redress(site, Dialect.REBUILT, range(20, 23))
    refused = run(_PAGES, _DOCUMENTS)
    check = _check(refused)
    assert not check.passed
    assert "from 3 to 0 (100%) over the 3 pages that changed since" in check.description
    assert "over the 40 pages" not in check.description


def test_a_site_that_is_well_again_passes_and_edits_are_told(project, site, run: Run) -> None:
    _redress(site, Dialect.REBUILT, range(1, _EPISODES + 1))
    assert not run(_PAGES, _DOCUMENTS).success
    _redress(site, Dialect.MODERN, range(1, _EPISODES + 1))
    body = site.wikis["bulbapedia"].page("LK003").body
    site.edit("bulbapedia", "LK003", body.replace("the", "a certain", 40))
    well = run(_PAGES, _DOCUMENTS, _CORPUS)
    assert well.success
    assert _check(well).passed
    assert "12 in both" in _check(well).metadata["compared"].value
    said = _said(well, _DOCUMENTS)
    assert (said["came"], said["went"]) == (0, 0)
    assert said["changed"] >= 1
    assert "its page was edited" in said["changes_by_reason"].replace("&#32;", " ")
    page = html.parse(project.data / "reports/changes/documents/keepers.html").getroot()
    assert "Refused" not in page.text_content()
    assert "a certain" in page.get_element_by_id("changed").text_content()


def test_the_first_extraction_has_nothing_to_be_compared_with(project, run: Run) -> None:
    documents = Artifact.load(project.data / "documents/keepers")
    assert (documents.figures["since"], documents.figures["drift"]) == (None, [])
    again = run(_DOCUMENTS)
    assert _check(again).description == "nothing to compare with"
    assert _said(again, _DOCUMENTS)["since_last"] == "This is the first build."


def test_pages_that_fall_two_a_crawl_add_up(project, site, run: Run) -> None:
    """And the memory of it gives the same documents no other data version."""
    root = project.data / "documents/keepers"
    _redress(site, Dialect.REBUILT, range(1, 3))
    assert run(_PAGES, _DOCUMENTS, _CORPUS).success
    two = Artifact.load(root)
    assert (root / two.figures["drift_record"]).is_file()
    manifest = (root / "manifest.json").read_bytes()
    (root / "manifest.json").unlink()
    assert run(_DOCUMENTS).success  # the same documents, that know of no past
    alone = Artifact.load(root)
    assert alone.figures["since"] is None
    assert alone.data_version == two.data_version
    (root / "manifest.json").write_bytes(manifest)

    _redress(site, Dialect.REBUILT, range(3, 4))
    before = _bytes(root)
    refused = run(_PAGES, _DOCUMENTS, _CORPUS)
    check = _check(refused)
    assert not check.passed
    told = "pages with a story fell from 3 to 0 (100%) over the 3 pages that changed within a year"
    assert told in check.description
    assert _bytes(root) == before
    page = html.parse(project.data / "reports/changes/documents/keepers.html").getroot()
    assert "changed since, within a year" in page.get_element_by_id("drift").text_content()

    accepted = run(_DOCUMENTS, accept=True)
    assert accepted.success
    _redress(site, Dialect.REBUILT, range(4, 5))
    assert run(_PAGES, _DOCUMENTS).success


def test_a_damaged_record_of_pages_stops_no_build(project, site, run: Run) -> None:
    root = project.data / "documents/keepers"
    pages = Artifact.load(root).folder / "pages.parquet"
    pages.write_bytes(bytes(pages.stat().st_size))
    _redress(site, Dialect.REBUILT, range(1, 2))
    made = run(_PAGES, _DOCUMENTS, _CORPUS)
    assert made.success
    assert _check(made).description == (
        "nothing to compare with: pages.parquet of the last documents is damaged, or an earlier "
        "version's"
    )
    assert _said(made, _DOCUMENTS)["since_last"].startswith("The build before cannot be compared")
    _redress(site, Dialect.REBUILT, range(2, 5))
    assert not _check(run(_PAGES, _DOCUMENTS)).passed
