"""A training as a pod, by Dagster's own Pipes client; cancelling the run deletes the pod.

What it says comes back in the pod's log. A pod that is deleted has some seconds
(terminationGracePeriodSeconds) to write a checkpoint, as a child has.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import yaml
from dagster_k8s import PipesK8sClient
from dagster_k8s.client import DagsterK8sError
from dagster_k8s.pipes import PipesK8sPodLogsMessageReader
from kubernetes.client import ApiException
from kubernetes.config import ConfigException

from dagster_project.child import ChildError
from dagster_project.launchers.job import TrainingJob
from dagster_project.launchers.messages import Observing
from pipeline.model_spec import ModelError

#: What a GPU is called where NVIDIA's device plugin offers it.
_GPU = "nvidia.com/gpu"
#: Seconds that a deleted pod has for its checkpoint.
_PATIENCE = 60


class PodReader(Observing, PipesK8sPodLogsMessageReader):  # type: ignore[misc] # not typed
    """From the pod's log."""


@dataclass(frozen=True)
class Claim:
    """The volume that holds the data root, and the path it has on both sides."""

    name: str
    path: Path


def train(
    context: dg.AssetExecutionContext,
    job: TrainingJob,
    image: str,
    claim: Claim,
    namespace: str,
    pod_spec: str,
) -> None:
    """Train in a pod. Raises ChildError where it fails, ModelError where none can be started."""
    client = PipesK8sClient(
        message_reader=PodReader(context),
        kubeconfig_file=os.environ.get("KUBECONFIG") or None,
        poll_interval=2.0,
    )
    try:
        client.run(
            context=context,
            extras=job.extras(),
            namespace=namespace or None,
            base_pod_spec=pod(job, image, claim, _written(pod_spec)),
            pod_wait_timeout=0,  # a training takes what it takes
        )
    except ConfigException as error:
        raise ModelError(
            f"no cluster of Kubernetes is configured here ({error}); mend KUBECONFIG"
        ) from error
    except ApiException as error:
        raise ModelError(f"Kubernetes refuses the pod: {error.reason}: {error.body}") from error
    except DagsterK8sError as error:
        raise ChildError(f"the pod failed: {error}; its log stands in the run", 1, []) from error


def pod(job: TrainingJob, image: str, claim: Claim, written: dict[str, Any]) -> dict[str, Any]:
    """The pod's spec: what was `written`, with image, command, GPUs and data root set."""
    container, *others = written.get("containers") or [{}]
    resources = dict(container.get("resources") or {})
    if job.device in ("", "cuda"):
        resources["limits"] = {**(resources.get("limits") or {}), _GPU: str(job.spec.processes)}
    mount = {"name": "loremill-data", "mountPath": str(claim.path)}
    trains = {
        **container,
        "name": container.get("name", "training"),
        "image": image,
        "command": ["python", *job.arguments()],
        "resources": resources,
        "volumeMounts": [*(container.get("volumeMounts") or []), mount],
    }
    volume = {"name": "loremill-data", "persistentVolumeClaim": {"claimName": claim.name}}
    return {
        "terminationGracePeriodSeconds": _PATIENCE,
        **written,
        "restartPolicy": "Never",
        "containers": [trains, *others],
        "volumes": [*(written.get("volumes") or []), volume],
    }


def _written(path: str) -> dict[str, Any]:
    """The YAML file's mapping; empty where none is named. Raises ModelError."""
    if not path:
        return {}
    try:
        spec = yaml.safe_load(Path(path).read_text("utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ModelError(f"{path}: cannot be read as YAML ({error}); mend it") from error
    if not isinstance(spec, dict):
        raise ModelError(f"{path}: is no mapping; write what stands under a pod's `spec:`")
    return spec
