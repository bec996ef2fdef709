"""One step of the line: build an artifact, or say in one line what stands in its way."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from dagster_project.child import ChildError
from pipeline.artifact import Artifact, NoRoomError, materialize
from pipeline.corpus import CorpusError, ManifestError
from pipeline.licences import UnknownLicenceError
from pipeline.model_spec import ModelError

#: What a person can mend; its message says how. Anything else is a bug and keeps its traceback.
EXPECTED = (ChildError, CorpusError, ManifestError, ModelError, NoRoomError, UnknownLicenceError)


def build(
    root: Path,
    fingerprint: str,
    make: Callable[[Path], Mapping[str, Any]],
    *,
    written_in: Path,
    resumable: bool = False,
) -> Artifact:
    """`pipeline.artifact.materialize`, with an expected error as one line of Dagster's.

    `written_in` is the YAML file that asked for the artifact, for the error to name.
    """
    try:
        return materialize(root, fingerprint, make, resumable=resumable)
    except EXPECTED as error:
        raise dg.Failure(f"{written_in}: {error}", allow_retries=False) from None
