"""The asset of a corpus's index: made with the corpus, reused with it, refused beside another."""

import dagster as dg
import pytest

from dagster_project.corpus_index import load_index
from dagster_project.resources import DataStore
from pipeline.artifact import Artifact, rewrite
from pipeline.memorisation.index import TrainIndex


def test_it_is_made_of_its_corpus_and_again_only_of_another(milled, load, materialize) -> None:
    project = milled()
    data = DataStore(root=str(project.data))
    with dg.DagsterInstance.ephemeral() as instance:

        def made() -> dict:
            done = materialize(load(project), instance, "tales/index")
            assert done.success
            (event,) = done.get_asset_materialization_events()
            return {name: value.value for name, value in event.materialization.metadata.items()}

        with pytest.raises(dg.Failure, match="materialize tales/index first"):
            load_index("tales", data)
        first = made()
        corpus, index = Artifact.load(project.data / "corpora/tales"), load_index("tales", data)
        assert not first["reused"]
        assert first["words"] == index.figures["words"] > 100
        assert first["bytes"] == index.files["words.txt"]
        assert first["memory"].endswith("kB")
        assert made()["reused"]
        text = (corpus.folder / "train.txt").read_text("utf-8")
        with TrainIndex(index.folder, corpus.folder) as opened:
            assert opened.longest(text[:200]).start == 0

        def edit(folder) -> dict:
            (folder / "README.md").unlink()
            (folder / "README.md").write_text("Another card.\n")
            return {}

        rewrite(project.data / "corpora/tales", edit)
        assert not made()["reused"]
