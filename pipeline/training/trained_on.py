"""What a model was trained on: a row a document, kept beside the weights.

A corpus is made anew and forgets; the weights do not. So the training writes down each document it
read, by name and page, for whoever asks later whether a page is in a model.
"""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.schema import TRAINED_ON
from pipeline.takedown.models import TRAINED_ON as FILE

#: Validation chose no weights but the step that is kept.
_SPLITS = ["train", "validation"]


def write_trained_on(corpus: Path, folder: Path) -> None:
    """Write `trained_on.parquet` (TRAINED_ON) into `folder`, from the manifest of `corpus`."""
    with (
        pq.ParquetFile(corpus / "manifest.parquet") as manifest,
        pq.ParquetWriter(folder / FILE, TRAINED_ON, compression="zstd") as writer,
    ):
        for batch in manifest.iter_batches(columns=["kind", *TRAINED_ON.names]):
            rows = pa.Table.from_batches([batch])
            read = pc.and_(
                pc.equal(rows["kind"], "document"),
                pc.is_in(rows["split"], value_set=pa.array(_SPLITS)),
            )
            writer.write_table(rows.filter(read).select(TRAINED_ON.names).cast(TRAINED_ON))
