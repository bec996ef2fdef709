"""A takedown from beginning to end: find, record, erase, make anew, mark, and look once more.

The record comes before the first byte is erased, so that no crawl brings the page back meanwhile
and a takedown that was killed is known for one; the same command then goes on with it. Whatever
was done already is found done. What a crawl or a build has brought between the look and the record
is found by the look that follows, until nothing is.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from crawlers.store.page_store import StoreBusyError
from crawlers.takedowns import BEGUN, PageName, Takedown, records
from dagster_project.takedown.erase import erase_outputs, erase_pages, locked
from dagster_project.takedown.find import InStore, Meant, find, in_stores
from dagster_project.takedown.rebuild import Rebuilt, clean_up, line, rebuild
from dagster_project.takedown.touched import Touched, look, quotes_of, quotes_path, removal_of
from pipeline.takedown import Removal
from pipeline.takedown.quotes import Quotes

Say = Callable[[str], None]

#: Times that all is gone through: a build of documents that had the text, then one of their corpus.
_TIMES = 3


@dataclass(frozen=True)
class Plan:
    """What would be done; `earlier` is a takedown of the same page, begun or done."""

    found: list[InStore]
    pages: tuple[PageName, ...]
    others: tuple[PageName, ...]  # that share an address with these, and stay
    removal: Removal
    quotes: Quotes
    touched: Touched
    earlier: Takedown | None

    def is_done(self) -> bool:
        """Whether a takedown came to its end and nothing has come since."""
        ended = self.earlier is not None and self.earlier.state != BEGUN
        return ended and not self.touched.anything()


def plan(data: Path, what: str, franchise: str | None) -> Plan:
    """Find the page and all that it has touched; nothing is written.

    Raises NotFoundError, StoreError, TakedownRecordError, FixtureError, ManifestError, OSError.
    """
    meant = find(data, what, franchise)
    named = {(page.url, page.number) for one in meant.stores for page in one.pages}
    earlier = next(
        (
            record
            for record in reversed(list(records(data)))
            if any((page.url, page.number) in named for page in record.pages)
        ),
        None,
    )
    if earlier is None or earlier.state != BEGUN:
        return _looked(data, meant, earlier)
    known = {page for one in meant.stores for page in one.pages}
    found = _looked(data, in_stores(data, known.union(earlier.pages)), earlier)
    return replace(found, touched=found.touched.with_earlier(earlier.touched))


def take_down(data: Path, plan: Plan, reason: str, who: str, say: Say) -> tuple[Takedown, Rebuilt]:
    """Do it. Raises StoreBusyError, SpecError before anything is done, OSError on the way.

    After that, or a kill, the same again goes on with what is left; so it does where the record
    comes back as begun, because a crawl or a build brought the text meanwhile.
    """
    job = line(say)
    if plan.earlier is not None and plan.earlier.state == BEGUN:
        record = plan.earlier
    else:
        record = Takedown.begin(plan.pages, reason, who, plan.touched.as_dict())
    rebuilt = Rebuilt((), {})
    left = plan
    for time in range(_TIMES):
        try:
            with locked(left.found) as writers:
                record.save(data)
                # From here on no crawl brings it: what came since the last look is seen now.
                now = _looked(data, in_stores(data, {*record.pages, *left.pages}), record)
                if not time:
                    now = replace(now, touched=now.touched.with_earlier(record.touched))
                record = _with(record, now)
                record.save(data)
                now.quotes.save(quotes_path(data, record))
                held = {one.store.root: writer for one, writer in writers}
                stores = [one for one in now.found if one.store.root in held]
                erase_pages([(one, held[one.store.root]) for one in stores], say)
        except StoreBusyError:
            if not time:
                raise
            break  # by a crawl that had asked for the page before the record
        erase_outputs(data, now.touched, now.removal, now.quotes, record, say)
        record = _with(record, now)
        rebuilt = rebuilt.then(rebuild(data, now.touched, job, say))
        clean_up(data, say)
        left = _looked(data, in_stores(data, record.pages), record)
        if not left.touched.anything():
            record = record.done()
            record.save(data)
            quotes_path(data, record).unlink(missing_ok=True)
            break
        say("a crawl or a build has brought it meanwhile")
    return record, rebuilt


def _looked(data: Path, meant: Meant, record: Takedown | None) -> Plan:
    """What is there of the pages now, with the words that a takedown has kept to look for."""
    named = {page for one in meant.stores for page in one.pages}
    pages = tuple(
        sorted(
            named, key=lambda page: (page.franchise, page.spider, page.url, page.final_url or "")
        )
    )
    removal = removal_of(pages)
    quotes = quotes_of(data, meant.stores, removal)
    if record is not None:
        quotes.load(quotes_path(data, record))
    touched = look(data, meant.stores, removal, quotes)
    return Plan(meant.stores, pages, meant.others, removal, quotes, touched, record)


def _with(record: Takedown, now: Plan) -> Takedown:
    """With what has been found since; of a store the first count stays."""

    def name(page: PageName) -> tuple[object, ...]:
        return page.franchise, page.spider, page.url, page.number

    known = {name(page) for page in now.pages}
    gone = (page for page in record.pages if name(page) not in known)
    touched = Touched(**record.touched).with_earlier(now.touched.as_dict())
    return replace(record, pages=(*now.pages, *gone), touched=touched.as_dict())
