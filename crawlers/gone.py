"""Which stored pages are gone, and when that is too many to believe.

A page goes when the sources were listed to their ends and none has it any more, or when it has
proven to be under another url. A site that lists half of what it had is broken more often than
emptied, so that more than a share of a source goes only where a person says so (MAX_GONE). A source
that the YAML has no more was taken out by a person already.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from crawlers.page import GONE, Page
from crawlers.store.known import Known, KnownPages

#: So few may always go at once.
_FEW = 10


def gone_pages(
    known: KnownPages, moved: Mapping[str, str | None], cut: bool
) -> Iterator[tuple[str, Known, str | None]]:
    """Url, what is stored, and the new url where it has moved.

    `moved` as the spider has it: None for a page that has not come from its new url yet. With
    `cut`, a source was not listed to its end and may have any page, whatever source stored it.
    """
    for url, page in known.unlisted():
        new_url = moved.get(url)
        if new_url is not None or not (cut or url in moved):
            yield url, page, new_url


def tombstones(
    known: KnownPages, moved: Mapping[str, str | None], cut: bool, page: Callable[..., Page]
) -> Iterator[Page]:
    """A tombstone for each page that is gone; `page` makes one of source, licence and columns."""
    for url, stored, new_url in gone_pages(known, moved, cut):
        yield page(
            stored.source,
            stored.licence,
            url=url,
            final_url=new_url,
            status=GONE,
            title=stored.title,
            page_id=stored.page_id,
        )


def too_many(
    known: KnownPages, moved: Mapping[str, str | None], cut: bool, most: float
) -> dict[str, tuple[int, int]]:
    """By source how many would go of how many, where that is more than the share `most`."""
    going = Counter(
        page.source for _, page, new_url in gone_pages(known, moved, cut) if new_url is None
    )
    return {
        source: (count, stored)
        for source, count in going.items()
        if count > max(_FEW, most * (stored := known.of_source(source)))
    }
