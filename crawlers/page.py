"""A page as it goes from a spider to the store: one row of `pipeline.schema.PAGES`.

A dataclass is a Scrapy item, so exporters and pipelines take it as it is, and a spider that forgets
a required column fails where it stands.
"""

from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from hashlib import sha256
from unicodedata import category

import pyarrow as pa

from pipeline.schema import PAGES

#: Characters of a title; MediaWiki's have 255 bytes at most.
_LONGEST_TITLE = 300

#: HTTP's "gone": the status of a tombstone.
GONE = 410


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page as served; with status 410 and an empty body, a tombstone."""

    url: str
    title: str | None = None
    licence: str
    spider: str
    franchise: str
    source: str
    crawl_id: str
    final_url: str | None = None
    page_id: str | None = None
    revision: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    fetched_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    status: int = 200
    content_type: str | None = None
    body: bytes = field(default=b"", repr=False)  # Scrapy logs items
    body_sha256: str = ""
    attribution_url: str | None = None
    signals: str | None = None

    def __post_init__(self) -> None:
        if not self.body_sha256:
            object.__setattr__(self, "body_sha256", sha256(self.body).hexdigest())

    def batch(self) -> pa.RecordBatch:
        """The page as a batch of one row."""
        row = tuple(getattr(self, name) for name in PAGES.names)
        return pa.RecordBatch.from_struct_array(pa.array([row], _ROW))


def as_title(text: str) -> str:
    """A title on one line, without what would steer a terminal, and bounded."""
    shown = (" " if category(c) in ("Cc", "Cs") else c for c in text[: 4 * _LONGEST_TITLE])
    return " ".join("".join(shown).split())[:_LONGEST_TITLE]


#: One array of it is built several times faster than an array a column.
_ROW = pa.struct(list(PAGES))

assert {column.name for column in fields(Page)} == set(PAGES.names)
