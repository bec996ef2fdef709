"""Erases pages from all that holds their text; each step can be done twice.

The page stores come first, and under their locks, so that a crawl is either over or has not begun.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from crawlers.store.page_store import PageWriter
from crawlers.takedowns import Takedown
from dagster_project.fixtures import fixtures_folder, remove
from dagster_project.takedown.find import InStore
from dagster_project.takedown.touched import Touched, artifacts, shows, stories_of
from pipeline.artifact import discard
from pipeline.reports.entrance import ENTRANCE
from pipeline.reports.text import counted
from pipeline.takedown import Removal, corpus, documents, models, passages, samples
from pipeline.takedown.quotes import Quotes

#: A writer of this name writes nothing: it holds the lock.
_CRAWL = "takedown"

Say = Callable[[str], None]


@contextmanager
def locked(found: list[InStore]) -> Iterator[list[tuple[InStore, PageWriter]]]:
    """Hold all the stores. Raises StoreBusyError while a crawl writes to one, StoreError."""
    with ExitStack() as stack:
        writers = []
        for one in found:
            writer = one.store.writer(_CRAWL)
            stack.callback(writer.close)
            writers.append((one, writer))
        yield writers


def erase_pages(writers: list[tuple[InStore, PageWriter]], say: Say) -> None:
    """Take the bodies out of the stores, in all revisions."""
    for one, writer in writers:
        if rows := writer.erase(one.has):
            say(f"erased {counted(rows, 'stored revision')} in {one.store.root}")


def erase_outputs(
    data: Path, touched: Touched, removal: Removal, quotes: Quotes, record: Takedown, say: Say
) -> None:
    """Take the texts out of all outputs, and mark the models. Raises OSError.

    A model whose training has ended since `touched` was looked up is marked too, and added to it.
    """
    for franchise, names in touched.fixtures.items():
        remove(fixtures_folder(franchise), names)
        say(f"removed {counted(len(names), 'fixture')} of {franchise}; commit that")
    for franchise in touched.documents:
        documents.erase(data / "documents" / franchise, removal, record.takedown_id)
        say(f"erased from the documents of {franchise}")
    for name in touched.corpora:
        corpus.erase(data / "corpora" / name, removal, record.takedown_id)
        say(f"erased from the corpus {name}")
    # Before the samples, whose stories tell by their words which of their passages go.
    for name in touched.memorisation:
        stories = stories_of(data, name, quotes)
        passages.erase(data / "memorisation" / name, removal, stories)
        say(f"erased from the memorisation of {name}")
    for name in touched.samples:
        samples.erase(data / "samples" / name, quotes)
        say(f"erased from the samples of {name}")
    for name in touched.reports:
        path = data / "reports" / name
        if path.is_dir():
            (path / ENTRANCE).unlink(missing_ok=True)  # it would lead nowhere
            discard(path)
        else:
            path.unlink(missing_ok=True)
    for name in touched.indexes:
        discard(data / "indexes" / name)
        say(f"removed the index of {name}")
    for name in touched.bundles:
        bundle = data / "bundles" / name
        if any(path.is_file() and shows(path, quotes) for path in bundle.rglob("*")):
            _remove(bundle)
            say(f"removed the bundle {name}, which quotes it; export the model again")
    for made in artifacts(data, "models"):
        name = made.root.name
        documents_read = models.trained_on(made, removal)
        if documents_read or (documents_read is None and name in touched.models):
            models.mark(made, record.takedown_id, record.at, documents_read)
            touched.models[name] = documents_read
            say(f"marked the model {name}")


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
