"""What Dagster keeps for good, events, metadata and logs, holds no sentence of a story."""

import dagster as dg
import pytest

from pipeline.artifact import Artifact
from pipeline.corpus.split import SPLITS
from tests.pipeline.clean.texts import GERMAN, prose

_TALES = """\
type: dagster_project.components.Franchise
attributes:
  title: Tales of lamps
  sources:
    - {spider: files, path: texts, licence: CC0-1.0}
"""
_PLANTED = "Nobody had told the heron that the seventh lamp was only borrowed"
_TOLD = 14


@pytest.fixture
def tales(project):
    """A folder of texts, each with the planted sentence at both its ends, and one in German."""
    project.write("tales", _TALES)
    texts = project.folder / "corpora/tales/texts"
    texts.mkdir()
    for number in range(_TOLD):
        first, last = (f"{_PLANTED} in the year {year}." for year in (number, number + 100))
        (texts / f"tale_{number}.txt").write_text(f"{first}\n\n{prose(60, number)}\n\n{last}")
    (texts / "maerchen.txt").write_text(GERMAN)
    return project


def test_no_event_holds_a_sentence_of_a_page_a_document_or_a_corpus(tales, load, materialize):
    with dg.DagsterInstance.local_temp(str(tales.folder / ".dagster")) as instance:
        for key in ("tales/files_pages", "tales/documents", "tales/corpus", "tales/index"):
            assert materialize(load(tales), instance, key).success
    corpus = Artifact.load(tales.data / "corpora/tales").folder
    told = b"".join((corpus / f"{split}.txt").read_bytes() for split in SPLITS)
    assert told.count(_PLANTED.encode()) == 2 * _TOLD
    kept = tales.kept()
    assert str(corpus).encode() in kept
    assert _PLANTED.encode() not in kept
    assert GERMAN[:30].encode() not in kept
