"""A model that was in training while a text of its was taken down says so too."""

from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crawlers.takedowns import PageName, Takedown
from dagster_project.takedown.erase import erase_outputs
from dagster_project.takedown.touched import Touched, removal_of
from dagster_project.takedown.trained import mark_trained
from pipeline.artifact import Artifact, materialize
from pipeline.schema import TRAINED_ON
from pipeline.takedown import models
from pipeline.takedown.quotes import Quotes


def _page(url: str, franchise: str = "keepers") -> PageName:
    return PageName(url, None, None, None, franchise, "bulbapedia", "bulbapedia")


def _taken_down(data: Path, *pages: PageName) -> Takedown:
    record = Takedown.begin(pages, "asked for", "tester@example.org", {})
    record.save(data)
    return record


def _ends_its_training(root: Path) -> Artifact:
    """A model that has read two pages."""
    read = {"work_id": "w", "franchise": "keepers", "source": "bulbapedia", "split": "train"}
    rows = [
        {"doc_id": f"keepers/bulbapedia/wiki/{name}#Plot", "url": f"http://w/wiki/{name}#Plot"}
        for name in ("Lamp", "Quay")
    ]

    def train(folder: Path) -> dict[str, Any]:
        known = [dict.fromkeys(TRAINED_ON.names, "") | read | row for row in rows]
        pq.write_table(pa.Table.from_pylist(known, TRAINED_ON), folder / models.TRAINED_ON)
        return {}

    return materialize(root, "a" * 64, train)


def test_it_is_held_against_the_record_when_it_is_done(tmp_path: Path) -> None:
    record = _taken_down(tmp_path, _page("http://w/wiki/Lamp"))
    _taken_down(tmp_path, _page("http://w/wiki/Owl"))
    model = _ends_its_training(tmp_path / "models/m")
    assert models.marks(model) == []
    mark_trained(tmp_path, model)
    mark_trained(tmp_path, model)
    (mark,) = models.marks(model)
    assert (mark["takedown_id"], mark["documents"]) == (record.takedown_id, 1)
    told = models.notice(models.marks(model))
    assert told is not None
    assert "what the model writes from then on is not searched for it" in told


def test_a_takedown_looks_again_when_it_marks(tmp_path: Path) -> None:
    page = _page("http://w/wiki/Lamp")
    record, touched = _taken_down(tmp_path, page), Touched()
    model = _ends_its_training(tmp_path / "models/m")
    said: list[str] = []
    erase_outputs(tmp_path, touched, removal_of([page]), Quotes(), record, said.append)
    assert len(models.marks(model)) == 1
    assert said == ["marked the model m"]
    assert touched.models == {"m": 1}


@pytest.mark.slow
def test_the_step_that_trains_marks_what_it_made_or_found(
    project, sites, load, materialize
) -> None:
    project.write_keepers(sites.bulbapedia, episodes=12, steps=10)
    with dg.DagsterInstance.ephemeral() as instance:
        stages = ("bulbapedia_pages", "documents", "corpus")
        assert materialize(load(project), instance, *(f"keepers/{name}" for name in stages)).success
        corpus = Artifact.load(project.data / "corpora/keepers")
        assert corpus is not None
        rows = pq.read_table(corpus.folder / "manifest.parquet", columns=["split", "url"])
        train = [row["url"] for row in rows.to_pylist() if row["url"] and row["split"] == "train"]
        pages = [_page(url) for url in dict.fromkeys(url.partition("#")[0] for url in train)]
        for number in (1, 2):  # trained, then found trained
            _taken_down(project.data, pages[number])
            done = materialize(load(project), instance, "keepers-gpt2/model")
            assert done.success
            model = Artifact.load(project.data / "models/keepers-gpt2")
            assert model is not None
            assert len(models.marks(model)) == number
            (event,) = done.get_asset_materialization_events()
            assert "taken down since" in event.materialization.metadata["taken_down"].value
