"""What a crawl leaves: pages as served, and how each site was treated."""

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
