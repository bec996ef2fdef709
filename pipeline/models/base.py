"""Which weights a base names now: a folder's may be replaced, and its path stays the same.

Importing it loads neither torch nor transformers.
"""

import hashlib
from pathlib import Path

from pipeline.model_spec import ModelSpec

#: Weights, configuration and tokenizer as transformers reads them; a README changes no model.
_READ = {".safetensors", ".json", ".txt", ".model"}


def base_version(spec: ModelSpec) -> str | None:
    """SHA-256 over a local base's files; a hub base's revision; None for a fresh model.

    Raises OSError where a file cannot be read.
    """
    folder = Path(spec.base).expanduser() if spec.base is not None else None
    if folder is None or not folder.is_dir():
        return spec.revision
    whole = hashlib.sha256()
    for path in sorted(path for path in folder.iterdir() if path.suffix in _READ):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        whole.update(f"{path.name}\0{content}\n".encode())
    return whole.hexdigest()
