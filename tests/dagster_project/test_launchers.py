"""Trainings in a child, a pod and a job of Ray: what is asked for, what is seen, what is left.

Of Kubernetes there is a stub of its API whose pods are processes; of Ray a real cluster of one.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import dagster as dg
import pytest

from crawlers.yaml_spec import SpecError
from dagster_project.launchers import TrainingLauncher, training_launcher
from dagster_project.launchers.job import TrainingJob
from pipeline.model_spec import ModelSpec
from tests.bounded_memory import ALLOCATOR, bound_memory
from tests.corpus_files import row, write_files
from tests.dagster_project.kubernetes_stub import Cluster, cluster, ended
from tests.pipeline.clean.texts import prose


@pytest.fixture
def job(tmp_path: Path) -> TrainingJob:
    """A training of some seconds."""
    sides = {"train": range(20), "validation": range(20, 24), "test": range(24, 26)}
    documents = {side: [row(n, prose(40, n)) for n in numbers] for side, numbers in sides.items()}
    (tmp_path / "corpus").mkdir()
    write_files(tmp_path / "corpus", documents, "documents")
    spec = ModelSpec.model_validate(
        {
            "name": "lamps-nano",
            "corpus": "lamps",
            "preset": "gpt2",
            "size": "nano",
            "tokenizer": {"vocabulary": 300},
            "training": {"steps": 6, "block_size": 32, "batch_size": 2, "eval_every": 3},
        }
    )
    return TrainingJob(spec, tmp_path / "corpus", tmp_path / "model", "cpu", "v1")


def _train(
    launcher: TrainingLauncher, job: TrainingJob, data: Path, instance: dg.DagsterInstance
) -> dg.ExecuteInProcessResult:
    @dg.asset(name="model")
    def model(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        launcher.train(context, job, data)
        return dg.MaterializeResult()

    return dg.materialize([model], instance=instance, raise_on_error=False)


def _looks(instance: dg.DagsterInstance) -> list[int]:
    found = instance.fetch_observations(dg.AssetKey("model"), limit=99).records
    return sorted(int(record.asset_observation.metadata["step"].value) for record in found)


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"LOREMILL_TRAIN_ON": "moon"}, "LOREMILL_TRAIN_ON=moon is unknown; write local, k8s or"),
        ({"LOREMILL_TRAIN_ON": "k8s"}, "LOREMILL_TRAIN_ON=k8s needs LOREMILL_IMAGE: an image"),
        (
            {"LOREMILL_TRAIN_ON": "k8s", "LOREMILL_IMAGE": "mill:1"},
            "LOREMILL_TRAIN_ON=k8s needs LOREMILL_CLAIM: the PersistentVolumeClaim",
        ),
        ({"LOREMILL_TRAIN_ON": "ray"}, "LOREMILL_TRAIN_ON=ray needs RAY_ADDRESS: that of the"),
        (
            {"LOREMILL_TRAIN_ON": "k8s", "LOREMILL_IMAGE": "mill:1", "LOREMILL_CLAIM": "data",
             "LOREMILL_POD_SPEC": "/no/such.yaml"},
            "LOREMILL_POD_SPEC: /no/such.yaml is not a file",
        ),
    ],
)  # fmt: skip
def test_a_place_that_is_not_told_enough_is_one_clear_line(environment, told):
    with pytest.raises(SpecError) as caught:
        training_launcher(environment)
    (mistake,) = caught.value.mistakes
    assert mistake.startswith(told)


def test_without_a_word_it_is_a_child_of_this_machine():
    assert training_launcher({}).where == "local"


def test_several_gpus_are_several_processes_and_who_names_one_wants_no_cpu(job):
    assert job.arguments() == ["-m", "dagster_project.training_child"]
    both = ModelSpec.model_validate(job.spec.model_dump() | {"gpu": 1, "processes": 2})
    two = TrainingJob(both, job.corpus, job.folder, "", "v1")
    assert two.arguments()[-2:] == ["-m", "dagster_project.training_child"]
    assert two.arguments()[:2] == ["-m", "torch.distributed.run"]
    assert "2" in two.arguments()
    assert two.extras()["device"] == "cuda"
    assert TrainingJob(job.spec, job.corpus, job.folder, "", "v1").extras()["device"] is None


def _training_children(process: int) -> list[int]:
    """Ids of the processes that train, among those that this one started."""
    found = []
    for thread in Path(f"/proc/{process}/task").iterdir():
        for child in map(int, (thread / "children").read_text().split()):
            words = Path(f"/proc/{child}/cmdline").read_text().split("\0")
            if words[1:3] == ["-m", "dagster_project.training_child"]:
                found.append(child)
            else:
                found += _training_children(child)
    return found


@pytest.mark.slow
def test_a_child_that_ran_out_of_memory_is_started_again_with_a_smaller_batch(
    job, tmp_path, monkeypatch
):
    from dagster_project.launchers import messages

    observe = messages._Handler._observe
    bounded: list[int] = []

    def observe_and_bound(handler: messages._Handler, figures: dict[str, float]) -> None:
        observe(handler, figures)
        if figures["step"] == 10 and not bounded:
            bounded.extend(_training_children(os.getpid()))
            bound_memory(bounded[0], 0.7, 1)

    monkeypatch.setattr(messages._Handler, "_observe", observe_and_bound)
    for name, value in ALLOCATOR.items():
        monkeypatch.setenv(name, value)
    texts = {side: [row(n, prose(900, n)) for n in range(20)] for side in ("train", "validation")}
    write_files(job.corpus, texts, "documents")
    settings = {"steps": 60, "block_size": 128, "eval_every": 10, "eval_blocks": 4, "save_every": 1}
    settings |= {"batch_size": "auto", "gradient_accumulation": 8}
    spec = ModelSpec.model_validate(job.spec.model_dump() | {"training": settings})
    large = TrainingJob(spec, job.corpus, job.folder, "cpu", "v1")
    with dg.DagsterInstance.ephemeral() as instance:
        result = _train(TrainingLauncher(), large, tmp_path, instance)
        assert result.success
        looks = _looks(instance)
    assert len(bounded) == 1
    record = json.loads((tmp_path / "model/training.json").read_text())
    assert record["batch"] == {"per_device": 32, "accumulation": 2, "processes": 1}
    assert looks == [0, 10, 20, 30, 40, 50, 60]  # it did not begin anew


@pytest.fixture
def kubernetes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    pytest.importorskip("dagster_k8s")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with cluster(tmp_path / "kubeconfig") as there:
        yield there


def test_a_pod_is_asked_for_with_image_command_gpus_and_data(job, tmp_path):
    pytest.importorskip("dagster_k8s")
    from dagster_project.launchers.kubernetes import Claim, pod

    wide = ModelSpec.model_validate(job.spec.model_dump() | {"processes": 4})
    asked = TrainingJob(wide, job.corpus, job.folder, "", "v1")
    written = {
        "nodeSelector": {"gpu": "h200"},
        "containers": [{"resources": {"requests": {"memory": "64Gi"}}}],
        "volumes": [{"name": "shm", "emptyDir": {"medium": "Memory"}}],
    }
    spec = pod(asked, "mill:1", Claim("data", tmp_path), written)
    (container,) = spec["containers"]
    assert container["image"] == "mill:1"
    assert container["command"] == ["python", *asked.arguments()]
    assert container["resources"] == {
        "requests": {"memory": "64Gi"},
        "limits": {"nvidia.com/gpu": "4"},
    }
    assert container["volumeMounts"] == [{"name": "loremill-data", "mountPath": str(tmp_path)}]
    assert spec["volumes"] == [
        {"name": "shm", "emptyDir": {"medium": "Memory"}},
        {"name": "loremill-data", "persistentVolumeClaim": {"claimName": "data"}},
    ]
    assert spec["nodeSelector"] == {"gpu": "h200"}
    assert spec["restartPolicy"] == "Never"
    (container,) = pod(job, "mill:1", Claim("data", tmp_path), {})["containers"]
    assert container["resources"] == {}  # asked for the CPU


@pytest.mark.slow
def test_a_training_in_a_pod_is_seen_as_one_of_this_machine_and_the_pod_goes(
    job, kubernetes, tmp_path
):
    launcher = TrainingLauncher(where="k8s", image="mill:1", claim="data")
    with dg.DagsterInstance.ephemeral() as instance:
        assert _train(launcher, job, tmp_path, instance).success
        assert _looks(instance) == [0, 3, 6]
    assert json.loads((tmp_path / "model/training.json").read_text())["steps"] == 6
    (asked,) = kubernetes.asked
    assert kubernetes.deleted == [asked["metadata"]["name"]]
    (container,) = asked["spec"]["containers"]
    assert container["image"] == "mill:1"
    assert {"DAGSTER_PIPES_CONTEXT", "DAGSTER_PIPES_MESSAGES"} <= {
        entry["name"] for entry in container["env"]
    }


@pytest.mark.slow
def test_a_cancelled_run_deletes_its_pod(job, kubernetes, tmp_path, monkeypatch):
    from dagster_project.launchers import messages

    def cancel(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(messages._Handler, "_observe", cancel)  # as a cancel comes, amid a wait
    endless = ModelSpec.model_validate(
        job.spec.model_dump() | {"training": job.spec.training.model_dump() | {"steps": 10**6}}
    )
    job = TrainingJob(endless, job.corpus, job.folder, "cpu", "v1")
    launcher = TrainingLauncher(where="k8s", image="mill:1", claim="data")
    with dg.DagsterInstance.ephemeral() as instance:
        assert not _train(launcher, job, tmp_path, instance).success
    (name,) = kubernetes.deleted
    assert ended(kubernetes.processes[name])


def test_without_a_cluster_it_says_so_in_a_line(job, tmp_path, monkeypatch):
    pytest.importorskip("dagster_k8s")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    launcher = TrainingLauncher(where="k8s", image="mill:1", claim="data")
    with dg.DagsterInstance.ephemeral() as instance:
        result = _train(launcher, job, tmp_path, instance)
    (failed,) = result.filter_events(lambda event: event.is_step_failure)
    why = failed.step_failure_data.error.cause.message
    assert "no cluster of Kubernetes is configured here" in why
    assert "mend KUBECONFIG" in why


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """Where sockets may be: their paths are bounded at some 100 characters."""
    with tempfile.TemporaryDirectory(prefix="ray") as folder:
        yield Path(folder)


@pytest.fixture
def ray_address(monkeypatch: pytest.MonkeyPatch, short_folder: Path) -> Iterator[str]:
    """A cluster of this machine alone, with its dashboard, which takes jobs."""
    if find_spec("dagster_ray") is None or find_spec("aiohttp_cors") is None:
        pytest.skip("needs the extra ray, with its dashboard")
    ray = Path(sys.executable).parent / "ray"
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    dashboard, port = _free_port(), _free_port()
    options = [f"--port={port}", f"--dashboard-port={dashboard}", f"--temp-dir={short_folder}"]
    options += ["--head", "--block", "--num-cpus=1", "--include-dashboard=true"]
    head = subprocess.Popen(
        [ray, "start", *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    address = f"http://127.0.0.1:{dashboard}"
    try:
        _await_dashboard(address, head)
        yield address
    finally:
        head.terminate()  # takes its cluster along
        ended(head)
        with suppress(ProcessLookupError):
            os.killpg(head.pid, signal.SIGKILL)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await_dashboard(address: str, head: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 90
    while True:
        with suppress(OSError), urllib.request.urlopen(f"{address}/api/version", timeout=5):
            return
        assert head.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.5)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_training_as_a_job_of_ray_is_seen_as_one_of_this_machine(job, ray_address, tmp_path):
    launcher = TrainingLauncher(where="ray", address=ray_address)
    with dg.DagsterInstance.ephemeral() as instance:
        assert _train(launcher, job, tmp_path, instance).success
        assert _looks(instance) == [0, 3, 6]
    assert json.loads((tmp_path / "model/training.json").read_text())["steps"] == 6
