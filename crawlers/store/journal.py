"""The journal of a running crawl: an Arrow IPC stream, written through a batch at a time.

A Parquet file is readable only once its footer stands, so a crawl that is killed would lose all
rows since the last one; a stream can be read up to the last whole batch, and is sealed into Parquet
later. The hash of each body is checked on reading, because a torn write need not be a short one.
Format: https://arrow.apache.org/docs/format/Columnar.html#ipc-streaming-format
"""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from crawlers.store.older_schema import as_of_today, is_older
from pipeline.atomic import sync

#: Of one row group: what a reader holds in memory at a time.
_ROW_GROUP_BYTES = 4 * 2**20


class Journal:
    """Appends rows of a schema to one file, which must not exist yet."""

    def __init__(self, path: Path, schema: pa.Schema):
        self.path = path
        self.rows = 0
        self.bytes = 0
        self._file = path.open("xb")
        self._file.write(schema.serialize())

    def append(self, batch: pa.RecordBatch) -> None:
        """Add rows; when this returns, a kill of the process no longer loses them."""
        message = batch.serialize()  # in one piece: Arrow's own writer makes a call a buffer
        self._file.write(message)
        self._file.flush()
        self.rows += batch.num_rows
        self.bytes += message.size

    def close(self) -> None:
        """Nothing more comes; a stream may end with its file."""
        self._file.close()


def read_journal(path: Path, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The whole batches of a journal, in order; ends at the first torn one.

    Raises OSError where the disk cannot be read, ValueError where the file holds another schema.
    """
    with path.open("rb") as file:
        try:
            stream = pa.ipc.open_stream(file)
            if not is_older(stream.schema, schema):
                raise ValueError(
                    f"{path} holds rows of another schema; open the store with the version that "
                    "wrote them, or move the file away"
                )
            while True:
                batch = stream.read_next_batch()
                batch.validate(full=True)
                if not _bodies_match(batch):
                    return
                yield as_of_today(batch, schema)
        except (StopIteration, pa.ArrowInvalid, EOFError):
            return
        except OSError as error:
            if error.errno is not None:  # from the system; Arrow's own, about a torn end, has none
                raise


def write_parquet(batches: Iterator[pa.RecordBatch], path: Path, schema: pa.Schema) -> int:
    """Write a Parquet file on disk to stay; how many rows it has."""
    rows = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for group in _groups(batches):
            writer.write_table(group, row_group_size=group.num_rows)
            rows += group.num_rows
    sync(path)
    sync(path.parent)
    return rows


def _groups(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Rows gathered into row groups: a few at a time would compress badly."""
    gathered: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        gathered.append(batch)
        size += batch.get_total_buffer_size()  # `nbytes` takes thirty times as long
        if size >= _ROW_GROUP_BYTES:
            yield pa.Table.from_batches(gathered)
            gathered, size = [], 0
    if gathered:
        yield pa.Table.from_batches(gathered)


def _bodies_match(batch: pa.RecordBatch) -> bool:
    if "body_sha256" not in batch.schema.names:
        return True
    bodies, hashes = batch["body"], batch["body_sha256"]
    return all(
        sha256(body.as_buffer()).hexdigest() == digest.as_py()
        for body, digest in zip(bodies, hashes, strict=True)
    )
