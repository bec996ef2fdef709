"""Signatures of a franchise's texts, kept beside its documents; only a new text is hashed.

A text is known by its sha256, so a signature is right wherever it was made. The file holds those
of the documents of now and no others: what was taken down leaves no trace in it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import daft
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from daft import DataType, col

from pipeline import engine
from pipeline.dedup.errors import check_columns
from pipeline.dedup.minhash import PERMUTATIONS, VERSION, signatures_of
from pipeline.schema import SIGNATURES

_WIDTH = PERMUTATIONS * 4
_SCHEMA = SIGNATURES.with_metadata({"signatures": VERSION})
_ROWS = 20_000  # to a row group
_EXTRACT = "extract the documents again"


def sign(documents: Path, known: Path | None, target: Path) -> Mapping[str, Any]:
    """Write the signatures of all texts of a documents.parquet to `target`, by text_sha256.

    `known` is a file this wrote earlier; one made with other parameters counts for nothing.
    Returns figures: texts, hashed, known. Memory: a row group of texts for each core, some 50 MB
    beside a text longer than that, and 600 bytes a text. Raises DedupError, EngineError.
    """
    check_columns(documents, ["text_sha256", "text"], _EXTRACT)
    texts = pc.unique(pq.read_table(documents, columns=["text_sha256"])["text_sha256"])
    earlier = _earlier(known, texts)
    found = [earlier]
    if len(earlier) < len(texts):
        found.append(_hash(documents, earlier["text_sha256"]))
    table = pa.concat_tables(found)
    order = pc.sort_indices(table["text_sha256"])
    with pq.ParquetWriter(target, _SCHEMA, compression="zstd") as writer:
        last = None
        for start in range(0, len(order), _ROWS):
            rows = table.take(order[start : start + _ROWS])
            names = rows["text_sha256"].to_pylist()
            first = [name != before for name, before in zip(names, [last, *names], strict=False)]
            last = names[-1]
            writer.write_table(rows.filter(pa.array(first)).cast(_SCHEMA))
    return {"texts": len(texts), "hashed": len(texts) - len(earlier), "known": len(earlier)}


def made_alike(path: Path) -> bool:
    """Whether these signatures can be compared with ours. Raises DedupError."""
    schema = check_columns(path, SIGNATURES.names, "sign the documents again")
    return (schema.metadata or {}).get(b"signatures") == VERSION.encode()


def _earlier(known: Path | None, texts: pa.Array) -> pa.Table:
    if known is None or not made_alike(known):
        return _SCHEMA.empty_table()
    table = pq.read_table(known)
    return table.filter(pc.is_in(table["text_sha256"], value_set=texts)).cast(_SCHEMA)


def _hash(documents: Path, known: pa.ChunkedArray) -> pa.Table:
    """The signatures of the texts that are not known, in any order, repeated texts repeatedly."""
    rows = engine.read([documents], ["text_sha256", "text"])
    if len(known):
        there = daft.from_arrow(pa.table({"text_sha256": known}))
        rows = rows.join(there, on="text_sha256", how="anti")
    signed = rows.select(col("text_sha256"), _signatures(col("text")).alias("signature"))
    return signed.to_arrow().cast(_SCHEMA)


@engine.array_function(DataType.fixed_size_binary(_WIDTH))
def _signatures(texts: pa.Array) -> pa.Array:
    rows = np.ascontiguousarray(signatures_of(texts)[0], dtype="<u4")
    return pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(_WIDTH), len(rows), [None, pa.py_buffer(rows.tobytes())]
    )
