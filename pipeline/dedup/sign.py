"""Signatures of a franchise's texts, kept beside its documents; only a new text is hashed.

A text is known by its sha256, so a signature is right wherever it was made. The file holds those
of the documents of now and no others: what was taken down leaves no trace in it.
"""

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import daft
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from daft import DataType, col

from pipeline import engine
from pipeline.dedup.errors import DedupError, check_columns
from pipeline.dedup.minhash import VERSION, signatures_of
from pipeline.dedup.signature_file import WIDTH, SignatureFile, as_array, as_matrix
from pipeline.dedup.text_keys import Keys, Rows, keys_of, places_of, sha256_of
from pipeline.schema import SIGNATURES

_SCHEMA = SIGNATURES.with_metadata({"signatures": VERSION})
_ROWS = 20_000  # to a row group
_EXTRACT = "extract the documents again"


def sign(documents: Path, known: Path | None, target: Path) -> Mapping[str, Any]:
    """Write the signatures of all texts of a documents.parquet to `target`, by text_sha256.

    `known` is a file this wrote earlier; one made with other parameters, or that cannot be read,
    counts for nothing.
    Returns figures: texts, hashed, known. Memory: some 450 MB, a few times the largest row group
    or text, and 110 bytes a text; beside `target` as much disk again as that takes. Raises
    DedupError, EngineError.
    """
    check_columns(documents, ["text_sha256", "text"], _EXTRACT)
    texts = _texts(documents)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="sign-") as folder:
        signatures = SignatureFile(Path(folder) / "signatures", len(texts))
        for batch in _batches(known) if known is not None else ():
            _store(batch, texts, signatures)
        new = signatures.missing()
        if len(new):
            for batch in _hashed(documents, texts, new):
                _store(batch, texts, signatures)
        with pq.ParquetWriter(target, _SCHEMA, compression="zstd") as writer:
            for start in range(0, len(texts), _ROWS):
                rows = np.arange(start, min(start + _ROWS, len(texts)))
                columns = [sha256_of(texts[rows]), as_array(signatures.read(rows))]
                writer.write_table(pa.Table.from_arrays(columns, schema=_SCHEMA))
    return {"texts": len(texts), "hashed": len(new), "known": len(texts) - len(new)}


def made_alike(path: Path) -> bool:
    """Whether these signatures can be compared with ours. Raises DedupError."""
    schema = check_columns(path, SIGNATURES.names, "sign the documents again")
    return (schema.metadata or {}).get(b"signatures") == VERSION.encode()


def _texts(documents: Path) -> Keys:
    """The distinct texts, in order."""
    with pq.ParquetFile(documents) as file:
        batches = file.iter_batches(_ROWS, columns=["text_sha256"])
        keys = [keys_of(batch["text_sha256"], documents) for batch in batches]
    texts: Keys = np.unique(np.concatenate(keys)) if keys else np.empty(0, "S32")
    return texts


def _batches(known: Path) -> Iterator[pa.RecordBatch]:
    """Those of a file that was made alike, as far as it can be read: the rest is hashed anew."""
    try:
        if not made_alike(known):
            return
        with pq.ParquetFile(known) as file:
            if not file.schema_arrow.equals(SIGNATURES):
                return
            for batch in file.iter_batches(_ROWS, columns=SIGNATURES.names):
                keys_of(batch["text_sha256"], known)
                yield batch
    except (DedupError, pa.ArrowException, OSError):
        return


def _store(batch: pa.RecordBatch, texts: Keys, signatures: SignatureFile) -> None:
    """Write a batch's signatures to the rows of their texts; others' are left out."""
    places = places_of(texts, keys_of(batch["text_sha256"]))
    signatures.write(places[places >= 0], as_matrix(batch["signature"])[places >= 0])


def _hashed(documents: Path, texts: Keys, new: Rows) -> Iterator[pa.RecordBatch]:
    """The signatures of the texts that are new, as they come, repeated texts repeatedly."""
    rows = engine.read([documents], ["text_sha256", "text"])
    if len(new) < len(texts):
        wanted = daft.from_arrow(pa.table({"text_sha256": sha256_of(texts[new])}))
        rows = rows.join(wanted, on="text_sha256", how="semi")
    signed = rows.select(col("text_sha256"), _signatures(col("text")).alias("signature"))
    yield from engine.stream(signed)


@engine.array_function(DataType.fixed_size_binary(WIDTH))
def _signatures(texts: pa.Array) -> pa.Array:
    return as_array(signatures_of(texts)[0])
