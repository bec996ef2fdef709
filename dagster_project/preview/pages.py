"""The pages a preview looks at: saved ones of the store, a few live ones, or a file.

Live pages are crawled by the franchise's own spiders, in processes of their own, with all they obey
and require, into a data root that is thrown away: the store holds crawls and nothing else.
"""

import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.compute as pc

from crawlers.franchise import FranchiseSpec, data_root
from crawlers.on_disk.text_files import TEXTS
from crawlers.page import Page
from crawlers.policy import origins, policy_of
from crawlers.sources import AnySource, SiteSource, source_name
from crawlers.store.page_store import PageStore, pages_root
from crawlers.takedowns import FOLDER
from dagster_project.child import ChildError
from dagster_project.resources import Crawler, DataStore
from pipeline.schema import PAGES


class KindError(ValueError):
    """A file is of a kind that no extraction reads."""


def stored_pages(
    data: Path, name: str, spec: FranchiseSpec, count: int, titles: Sequence[str] = ()
) -> pa.Table:
    """At most `count` pages a source, spread over what the store has of it; or those of `titles`.

    In the order of the sources; a source without pages gives none.
    """
    found: list[pa.RecordBatch] = []
    for spider in spec.spiders():
        store = PageStore(pages_root(data, name, spider))
        urls: dict[str, list[str]] = defaultdict(list)
        for url, known in store.known().items():
            if not titles or known.title in titles:
                urls[known.source].append(url)
        sources = [source_name(source) for source in spec.sources if source.spider == spider]
        wanted = [url for s in sources for url in (urls[s] if titles else _spread(urls[s], count))]
        found += sorted(_those(store, wanted), key=lambda row: wanted.index(row["url"][0].as_py()))
    return pa.Table.from_batches(found, PAGES)


def live_pages(
    name: str, spec: FranchiseSpec, count: int, report: Callable[[str], None]
) -> tuple[pa.Table, list[str]]:
    """The first `count` pages a source of the sites as they are now, and what went wrong.

    What the spiders say goes to `report`, line by line.
    """
    wrong: list[str] = []
    crawler = Crawler(contact=os.environ.get("LOREMILL_CONTACT", ""))
    with TemporaryDirectory(prefix="loremill-preview-") as data:
        if (taken := data_root() / FOLDER).is_dir():  # what was taken down stays out here too
            copytree(taken, Path(data) / FOLDER)
        for spider in spec.spiders():
            try:
                crawler.crawl(DataStore(root=data), name, spider, report, limit=count)
            except ChildError as error:
                wrong += str(error).splitlines()
        return stored_pages(Path(data), name, spec, count), wrong


def page_of_file(path: Path, name: str, source: AnySource) -> pa.Table:
    """A saved page as if a spider had fetched it. Raises OSError, KindError, UnknownHostError."""
    content_type = TEXTS.get(path.suffix.lower())
    if content_type is None:
        raise KindError(f"{path}: is not read; allowed: {', '.join(TEXTS)}")
    page = Page(
        url=path.absolute().as_uri(),
        content_type=content_type,
        body=path.read_bytes(),
        fetched_at=datetime.fromtimestamp(path.stat().st_mtime, UTC),
        licence=source.licence or _licence(source),
        spider=source.spider,
        franchise=name,
        source=source_name(source),
        crawl_id="file",
    )
    return pa.Table.from_batches([page.batch()])


def _licence(source: AnySource) -> str:
    """That of the site which the texts come from."""
    assert isinstance(source, SiteSource)  # others must name a licence
    return policy_of(source, origins(source)[-1]).licence


def _spread(urls: Sequence[str], count: int) -> list[str]:
    """`count` of the urls, evenly: the first, the last, and between them."""
    if len(urls) <= count:
        return list(urls)
    last = max(1, count - 1)
    return [urls[number * (len(urls) - 1) // last] for number in range(count)]


def _those(store: PageStore, urls: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The current pages of these urls, a row a batch; reads no further than to the last of them."""
    missing = len(urls)
    if not missing:
        return
    for batch in store.current():
        for row in _rows(batch.filter(pc.is_in(batch["url"], pa.array(urls, pa.string())))):
            yield row
            missing -= 1
        if not missing:
            return


def _rows(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    for number in range(batch.num_rows):
        yield batch.slice(number, 1)
