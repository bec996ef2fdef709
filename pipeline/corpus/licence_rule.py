"""Documents whose licence keeps them out of a corpus.

They go before anything is compared, so that none of them ousts a document that may go in, and no
two are told the same only through one that is not there.
"""

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.corpus.spec import CorpusConfig
from pipeline.licences import LICENCES

_ROWS = 64
_COMPARED = ["doc_id", "work_id", "text_sha256", "text"]  # what pipeline.dedup reads


def allowed(config: CorpusConfig) -> frozenset[str]:
    """The SPDX ids that may go in."""
    if isinstance(config.licences, tuple):
        return frozenset(config.licences)
    without = config.licences.exclude_non_commercial
    return frozenset(
        name for name, terms in LICENCES.items() if not (without and terms.non_commercial)
    )


def without_barred(
    documents: Mapping[str, Path], barred: pa.Table, folder: Path
) -> Mapping[str, Path]:
    """The documents' files, those with a barred document as copies in `folder` that lack it.

    `barred` is of schema CATALOGUE. The copies hold what a search for duplicates reads.
    """
    result = dict(documents)
    for number, franchise in enumerate(sorted(pc.unique(barred["franchise"]).to_pylist())):
        result[franchise] = folder / f"{number}.parquet"
        gone = barred.filter(pc.equal(barred["franchise"], franchise))["doc_id"]
        with pq.ParquetFile(documents[franchise]) as file:
            schema = pa.schema([file.schema_arrow.field(name) for name in _COMPARED])
            with pq.ParquetWriter(result[franchise], schema) as writer:
                for batch in file.iter_batches(_ROWS, columns=_COMPARED):
                    stays = pc.invert(pc.is_in(batch["doc_id"], value_set=gone))
                    writer.write_batch(batch.filter(stays).cast(schema))
    return result
