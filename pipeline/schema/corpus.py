"""Which documents stand where in the text files of a corpus."""

import pyarrow as pa

#: On which side each work stands, once and for all: in order of `unit`, the corpus's record.
ASSIGNMENTS = pa.schema(
    [
        pa.field("unit", pa.string(), nullable=False),  # a work_id, or a doc_id where few works are
        pa.field("split", pa.string(), nullable=False),  # train, validation, test
        pa.field("reason", pa.string(), nullable=False),  # hash, near-duplicate, empty split
    ]
)

#: One row a byte range; the rows of a split cover its file without gap or overlap, in its order.
#: What no document is made of, separators and control tokens, has rows of its own.
MANIFEST = pa.schema(
    [
        pa.field("split", pa.string(), nullable=False),  # train, validation, test
        pa.field("start", pa.int64(), nullable=False),  # byte offset, inclusive
        pa.field("end", pa.int64(), nullable=False),  # byte offset, exclusive
        pa.field("line", pa.int64(), nullable=False),  # on which the range begins; from 1
        pa.field("kind", pa.string(), nullable=False),  # document, separator, control
        pa.field("doc_id", pa.string()),
        pa.field("work_id", pa.string()),
        pa.field("franchise", pa.string()),
        pa.field("source", pa.string()),
        pa.field("url", pa.string()),
        pa.field("revision", pa.string()),
        pa.field("title", pa.string()),
        pa.field("section", pa.string()),
        pa.field("genre", pa.string()),
        pa.field("language", pa.string()),
        pa.field("licence", pa.string()),
        pa.field("attribution_url", pa.string()),
        pa.field("text_sha256", pa.string()),  # of the document's text, escapes undone
    ]
)
