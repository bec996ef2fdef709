"""The Arrow schemas of everything that is stored: the contract between the rooms.

Bodies are bytes as served; every other text is Unicode. Times are UTC. Licences are SPDX ids
(https://spdx.org/licenses/) where one exists, and stand on every row, because rows of one table
come from sites with different licences.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping

import pyarrow as pa

_TIME = pa.timestamp("ms", tz="UTC")

#: One row a fetched page, never rewritten but by a takedown. `status` 410 with an empty body is a
#: tombstone: the page is no longer listed, no longer there or was taken down, and the current view
#: leaves it out; `final_url` is where a page has gone that was moved.
PAGES = pa.schema(
    [
        pa.field("url", pa.string(), nullable=False),  # as listed: the page's identity
        pa.field("final_url", pa.string()),  # after redirects
        pa.field("title", pa.string()),
        pa.field("page_id", pa.string()),  # the site's own: MediaWiki page id, Gutenberg number
        pa.field("revision", pa.string()),  # MediaWiki revision id
        pa.field("etag", pa.string()),
        pa.field("last_modified", pa.string()),
        pa.field("fetched_at", _TIME, nullable=False),
        pa.field("status", pa.int32(), nullable=False),
        pa.field("content_type", pa.string()),
        pa.field("body", pa.large_binary(), nullable=False),
        pa.field("body_sha256", pa.string(), nullable=False),
        pa.field("licence", pa.string(), nullable=False),
        pa.field("attribution_url", pa.string()),  # the link the licence asks for
        pa.field("signals", pa.string()),  # what it says about use by machines, e.g. "noai"
        pa.field("spider", pa.string(), nullable=False),
        pa.field("franchise", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),  # which source of the franchise's YAML
        pa.field("crawl_id", pa.string(), nullable=False),
    ]
)

#: One row a request of a crawl, sent or refused, in the order in which they ended: how a site was
#: treated.
REQUESTS = pa.schema(
    [
        pa.field("time", _TIME, nullable=False),  # when it was sent or refused
        pa.field("crawl_id", pa.string(), nullable=False),
        pa.field("franchise", pa.string(), nullable=False),
        pa.field("spider", pa.string(), nullable=False),
        pa.field("host", pa.string(), nullable=False),  # http(s)://host[:port] of the source
        pa.field("url", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),  # robots, listing, page
        pa.field("sent", pa.bool_(), nullable=False),  # false: refused before the network
        pa.field("rule", pa.string(), nullable=False),  # what let it pass, or what stood against it
        pa.field("attempt", pa.int32(), nullable=False),  # 1 for the first
        pa.field("wait", pa.float64(), nullable=False),  # seconds it was held back
        pa.field("gap", pa.float64()),  # seconds since the one before to this host was sent
        pa.field("status", pa.int32()),  # null where no answer came
        pa.field("bytes", pa.int64()),  # of the answer's body
        pa.field("seconds", pa.float64()),  # until the answer
        pa.field("asked", pa.float64()),  # seconds of rest that the answer asked for
        pa.field("done", pa.string()),  # what was done about a refusal, a rest or an error
    ]
)

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

#: One row a document that a model was trained on, beside its weights: what a takedown asks for.
TRAINED_ON = pa.schema(
    [
        pa.field("split", pa.string(), nullable=False),  # train; validation, which chose the step
        *(
            MANIFEST.field(name)
            for name in ("doc_id", "franchise", "source", "url", "revision", "title", "licence")
        ),
    ]
)

#: One row a logged step of a training. `loss` is in nats a token; what a row's split does not
#: measure is null: bits per byte are of validation, the columns after it of train.
LOSS = pa.schema(
    [
        pa.field("step", pa.int64(), nullable=False),
        pa.field("split", pa.string(), nullable=False),  # train, validation
        pa.field("loss", pa.float64(), nullable=False),
        pa.field("bits_per_byte", pa.float64()),
        pa.field("learning_rate", pa.float64()),
        pa.field("tokens_per_second", pa.float64()),
        pa.field("mfu", pa.float64()),  # share of the device's peak; null where that is unknown
        pa.field("memory_bytes", pa.int64()),  # the most held so far
        pa.field("seconds", pa.float64()),  # of training so far, earlier sessions included
    ]
)

#: One row a generated text, with all that is needed to generate it again.
SAMPLES = pa.schema(
    [
        pa.field("model", pa.string(), nullable=False),
        pa.field("step", pa.int64(), nullable=False),  # the checkpoint's optimizer step
        pa.field("prompt_index", pa.int32(), nullable=False),
        pa.field("prompt", pa.string(), nullable=False),
        pa.field("genre", pa.string()),  # asked for, as a control token before the prompt
        pa.field("setting", pa.string(), nullable=False),  # the setting's name
        pa.field("temperature", pa.float64(), nullable=False),
        pa.field("top_k", pa.int32(), nullable=False),  # 0: not limited
        pa.field("top_p", pa.float64(), nullable=False),
        pa.field("repetition_penalty", pa.float64(), nullable=False),
        pa.field("max_length", pa.int32(), nullable=False),  # tokens, prompt included
        pa.field("whole_sentences", pa.bool_(), nullable=False),  # cut after the last whole one
        pa.field("seed", pa.int64(), nullable=False),
        pa.field("text", pa.large_string(), nullable=False),  # the continuation, prompt left out
        pa.field("tokens", pa.int32(), nullable=False),  # of the continuation
        pa.field("finished", pa.bool_(), nullable=False),  # the model ended the story itself
    ]
)

#: One row a group of held-out text under one model.
SCORES = pa.schema(
    [
        pa.field("model", pa.string(), nullable=False),
        pa.field("stage", pa.string(), nullable=False),  # initial (untrained or base), trained
        pa.field("split", pa.string(), nullable=False),
        pa.field("group_by", pa.string(), nullable=False),  # all, franchise, source, genre
        pa.field("group", pa.string(), nullable=False),  # a source as franchise/source
        pa.field("documents", pa.int64(), nullable=False),
        pa.field("bytes", pa.int64(), nullable=False),  # UTF-8
        pa.field("tokens", pa.int64(), nullable=False),
        pa.field("words", pa.int64(), nullable=False),  # runs of non-space characters
        pa.field("nats", pa.float64(), nullable=False),  # summed negative log-likelihood
        pa.field("bits_per_byte", pa.float64(), nullable=False),
        pa.field("perplexity_per_token", pa.float64(), nullable=False),
        pa.field("perplexity_per_word", pa.float64(), nullable=False),
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
