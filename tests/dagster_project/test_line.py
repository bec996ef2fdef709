"""The whole line through Dagster on a few pages: crawl, corpus, GPT-2, samples, report."""

import json
import re
from collections.abc import Iterable, Iterator

import pyarrow.parquet as pq
import pytest

from crawlers.store.page_store import PageStore
from pipeline.artifact import Artifact

_REPORT = '+key:"keepers-gpt2/report"'


@pytest.fixture
def keepers(project, sites):
    project.write_keepers(sites.bulbapedia, episodes=12)
    return project


@pytest.mark.slow
def test_from_pages_to_report_and_again(keepers, sites):
    first = keepers.launch(_REPORT)
    assert first.returncode == 0, first.stdout + first.stderr
    assert PageStore(keepers.data / "pages/keepers/bulbapedia").count() == 12
    report = Artifact.load(keepers.data / "reports/keepers-gpt2")
    assert (report.folder / "report.html").stat().st_size > 5_000
    model = Artifact.load(keepers.data / "models/keepers-gpt2")
    assert json.loads((model.folder / "training.json").read_text())["steps"] == 30
    samples = pq.read_table(
        Artifact.load(keepers.data / "samples/keepers-gpt2").folder / "samples.parquet"
    )
    assert set(samples["step"].to_pylist()) == {10, 30}
    documents = pq.read_table(
        Artifact.load(keepers.data / "documents/keepers").folder / "documents.parquet"
    )
    kept = keepers.kept()
    assert str(report.folder).encode() in kept
    for texts in (documents["text"].to_pylist(), samples["text"].to_pylist()):
        runs = set(_runs(texts))
        assert runs
        assert not [run for run in runs if run in kept]

    sites.log.clear()
    second = keepers.launch(_REPORT)
    assert second.returncode == 0
    assert second.stdout.count("reused:") + second.stderr.count("reused:") == 9
    assert Artifact.load(keepers.data / "reports/keepers-gpt2").version == report.version
    asked = sites.log.paths("bulbapedia")
    assert asked
    assert not [path for path in asked if path.startswith("/wiki/")]


def _runs(texts: Iterable[str]) -> Iterator[bytes]:
    """Runs of words of the texts, long enough to be nobody's but theirs; nothing to escape."""
    for text in texts:
        for run in re.finditer(r"[A-Za-z]+(?: [A-Za-z]+){4}", text):
            yield run[0].encode()


def test_a_site_that_refuses_connections_is_one_clear_error(project):
    project.write_keepers("http://127.0.0.1:9", episodes=2)
    failed = project.launch('key:"keepers/bulbapedia_pages"')
    output = failed.stdout + failed.stderr
    assert failed.returncode != 0
    assert "127.0.0.1:9" in output
    assert "Failure" in output
