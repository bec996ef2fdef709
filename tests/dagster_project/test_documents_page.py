"""The documents asset leads to the page of what was left out; Dagster itself keeps counts only."""

import json
from pathlib import Path
from urllib.request import url2pathname

import dagster as dg
import pytest
from lxml import html

from tests.pipeline.clean.texts import GERMAN, prose

_TALES = """\
type: dagster_project.components.Franchise
attributes:
  title: Tales <b>of</b> lamps
  sources:
    - {spider: files, path: texts, licence: CC0-1.0}
"""
_CREDIT = "This tale was copied out by the keepers of the western road."


@pytest.fixture
def shown(project, load, materialize) -> dict[str, object]:
    """The metadata of the documents of a folder of texts, one of them in another language."""
    project.write("tales", _TALES)
    texts = project.folder / "corpora/tales/texts"
    texts.mkdir()
    for number in range(15):
        (texts / f"tale_{number}.txt").write_text(f"{prose(60, number)}\n\n{_CREDIT}\n")
    (texts / "maerchen.txt").write_text(GERMAN)
    with dg.DagsterInstance.ephemeral() as instance:
        materialize(load(project), instance, "tales/files_pages")
        result = materialize(load(project), instance, "tales/documents")
    (event,) = result.get_asset_materialization_events()
    return {name: value.value for name, value in event.materialization.metadata.items()}


def test_the_page_is_linked_and_shows_what_was_left_out(project, shown):
    assert (shown["documents"], shown["dropped"]) == (15, 1)
    assert "language is de, not en" in str(shown["dropped_by_reason"])
    assert "boilerplate | 15" in str(shown["changed_by_rule"])
    page = Path(str(shown["what_was_left_out_file"]))
    assert page == project.data / "reports/documents/tales.html"
    address = str(shown["what_was_left_out"]).removeprefix("http://127.0.0.1:3001/")
    assert project.data / "reports" / url2pathname(address) == page  # as `make ui` serves it
    told = html.fromstring(page.read_bytes())
    assert told.findtext(".//h1") == "Tales <b>of</b> lamps"
    assert GERMAN[:60] in told.get_element_by_id("dropped").text_content()
    assert _CREDIT in told.get_element_by_id("boilerplate").text_content()


def test_dagster_does_not_keep_the_texts(shown):
    kept = json.dumps({name: str(value) for name, value in shown.items()})
    assert GERMAN[:30] not in kept
    assert _CREDIT not in kept
