"""`-O pages.parquet`: the pages of one crawl as a Parquet file with the schema PAGES.

Scrapy has no Parquet exporter, and its file storage opens the target when the crawl starts, so a
crawl that fails destroys the last good file. The storage here writes aside and renames at the end,
if the crawl was complete; it serves the other formats too.
"""

import os
import shutil
from pathlib import Path
from typing import IO, Any, Self

import pyarrow as pa
import pyarrow.parquet as pq
from scrapy import Spider
from scrapy.crawler import Crawler
from scrapy.exporters import BaseItemExporter
from w3lib.url import file_uri_to_path

from crawlers.component import spider_of
from crawlers.page import Page
from crawlers.yaml_spec import SpecError
from pipeline.atomic import sync
from pipeline.schema import PAGES

#: Of one row group.
_BYTES = 4 * 2**20


class ParquetItemExporter(BaseItemExporter):
    """Writes pages in row groups of a few megabytes."""

    def __init__(self, file: IO[bytes], **options: Any):
        super().__init__(dont_fail=True, **options)
        self._writer = pq.ParquetWriter(file, PAGES, compression="zstd")
        self._pages: list[Page] = []
        self._size = 0

    def export_item(self, item: Page) -> None:
        """Add one page."""
        self._pages.append(item)
        self._size += len(item.body)
        if self._size >= _BYTES:
            self._write()

    def finish_exporting(self) -> None:
        """Write the rest and the footer."""
        self._write()
        self._writer.close()

    def _write(self) -> None:
        if self._pages:
            table = pa.Table.from_batches([page.batch() for page in self._pages])
            self._writer.write_table(table, row_group_size=table.num_rows)
        self._pages, self._size = [], 0


class AtomicFileStorage:
    """Feed storage for local files: the target is replaced when a complete crawl has ended."""

    def __init__(self, crawler: Crawler, uri: str, feed_options: dict[str, Any] | None):
        options = feed_options or {}
        self._crawler = crawler
        self._target = Path(file_uri_to_path(uri) if uri.startswith("file:") else uri)
        self._aside = self._target.with_name(f".{self._target.name}.{os.getpid()}")
        self._append = not options.get("overwrite", False) and self._target.exists()
        if self._append and options.get("format") == "parquet":
            raise SpecError(
                [f"{self._target}: a Parquet file cannot be added to; use -O to replace it"]
            )

    @classmethod
    def from_crawler(
        cls, crawler: Crawler, uri: str, *, feed_options: dict[str, Any] | None = None
    ) -> Self:
        """As Scrapy builds it."""
        return cls(crawler, uri, feed_options)

    def open(self, spider: Spider) -> IO[bytes]:
        """A file aside; a copy of the target where the feed adds to it."""
        self._target.parent.mkdir(parents=True, exist_ok=True)
        for left in _left_aside(self._target):
            left.unlink()
        if self._append:
            shutil.copyfile(self._target, self._aside)
        return self._aside.open("ab" if self._append else "wb")

    def store(self, file: IO[bytes]) -> None:
        """Put the file in its place, or drop it where the crawl did not end well."""
        file.flush()
        os.fsync(file.fileno())
        file.close()
        if spider_of(self._crawler).outcome.complete:
            self._aside.replace(self._target)
            sync(self._target.parent)
        else:
            self._aside.unlink()


def _left_aside(target: Path) -> list[Path]:
    """What crawls that were killed have left beside the target."""
    left = []
    for path in target.parent.iterdir():
        name, _, process = path.name.rpartition(".")
        if name == f".{target.name}" and process.isdecimal():
            try:
                os.kill(int(process), 0)
            except ProcessLookupError:
                left.append(path)
            except (PermissionError, OverflowError):
                continue  # somebody else's crawl, or no process number
    return left
