"""Pieces of story cut out of pages, and what was left out, changed or matched on the way."""

import re
import unicodedata
from collections.abc import Iterable, Mapping

import pyarrow as pa

_TIME = pa.timestamp("ms", tz="UTC")

#: One row a piece of story: a plot, a summary in a list, a chapter of a book.
DOCUMENTS = pa.schema(
    [
        pa.field("doc_id", pa.string(), nullable=False),  # stable over re-crawls
        pa.field("work_id", pa.string(), nullable=False),  # documents of one work share a split
        pa.field("franchise", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("url", pa.string(), nullable=False),
        pa.field("revision", pa.string()),
        pa.field("title", pa.string(), nullable=False),
        pa.field("section", pa.string()),  # heading or chapter; null where the whole page is one
        pa.field("genre", pa.string()),
        pa.field("language", pa.string()),
        pa.field("licence", pa.string(), nullable=False),
        pa.field("attribution_url", pa.string()),
        pa.field("revised", _TIME),  # when its page was last changed, where the site says so
        pa.field("text", pa.large_string(), nullable=False),
        pa.field("text_sha256", pa.string(), nullable=False),
        pa.field("characters", pa.int64(), nullable=False),
        pa.field("words", pa.int64(), nullable=False),
    ]
)

#: What cleaning changed. Of boilerplate a row each line removed, with no `after`; of other rules a
#: few rows drawn at random. The passages stay under their document's licence.
CHANGED = pa.schema(
    [
        pa.field("rule", pa.string(), nullable=False),
        pa.field("doc_id", pa.string(), nullable=False),
        pa.field("franchise", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("url", pa.string(), nullable=False),
        pa.field("revision", pa.string()),
        pa.field("title", pa.string()),
        pa.field("section", pa.string()),
        pa.field("licence", pa.string(), nullable=False),
        pa.field("attribution_url", pa.string()),
        pa.field("before", pa.string(), nullable=False),
        pa.field("after", pa.string(), nullable=False),
    ]
)

#: One row a document or page left out: by which stage, why, and the figure that decided. Its text
#: stays under its licence, so the row names that as a document's does.
DROPPED = pa.schema(
    [
        pa.field("doc_id", pa.string()),
        pa.field("franchise", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("url", pa.string(), nullable=False),
        pa.field("revision", pa.string()),
        pa.field("title", pa.string()),
        pa.field("section", pa.string()),
        pa.field("licence", pa.string(), nullable=False),
        pa.field("attribution_url", pa.string()),
        pa.field("stage", pa.string(), nullable=False),  # extract, clean, corpus
        pa.field("reason", pa.string(), nullable=False),  # one of a few; names no other document
        pa.field("figure", pa.float64()),
        pa.field("partner", pa.string()),  # the document or work it is too like, which stays
        pa.field("text", pa.large_string()),
    ]
)

#: One row a page that was read for documents: what it gave, so that the next time can be compared.
READ_PAGES = pa.schema(
    [
        pa.field("page", pa.string(), nullable=False),  # what its doc_ids begin with, before "#"
        pa.field("source", pa.string(), nullable=False),
        pa.field("url", pa.string(), nullable=False),
        pa.field("title", pa.string()),
        pa.field("revision", pa.string()),
        pa.field("body_sha256", pa.string(), nullable=False),
        pa.field("documents", pa.int64(), nullable=False),
        pa.field("characters", pa.int64(), nullable=False),  # of its documents, before boilerplate
    ]
)

#: One row a text, in order of `text_sha256`: what near-duplicates are found by. The schema's
#: metadata says what it was made with (`pipeline.dedup.minhash.VERSION`).
SIGNATURES = pa.schema(
    [
        pa.field("text_sha256", pa.string(), nullable=False),
        pa.field("signature", pa.binary(126 * 4), nullable=False),  # 126 little-endian uint32
    ]
)

#: One row a pair of documents or of works that say the same, the lesser name first.
MATCHES = pa.schema(
    [
        pa.field("kind", pa.string(), nullable=False),  # exact, near: of documents; work
        pa.field("doc_id", pa.string()),  # null where two works match as wholes
        pa.field("partner", pa.string()),
        pa.field("work_id", pa.string(), nullable=False),
        pa.field("partner_work", pa.string(), nullable=False),
        pa.field("similarity", pa.float64(), nullable=False),  # Jaccard, of word 5-shingles, folded
    ]
)


#: Which column of a table of stories holds what where nobody says, in small letters: the names of
#: the Kaggle set "Wikipedia Movie Plots", then plain ones. Crawl and extraction must read alike.
_USUAL_COLUMNS = {
    "text": ("plot", "text"),
    "title": ("title",),
    "genre": ("genre",),
    "url": ("wiki page", "url"),
    "id": (),
}


def story_columns(
    names: Iterable[str], written: Mapping[str, str | None] | None = None
) -> dict[str, str | None]:
    """What holds text, title, genre, url and id in a table with these column names.

    What a person wrote counts, then the usual names; None where neither names a column that is
    there.
    """
    names = list(names)
    result: dict[str, str | None] = {}
    for what, usual in _USUAL_COLUMNS.items():
        if wanted := (written or {}).get(what):
            result[what] = wanted if wanted in names else None
        else:
            matches = (name for word in usual for name in names if name.casefold() == word)
            result[what] = next(matches, None)
    return result


def genre_words(name: str) -> str:
    """The words of a genre's name, a blank on either side, so that `in` finds whole ones.

    `sci_fi`, `Sci-Fi` and `sci fi` are the same. Empty where there is no letter or digit.
    """
    words = re.findall(r"[^\W_]+", unicodedata.normalize("NFC", name).casefold())
    return f" {' '.join(words)} " if words else ""
