"""Signatures beside a franchise's documents: what near-duplicates are found by.

Those of the last good documents are taken over, so that a text is hashed once in its life. A step
of its own would read the same texts again; here they are still in the disk's cache.
"""

from pathlib import Path
from typing import Any

from pipeline.artifact import Artifact
from pipeline.takedown.documents import SIGNATURES


def sign_documents(folder: Path, last: Artifact | None) -> dict[str, Any]:
    """Sign the documents.parquet in `folder`; figures. `last` is the last good output, if any.

    Raises DedupError, EngineError.
    """
    from pipeline.dedup.sign import sign  # Daft, which loading the definitions must not import

    known = last.folder / SIGNATURES if last else None
    if known is not None and not known.is_file():
        known = None
    return {"signatures": dict(sign(folder / "documents.parquet", known, folder / SIGNATURES))}
