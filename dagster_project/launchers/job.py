"""A training as it is handed to a process elsewhere: what to train, on what, into which folder."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dagster_project.pools import gpus_of
from pipeline.model_spec import ModelError, ModelSpec

_MODULE = "dagster_project.training_child"


@dataclass(frozen=True)
class TrainingJob:
    """One training. The paths must lead to the same folders where it runs."""

    spec: ModelSpec
    corpus: Path
    folder: Path
    device: str  # cuda, mps or cpu; empty: the best there is
    data_version: str

    def extras(self) -> dict[str, Any]:
        """What Pipes hands to the process, as JSON values."""
        return {
            "spec": self.spec.model_dump(mode="json"),
            "corpus": str(self.corpus),
            "folder": str(self.folder),
            # Who names a GPU does not want the CPU where it is missing.
            "device": self.device or ("cuda" if list(gpus_of(self.spec)) != [0] else None),
            "data_version": self.data_version,
        }

    def arguments(self) -> list[str]:
        """Of the Python that trains: itself, or torchrun with a process a GPU."""
        if self.spec.processes == 1:
            return ["-m", _MODULE]
        together = ["--standalone", "--nproc-per-node", str(self.spec.processes)]
        return ["-m", "torch.distributed.run", *together, "--module", _MODULE]

    def visible_gpus(self, environment: Mapping[str, str] = os.environ) -> str:
        """CUDA_VISIBLE_DEVICES of a child: its GPUs among those that the operator made visible.

        Raises ModelError where there are too few.
        """
        taken = gpus_of(self.spec)
        if "CUDA_VISIBLE_DEVICES" not in environment:
            return ",".join(map(str, taken))
        there = [one for one in environment["CUDA_VISIBLE_DEVICES"].split(",") if one.strip()]
        if there and taken.stop > len(there):
            raise ModelError(
                f"gpu: {self.spec.gpu} with processes: {self.spec.processes} asks for GPU "
                f"{taken.stop - 1}, but CUDA_VISIBLE_DEVICES names {len(there)}; lower one of them"
            )
        return ",".join(there[taken.start : taken.stop])
