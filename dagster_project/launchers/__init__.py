"""Where a model is trained: in a child of this machine, a pod of Kubernetes or a job of Ray.

Everywhere the same `dagster_project.training_child` runs and reports through Dagster Pipes, so that
a run looks the same. Elsewhere needs a data root that both sides see under the same path.
"""

import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, cast, get_args

import dagster as dg

from crawlers.yaml_spec import SpecError
from dagster_project.launchers.job import TrainingJob

Place = Literal["local", "k8s", "ray"]
WHERE, IMAGE, CLAIM = "LOREMILL_TRAIN_ON", "LOREMILL_IMAGE", "LOREMILL_CLAIM"


class TrainingLauncher(dg.ConfigurableResource[Any]):
    """Trains where LOREMILL_TRAIN_ON says: local (default), k8s or ray.

    On k8s `image` (LOREMILL_IMAGE) has Loremill installed, `claim` (LOREMILL_CLAIM) is the
    PersistentVolumeClaim that holds the data root, and `pod_spec` (LOREMILL_POD_SPEC) may be a YAML
    file with what else the pod's spec shall say, such as a node selector. On ray `address`
    (RAY_ADDRESS) is that of the dashboard, whose machines have Loremill installed.
    """

    where: Place = "local"
    image: str = ""
    claim: str = ""
    namespace: str = ""
    pod_spec: str = ""
    address: str = ""

    def train(self, context: dg.AssetExecutionContext, job: TrainingJob, data: Path) -> None:
        """Train to the end, whatever the place; `data` is the data root.

        A cancelled run ends what it started. Raises ChildError, ModelError.
        """
        if self.where == "k8s":
            from dagster_project.launchers import kubernetes

            claim = kubernetes.Claim(self.claim, data)
            kubernetes.train(context, job, self.image, claim, self.namespace, self.pod_spec)
        elif self.where == "ray":
            from dagster_project.launchers import ray

            ray.train(context, job, self.address)
        else:
            from dagster_project.launchers import local

            local.train(context, job)


def training_launcher(environment: Mapping[str, str] = os.environ) -> TrainingLauncher:
    """As the environment says. Raises SpecError where it does not say enough."""
    where = environment.get(WHERE) or "local"
    if where not in get_args(Place):
        raise SpecError([f"{WHERE}={where} is unknown; write local, k8s or ray"])
    launcher = TrainingLauncher(
        where=cast(Place, where),
        image=environment.get(IMAGE, ""),
        claim=environment.get(CLAIM, ""),
        namespace=environment.get("LOREMILL_NAMESPACE", ""),
        pod_spec=environment.get("LOREMILL_POD_SPEC", ""),
        address=environment.get("RAY_ADDRESS", ""),
    )
    if launcher.where == "k8s" and not launcher.image:
        raise SpecError([f"{WHERE}=k8s needs {IMAGE}: an image that has Loremill installed"])
    if launcher.where == "k8s" and not launcher.claim:
        raise SpecError(
            [f"{WHERE}=k8s needs {CLAIM}: the PersistentVolumeClaim that holds the data root"]
        )
    if launcher.where == "k8s" and launcher.pod_spec and not Path(launcher.pod_spec).is_file():
        raise SpecError([f"LOREMILL_POD_SPEC: {launcher.pod_spec} is not a file; name a YAML file"])
    if launcher.where == "ray" and not launcher.address.startswith(("http://", "https://")):
        raise SpecError(
            [f"{WHERE}=ray needs RAY_ADDRESS: that of the dashboard, e.g. http://head:8265"]
        )
    missing = {"k8s": "dagster_k8s", "ray": "dagster_ray"}.get(launcher.where)
    if missing and find_spec(missing) is None:
        raise SpecError([f"{WHERE}={where} needs the extra: pip install 'loremill[{where}]'"])
    return launcher
