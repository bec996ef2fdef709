"""A training as Dagster shows it: figures while it runs, then what came of it."""

import dagster as dg
import pytest

from pipeline.artifact import Artifact

_MODEL = """\
type: dagster_project.components.StoryModel
attributes:
  name: tales-nano
  corpus: tales
  preset: gpt2
  size: nano
  tokenizer: {vocabulary: 300}
  training: {steps: 12, batch_size: 4, block_size: 32, log_every: 4, eval_every: 6}
  samples:
    at_steps: [5]
    prompts: ["The lamp"]
    settings: [{name: free, temperature: 1.0, max_length: 20}]
"""
_KEY = dg.AssetKey(["tales-nano", "model"])


@pytest.fixture
def tales(project):
    """A folder of texts and a model of them."""
    project.write_tales(_MODEL)
    return project


@pytest.mark.slow
def test_a_training_is_seen_as_it_goes_and_its_figures_stand_at_the_end(tales, load, materialize):
    with dg.DagsterInstance.local_temp(str(tales.folder / ".dagster")) as instance:
        definitions = load(tales)
        for key in ("tales/files_pages", "tales/documents", "tales/corpus"):
            assert materialize(definitions, instance, key).success
        done = materialize(definitions, instance, "tales-nano/model")
        assert done.success
        looks = instance.fetch_observations(_KEY, limit=10).records
        made = instance.fetch_materializations(_KEY, limit=10).records
        lines = [event.user_message for event in instance.all_logs(done.run_id)]
    seen = [
        {name: value.value for name, value in record.asset_observation.metadata.items()}
        for record in reversed(looks)
    ]
    assert [figures["step"] for figures in seen] == [0, 6, 12]
    assert {record.run_id for record in looks} == {done.run_id}
    assert all(record.timestamp < made[0].timestamp for record in looks)
    told = {"loss", "bits_per_byte", "learning_rate", "tokens_per_second", "memory_bytes"}
    assert told | {"minutes_left"} <= set(seen[-1])
    assert seen[-1]["minutes_left"] == 0

    model = Artifact.load(tales.data / "models/tales-nano")
    metadata = made[0].asset_materialization.metadata
    assert metadata["bits_per_byte"].value == pytest.approx(seen[-1]["bits_per_byte"], abs=1e-4)
    assert metadata["tensorboard"].value == str(model.folder / "tensorboard")
    assert metadata["learning"].value.startswith("![loss")
    assert metadata["batch"].value["per_device"] == 4

    first = next(n for n, line in enumerate(lines) if line.startswith("step 0/12"))
    assert any(line.startswith("foretold: ") for line in lines[:first])
    assert [line for line in lines if "held-out" in line and line.startswith("step 6/12")]
    path = model.folder / "stories/5.txt"
    assert f"step 5: 1 story to read in {path} and in TensorBoard" in lines
    story = path.read_text("utf-8").split("\n\n", 1)[1].removeprefix("The lamp").strip()
    assert len(story) > 10
    kept = tales.kept()
    assert str(path).encode() in kept
    assert story.splitlines()[0].encode() not in kept  # a text may have to be taken out again
