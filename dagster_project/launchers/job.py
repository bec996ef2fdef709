"""A training as it is handed to a process elsewhere: what to train, on what, into which folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dagster_project.pools import gpus_of
from pipeline.model_spec import ModelSpec


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
        from pipeline.training.distributed import command  # it loads torch

        return command(self.spec, ["-m", "dagster_project.training_child"])
