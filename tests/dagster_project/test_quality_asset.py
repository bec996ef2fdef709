"""NAME/quality in Dagster: measured once; its check names stories by number and keeps no text."""

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.artifact import Artifact, materialize
from pipeline.schema import SAMPLES
from tests.corpus_files import row, write_files
from tests.pipeline.clean.texts import prose

_PLANTED = "the borrowed lamp went out again"
_KEY = "keepers-gpt2/quality"


@pytest.fixture
def drawn(project):
    """A corpus, the notes of a training, and twelve stories of which one is empty and two loop."""
    project.write_keepers("http://127.0.0.1:9", episodes=2)
    documents = [row(n, prose(120, n), franchise="keepers") for n in range(24)]
    splits = {"train": documents[:16], "validation": documents[16:18], "test": documents[18:]}
    _make(project, "corpora/keepers", lambda folder: write_files(folder, splits, "documents"))
    _make(project, "models/keepers-gpt2", _notes)
    texts = [prose(40, 100 + n) for n in range(12)]
    texts[3] = " ."
    texts[5] = texts[8] = prose(20, 7) + f" {_PLANTED}" * 30
    _make(project, "samples/keepers-gpt2", lambda folder: _samples(folder, texts))
    return project


def _make(project, name, build, version="first") -> None:
    materialize(project.data / name, version, build)


def _notes(folder):
    (folder / "training.json").write_text("{}")
    return {}


def _samples(folder, texts):
    of_all = {
        "model": "keepers-gpt2", "weights": "0" * 64, "step": 30, "prompt_index": 0, "prompt": "",
        "setting": "free", "temperature": 1.0, "top_k": 0, "top_p": 1.0, "repetition_penalty": 1.0,
        "max_length": 40, "whole_sentences": False, "include_prompt": True, "seed": 0,
        "tokens": 40, "finished": False,
    }  # fmt: skip
    rows = [of_all | {"sample": n, "text": text} for n, text in enumerate(texts)]
    pq.write_table(pa.Table.from_pylist(rows, schema=SAMPLES), folder / "samples.parquet")
    model = Artifact.load(folder.parents[2] / "models/keepers-gpt2")
    return {"made_from": {"model": model.data_version}}


@pytest.mark.slow
def test_stories_are_measured_once_and_the_unsound_are_named(drawn, load, materialize):
    with dg.DagsterInstance.local_temp(str(drawn.folder / ".dagster")) as instance:
        first = materialize(load(drawn), instance, _KEY)
        assert first.success  # a warning stops nothing
        [check] = first.get_asset_check_evaluations()
        assert check.check_name == "samples_sound"
        assert not check.passed
        assert check.severity == dg.AssetCheckSeverity.WARN
        assert "empty: sample 3; train longer" in check.description
        assert "looping: sample 5, 8; raise repetition_penalty" in check.description
        made = Artifact.load(drawn.data / "quality/keepers-gpt2")
        assert (made.figures["empty"], made.figures["looping"]) == (1, 2)
        assert pq.read_table(made.folder / "quality.parquet").num_rows == 12
        [event] = first.get_asset_materialization_events()
        metadata = event.materialization.metadata
        assert metadata["reused"].value is False
        assert "distinct 1" in metadata["last_step"].value
        assert (
            f"{made.figures['human_texts']} held-out human passages" in metadata["last_step"].value
        )
        assert metadata["genre_classifier"].value.startswith("none: the training text has no genre")
        assert "data:image/png" in metadata["plot"].value

        again = materialize(load(drawn), instance, _KEY)
        [event] = again.get_asset_materialization_events()
        assert event.materialization.metadata["reused"].value is True

        texts = [prose(40, 200 + n) for n in range(12)]
        _make(drawn, "samples/keepers-gpt2", lambda folder: _samples(folder, texts), "second")
        sound = materialize(load(drawn), instance, _KEY)
        [check] = sound.get_asset_check_evaluations()
        assert check.passed
        [event] = sound.get_asset_materialization_events()
        assert event.materialization.metadata["reused"].value is False
    kept = drawn.kept()
    assert str(made.folder).encode() in kept
    assert _PLANTED.encode() not in kept
