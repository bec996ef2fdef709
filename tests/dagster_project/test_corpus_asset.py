"""The corpus as Dagster makes it: signatures beside the documents, checks, reuse, the record."""

import shutil

import dagster as dg
import pyarrow.parquet as pq
import pytest

from pipeline.artifact import Artifact
from pipeline.schema import SIGNATURES
from tests.pipeline.clean.texts import prose

_TALES = """\
type: dagster_project.components.Franchise
attributes:
  title: Tales
  sources:
    - {spider: files, path: texts, licence: CC0-1.0}
"""


@pytest.fixture
def tales(project, load, materialize):
    """Writes texts and materializes pages, documents and corpus; the result of the last."""
    project.write("tales", _TALES)
    texts = project.folder / "corpora/tales/texts"
    texts.mkdir()

    def make(*numbers: int) -> dg.ExecuteInProcessResult:
        for number in numbers:
            (texts / f"tale_{number}.txt").write_text(prose(120, number % 100))
        with dg.DagsterInstance.ephemeral() as instance:
            for asset in ("files_pages", "documents", "corpus"):
                result = materialize(load(project), instance, f"tales/{asset}")
        return result

    return make


def _metadata(result):
    (event,) = result.get_asset_materialization_events()
    return {name: value.value for name, value in event.materialization.metadata.items()}


def test_from_documents_to_a_checked_corpus_and_again(project, tales):
    result = tales(*range(12))
    assert result.success
    checks = {e.check_name: e for e in result.get_asset_check_evaluations()}
    assert checks["split_disjoint"].passed
    assert checks["no_leak"].passed
    assert checks["no_leak"].metadata["documents_held_out"].value >= 2
    documents = Artifact.load(project.data / "documents/tales")
    assert documents.figures["signatures"] == {"texts": 12, "hashed": 12, "known": 0}
    assert pq.read_schema(documents.folder / "signatures.parquet").equals(SIGNATURES)
    record = project.data / "corpora/tales/assignments.parquet"
    before = pq.read_table(record).to_pylist()
    assert len(before) == 12

    assert _metadata(tales())["reused"] is True

    # A text that is known under another name: only what is new is hashed, the twin goes.
    result = tales(107)
    assert result.success
    documents = Artifact.load(project.data / "documents/tales")
    assert documents.figures["signatures"] == {"texts": 12, "hashed": 0, "known": 12}
    shown = _metadata(result)
    assert (shown["documents"], shown["duplicates"], shown["reused"]) == (12, 1, False)
    assert "same text | 1" in shown["dropped_by_reason"]
    after = pq.read_table(record).to_pylist()
    assert [row for row in after if row in before] == before


@pytest.mark.slow
def test_who_removes_the_record_has_all_dealt_anew_once(project, tales):
    assert tales(*range(12)).success
    root = project.data / "corpora/tales"
    record = root / "assignments.parquet"
    dealt = pq.read_table(record)
    for _ in range(2):  # and again, though what is dealt anew is the same as before
        record.unlink()
        assert _metadata(tales())["reused"] is False
        assert pq.read_table(record).equals(dealt)
        built = Artifact.load(root)
        assert _metadata(tales())["reused"] is True
        assert Artifact.load(root) == built


@pytest.mark.slow
def test_a_build_killed_before_its_manifest_is_made_once_more(project, tales):
    assert tales(*range(12)).success
    root = project.data / "corpora/tales"
    manifest = (root / "manifest.json").read_bytes()
    folder = root / Artifact.load(root).version
    shutil.copytree(folder, project.data / "kept")
    assert tales(20).success
    # As a kill leaves it after the record was replaced: the manifest names the build before.
    (root / "manifest.json").write_bytes(manifest)
    if not folder.exists():
        shutil.copytree(project.data / "kept", folder)
    assert len(pq.read_table(root / "assignments.parquet")) == 13
    assert _metadata(tales())["reused"] is False
    assert _metadata(tales())["reused"] is True


def test_an_unreadable_record_is_one_line_and_the_good_corpus_stands(project, tales):
    assert tales(*range(12)).success
    good = Artifact.load(project.data / "corpora/tales")
    record = project.data / "corpora/tales/assignments.parquet"
    record.write_bytes(b"PAR1")
    failed = tales()
    assert not failed.success
    (failure,) = failed.get_step_failure_events()
    told = failure.step_failure_data.error.message + str(failure.step_failure_data.error.cause)
    assert "assignments.parquet: no whole Parquet file" in told
    assert "remove it to deal all works anew" in told
    assert Artifact.load(project.data / "corpora/tales") == good
