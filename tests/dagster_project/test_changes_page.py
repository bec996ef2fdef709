"""Each build leads to a page of what came, went and changed, and Dagster keeps counts only."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from lxml import html

from pipeline.artifact import Artifact
from tests.pipeline.clean.texts import prose

pytestmark = pytest.mark.slow

_TALES = """\
type: dagster_project.components.Franchise
attributes:
  title: Tales <b>of</b> lamps
  sources:
    - {spider: files, path: texts, licence: CC0-1.0}
"""
_ALL = ("tales/files_pages", "tales/documents", "tales/corpus")

Said = dict[str, dict[str, Any]]


@pytest.fixture
def texts(project) -> Path:
    """Where the tales lie, fifteen of them."""
    project.write("tales", _TALES)
    folder = project.folder / "corpora/tales/texts"
    folder.mkdir()
    for number in range(15):
        (folder / f"tale_{number}.txt").write_text(prose(80, number))
    return folder


@pytest.fixture
def run(project, texts, load, materialize) -> Callable[..., Said]:
    """Materializes; what the documents and the corpus say of themselves."""

    def run(*keys: str) -> Said:
        with dg.DagsterInstance.ephemeral() as instance:
            result = materialize(load(project), instance, *(keys or _ALL))
        assert result.success
        return {
            event.materialization.asset_key.path[-1]: {
                name: value.value for name, value in event.materialization.metadata.items()
            }
            for event in result.get_asset_materialization_events()
        }

    return run


def _edit(texts: Path) -> None:
    (texts / "tale_3.txt").write_text(prose(80, 3).replace(" the ", " yonder ", 1))
    (texts / "tale_4.txt").unlink()
    (texts / "tale_99.txt").write_text(prose(80, 99))


def _page(said: dict[str, Any]) -> html.HtmlElement:
    return html.fromstring(Path(said["what_changed_file"]).read_bytes())


def test_what_came_went_and_changed_is_told(project, texts, run) -> None:
    first = run()
    for said in (first["documents"], first["corpus"]):
        assert said["since_last"] == "This is the first build."
    assert _page(first["documents"]).findtext(".//h1") == "Tales <b>of</b> lamps"
    _edit(texts)
    second = run()
    for name, kind in (("documents", "documents"), ("corpus", "corpora")):
        said = second[name]
        assert (said["came"], said["went"], said["changed"]) == (1, 1, 1)
        path = project.data / f"reports/changes/{kind}/tales.html"
        assert Path(said["what_changed_file"]) == path
        assert said["what_changed"].endswith(f"/changes/{kind}/tales.html")
        assert "1 document came, 1 went and 1 changed" in _page(said).text_content()
        kept = json.dumps({key: str(value) for key, value in said.items()})
        assert "yonder" not in kept
        assert prose(80, 3)[:30] not in kept
    documents = _page(second["documents"])
    assert documents.find(".//ins").text == "yonder"
    assert documents.find(".//del").text == "the"
    assert "its page is gone from the site or its listing" in documents.text_content()
    corpus = _page(second["corpus"])
    assert "it is no longer among the documents" in corpus.text_content()
    assert corpus.get_element_by_id("splits") is not None


def test_a_reused_build_tells_it_again_and_a_lost_page_is_made_anew(project, texts, run) -> None:
    run()
    _edit(texts)
    said = run()["documents"]
    page = Path(said["what_changed_file"])
    written, stamp = page.read_bytes(), page.stat().st_mtime_ns
    again = run("tales/documents")["documents"]
    assert again["reused"] is True
    assert (again["came"], again["went"], again["changed"]) == (1, 1, 1)
    assert page.stat().st_mtime_ns == stamp
    page.unlink()  # as when the run is killed before it is written
    run("tales/documents")
    assert page.read_bytes() == written


def test_where_the_build_before_was_taken_away_it_is_said(project, texts, run) -> None:
    run()
    _edit(texts)
    run()
    documents = Artifact.load(project.data / "documents/tales")
    shutil.rmtree(documents.root / documents.figures["since"]["version"])
    shutil.rmtree(project.data / "reports/changes")
    said = run("tales/documents")["documents"]
    assert "no longer there, as after a takedown" in said["since_last"]
    assert "no longer there, as after a takedown" in _page(said).text_content()


def test_another_configuration_is_named(project, texts, run) -> None:
    run()
    mix = "type: dagster_project.components.StoryCorpus\nattributes:\n  title: Mix\n"
    mix += "  franchises: [tales]\n"
    project.write("mix", mix)
    run("mix/corpus")
    project.write("mix", f"{mix}  layout: lines\n")
    said = run("mix/corpus")["corpus"]
    assert (said["came"], said["went"], said["changed"]) == (0, 0, 0)
    cells = [cell.text_content() for cell in _page(said).get_element_by_id("settings").iter("td")]
    assert cells == ['"documents"', '"lines"']
