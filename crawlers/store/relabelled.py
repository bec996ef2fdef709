"""Pages that have not changed but are of another source or licence now, to be stored anew."""

from collections.abc import Iterator

from crawlers.page import Page
from crawlers.store.known import KnownPages
from crawlers.store.page_store import PageStore


def relabelled(store: PageStore, known: KnownPages) -> Iterator[Page]:
    """The stored pages that `known` has a new label for, under it; a row group in memory."""
    for batch in store.current():
        for number, url in enumerate(batch["url"].to_pylist()):
            label = known.labelled(url)
            if label is not None:
                (row,) = batch.slice(number, 1).to_pylist()
                source, licence = label
                yield Page(**row | {"source": source, "licence": licence})
