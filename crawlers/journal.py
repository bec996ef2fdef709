"""The journal of a running crawl: an Arrow IPC stream, a batch a page, written through at once.

A Parquet file is readable only once its footer stands, so a crawl that is killed would lose all
pages since the last one; a stream can be read up to the last whole batch. The hash of each body is
checked on reading, because a torn write need not be a short one.
Format: https://arrow.apache.org/docs/format/Columnar.html#ipc-streaming-format
"""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pyarrow as pa

from crawlers.older_schema import as_of_today, is_older
from crawlers.page import Page
from pipeline.schema import PAGES


class Journal:
    """Appends pages to one segment file, which must not exist yet."""

    def __init__(self, path: Path):
        self.path = path
        self.pages = 0
        self.bytes = 0
        self._file = path.open("xb")
        self._stream = pa.ipc.new_stream(self._file, PAGES)

    def append(self, page: Page) -> None:
        """Add a page; when this returns, a kill of the process no longer loses it."""
        self._stream.write_batch(page.batch())
        self._file.flush()
        self.pages += 1
        self.bytes += len(page.body)

    def close(self) -> None:
        """Write the end of the stream."""
        self._stream.close()
        self._file.close()


def read_journal(path: Path) -> Iterator[pa.RecordBatch]:
    """The whole batches of a segment, in order; ends at the first torn one.

    Raises OSError where the disk cannot be read, ValueError where the file holds another schema.
    """
    with path.open("rb") as file:
        try:
            stream = pa.ipc.open_stream(file)
            if not is_older(stream.schema, PAGES):
                raise ValueError(
                    f"{path} holds pages of another schema; open the store with the version that "
                    "wrote them, or move the file away"
                )
            while True:
                batch = stream.read_next_batch()
                batch.validate(full=True)
                if not _bodies_match(batch):
                    return
                yield as_of_today(batch, PAGES)
        except (StopIteration, pa.ArrowInvalid, EOFError):
            return
        except OSError as error:
            if error.errno is not None:  # from the system; Arrow's own, about a torn end, has none
                raise


def _bodies_match(batch: pa.RecordBatch) -> bool:
    bodies, hashes = batch["body"], batch["body_sha256"]
    return all(
        sha256(body.as_buffer()).hexdigest() == digest.as_py()
        for body, digest in zip(bodies, hashes, strict=True)
    )
