"""Which files a model begins from now: one may be replaced, and its path stays the same.

Importing it loads neither torch nor transformers.
"""

import hashlib
from pathlib import Path

from pipeline.model_spec import ModelSpec

#: Weights, configuration and tokenizer as transformers reads them; a README changes no model.
_READ = {".safetensors", ".json", ".txt", ".model"}


def base_version(spec: ModelSpec) -> str | None:
    """SHA-256 over the files of a local base, tokenizer or word vectors; a hub base's revision.

    A tokenizer of the hub counts by its revision too. None for what is named neither by path nor
    by revision. Raises OSError where a file cannot be read.
    """
    base = _content(spec.base) or spec.revision
    vectors = None if spec.vectors is None else spec.vectors.file
    tokenizer = _content(spec.tokenizer.source) or spec.tokenizer.revision
    others = [tokenizer, _content(vectors)]
    if not any(others):
        return base
    return hashlib.sha256(
        "\n".join(version or "" for version in (base, *others)).encode()
    ).hexdigest()


def judge_version(spec: ModelSpec) -> str | None:
    """As `base_version`, of the judge that stories are scored under, where one is named."""
    return _content(spec.measures.judge) or spec.measures.judge_revision


def _content(named: str | None) -> str | None:
    """SHA-256 of a file, or over a folder's; None where nothing here has this name."""
    path = Path(named).expanduser() if named is not None else None
    if path is None or not path.exists():
        return None
    if path.is_file():
        return _sha256(path)
    whole = hashlib.sha256()
    for file in sorted(file for file in path.iterdir() if file.suffix in _READ):
        whole.update(f"{file.name}\0{_sha256(file)}\n".encode())
    return whole.hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
