"""Which queue a model waits in, and that trainings of one GPU wait for each other."""

from typing import Any

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
    for stage in ("model", "samples", "perplexity"):
        assert queue[f"one/{stage}"] == queue[f"both/{stage}"] == {"gpu"}
        assert queue[f"other/{stage}"] == {"gpu-2"}
    assert queue["one/report"] == set()
