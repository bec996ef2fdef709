"""The corpus asset leads to the page that shows it in figures; it is made anew only if need be."""

from dataclasses import replace
from pathlib import Path
from urllib.request import url2pathname

import dagster as dg
import pytest
from lxml import html

from dagster_project.corpus_page import page_path, write_corpus_page
from pipeline.artifact import Artifact
from tests.pipeline.clean.texts import prose
from tests.pipeline.reports.corpora import Corpus, document

_TALES = """\
type: dagster_project.components.Franchise
attributes:
  title: Tales <b>of</b> lamps
  sources:
    - {spider: files, path: texts, licence: CC0-1.0}
"""


@pytest.fixture
def tales(project):
    project.write("tales", _TALES)
    texts = project.folder / "corpora/tales/texts"
    texts.mkdir()
    for number in range(12):
        (texts / f"tale_{number}.txt").write_text(prose(60 + 20 * number, number))
    return project


def test_the_page_is_linked_and_its_figures_stand_in_the_metadata(tales, load, materialize):
    with dg.DagsterInstance.ephemeral() as instance:
        for key in ("tales/files_pages", "tales/documents"):
            materialize(load(tales), instance, key)
        first = _metadata(materialize(load(tales), instance, "tales/corpus"))
        page = Path(first["statistics_file"])
        made = page.stat().st_mtime_ns
        second = _metadata(materialize(load(tales), instance, "tales/corpus"))
    assert page == tales.data / "reports/corpora/tales.html"
    address = first["statistics"].removeprefix("http://127.0.0.1:3001/")
    assert tales.data / "reports" / url2pathname(address) == page  # as `make ui` serves it
    assert html.fromstring(page.read_bytes()).findtext(".//h1") == "Tales <b>of</b> lamps"
    assert first["documents"] == 12
    assert first["tokens"] > first["words"] / 2
    assert 60 <= first["median_words"] <= 300
    assert first["lengths"].startswith("![documents by length in words](data:image/png;base64,")
    assert second["reused"]
    assert page.stat().st_mtime_ns == made
    assert {name: second[name] for name in first if name != "reused"} == {
        name: value for name, value in first.items() if name != "reused"
    }


def test_a_page_that_is_gone_damaged_or_of_another_corpus_is_made_again(tmp_path):
    corpus = Corpus(tmp_path, [document(number) for number in range(12)]).build()
    made = Artifact(tmp_path, "corpus", "fingerprint", "data version", corpus.figures)
    documents = {"lamps": Artifact(tmp_path.parent, tmp_path.name, "", "")}

    def write(artifact: Artifact, title: str = "Lamps") -> bool:
        """Whether the page was written anew."""
        before = page.stat().st_mtime_ns if page.is_file() else 0
        written = write_corpus_page(tmp_path / "data", "lamps", title, artifact, documents)
        assert written.path == page
        assert written.figures["median_words"] > 0
        return page.stat().st_mtime_ns != before

    page = page_path(tmp_path / "data", "lamps")
    assert write(made)
    assert not write(made)
    page.unlink()
    assert write(made)
    page.with_suffix(".json").write_text("{")
    assert write(made)
    assert write(made, "Other lamps")
    assert write(replace(made, data_version="another"), "Other lamps")


def _metadata(result) -> dict:
    assert result.success
    (event,) = result.get_asset_materialization_events()
    return {name: value.value for name, value in event.materialization.metadata.items()}
