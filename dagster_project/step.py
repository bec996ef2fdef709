"""One step of the line: build an artifact, or say in one line what stands in its way."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg

from crawlers.store.page_store import StoreError
from crawlers.takedowns import TakedownRecordError
from dagster_project.child import ChildError
from pipeline.artifact import Artifact, NoRoomError, materialize
from pipeline.artifact import fingerprint as fingerprint_of
from pipeline.corpus import CorpusError, ManifestError
from pipeline.dedup.errors import DedupError
from pipeline.engine_error import EngineError
from pipeline.licences import UnknownLicenceError
from pipeline.model_spec import ModelError

#: What a person can mend; its message says how. Anything else is a bug and keeps its traceback.
EXPECTED = (
    ChildError,
    CorpusError,
    DedupError,
    EngineError,
    ManifestError,
    ModelError,
    NoRoomError,
    StoreError,
    TakedownRecordError,
    UnknownLicenceError,
)


def build(
    root: Path,
    fingerprint: str,
    make: Callable[[Path], Mapping[str, Any]],
    *,
    written_in: Path,
    made_from: Mapping[str, Artifact] | None = None,
    resumable: bool = False,
) -> Artifact:
    """`pipeline.artifact.materialize`, with an expected error as one line of Dagster's.

    `written_in` is the YAML file that asked for the artifact, for the error to name. The data
    versions of `made_from`, inputs by kind, become part of the fingerprint and stand in the figures
    under that name, for whoever asks later whether these inputs are there still.
    """
    with in_one_line(written_in):
        if made_from is None:
            return materialize(root, fingerprint, make, resumable=resumable)
        versions = {kind: made.data_version for kind, made in made_from.items()}
        return materialize(
            root,
            fingerprint_of(step=fingerprint, made_from=versions),
            lambda folder: {**make(folder), "made_from": versions},
            resumable=resumable,
        )


@contextmanager
def in_one_line(written_in: Path) -> Iterator[None]:
    """An expected error within becomes one line of Dagster's, which names the YAML file."""
    try:
        yield
    except EXPECTED as error:
        raise dg.Failure(f"{written_in}: {error}", allow_retries=False) from None
