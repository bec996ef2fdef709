"""Which queue a model waits in, and that trainings of one GPU wait for each other."""

from typing import Any

import dagster as dg
import pytest

from dagster_project.pools import pools
from pipeline.model_spec import ModelSpec

_MODEL = """\
type: dagster_project.components.StoryModel
attributes: {{name: {name}, corpus: heroes, preset: gpt2, size: nano, gpu: {gpu},
             processes: {processes}}}
"""
_HEROES = """\
type: dagster_project.components.Franchise
attributes:
  title: Heroes
  sources: [{spider: files, path: texts, licence: CC0-1.0}]
"""


def _model(gpu: int, processes: int = 1) -> ModelSpec:
    written: dict[str, Any] = {"name": "m", "corpus": "c", "preset": "gpt2", "size": "nano"}
    return ModelSpec.model_validate(written | {"gpu": gpu, "processes": processes})


@pytest.mark.parametrize(
    ("taken", "queues"),
    [
        ([(0, 1)], {0: "gpu"}),
        ([(1, 1), (0, 1)], {0: "gpu", 1: "gpu-1"}),
        ([(0, 2), (1, 1), (2, 1)], {0: "gpu", 1: "gpu", 2: "gpu-2"}),
        ([(1, 1), (4, 2), (5, 2), (2, 1)], {1: "gpu-1", 2: "gpu-2"} | dict.fromkeys(
            (4, 5, 6), "gpu-4")),
        ([(2, 2), (1, 2), (0, 2), (8, 1)], dict.fromkeys(range(4), "gpu") | {8: "gpu-8"}),
        ([(0, 8), (3, 1)], dict.fromkeys(range(8), "gpu")),
    ],
)  # fmt: skip
def test_gpus_that_are_taken_together_have_one_queue(taken, queues):
    models = [_model(gpu, processes) for gpu, processes in taken]
    assert pools(models) == pools(models[::-1]) == queues


def test_every_asset_that_needs_the_gpu_waits_in_its_queue(project, load):
    models = [("one", 1, 1), ("both", 0, 2), ("other", 2, 1)]
    project.write("heroes", _HEROES, *(
        _MODEL.format(name=name, gpu=gpu, processes=processes) for name, gpu, processes in models
    ))  # fmt: skip
    graph = load(project).resolve_asset_graph()
    queue = {
        "/".join(key.path): graph.get(key).pools
        for key in graph.get_all_asset_keys()
        if key.path[0] in ("one", "both", "other")
    }
    for stage in ("model", "samples", "perplexity", "quality", "memorisation"):
        assert queue[f"one/{stage}"] == queue[f"both/{stage}"] == {"gpu"}
        assert queue[f"other/{stage}"] == {"gpu-2"}
    assert queue["one/report"] == set()


_TRAINED = """\
type: dagster_project.components.StoryModel
attributes:
  name: {name}
  corpus: tales
  preset: gpt2
  size: nano
  gpu: {gpu}
  tokenizer: {{vocabulary: 300}}
  training: {{steps: 20, batch_size: 4, block_size: 32}}
  samples:
    prompts: ["The lamp"]
    settings: [{{name: free, temperature: 1.0, max_length: 20}}]
"""


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_trainings_of_one_gpu_wait_for_each_other_and_those_of_another_do_not(milled, monkeypatch):
    monkeypatch.setenv("LOREMILL_DEVICE", "cpu")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    models = [("one", 0), ("two", 0), ("other", 1)]
    tales = milled(*(_TRAINED.format(name=name, gpu=gpu) for name, gpu in models))
    done = tales.launch(" or ".join(f'key:"{name}/model"' for name, _ in models))
    assert done.returncode == 0, done.stdout + done.stderr
    with dg.DagsterInstance.from_config(str(tales.folder / ".dagster")) as instance:
        (run,) = instance.get_runs()
        events = instance.all_logs(run.run_id)
    told = {(event.dagster_event_type, event.step_key): event.timestamp for event in events}
    began, ended = (
        {name: told[kind, f"{name}__model"] for name, _ in models}
        for kind in (dg.DagsterEventType.STEP_START, dg.DagsterEventType.STEP_SUCCESS)
    )
    first, second = sorted(("one", "two"), key=lambda name: began[name])
    assert ended[first] <= began[second]
    assert began["other"] < ended[second]
    said = [(event.step_key, event.user_message) for event in events]
    waited = {step for step, line in said if "blocked by limit for pool gpu" in line}
    assert waited == {f"{second}__model"}
