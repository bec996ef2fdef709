"""A takedown from beginning to end: find, record, erase, make anew, mark.

The record comes before the first byte is erased, so that no crawl brings the page back meanwhile
and a takedown that was killed is known for one; the same command then goes on with it. Whatever
was done already is found done.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from crawlers.takedowns import BEGUN, PageName, Takedown, records
from dagster_project.takedown.erase import erase_outputs, erase_pages, locked
from dagster_project.takedown.find import InStore, find, in_stores
from dagster_project.takedown.rebuild import Rebuilt, clean_up, line, rebuild
from dagster_project.takedown.touched import Touched, look, quotes_of, quotes_path, removal_of
from pipeline.takedown import Removal
from pipeline.takedown.quotes import Quotes

Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What would be done; `earlier` is a takedown of the same page, begun or done."""

    found: list[InStore]
    pages: tuple[PageName, ...]
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
    found = find(data, what, franchise)
    named = {page for one in found for page in one.pages}
    earlier = next((one for one in reversed(list(records(data))) if named & set(one.pages)), None)
    if earlier is not None and earlier.state == BEGUN:
        found = in_stores(data, named | set(earlier.pages))
        named = {page for one in found for page in one.pages}
    pages = tuple(sorted(named, key=lambda page: (page.franchise, page.spider, page.url)))
    removal = removal_of(pages)
    quotes = quotes_of(data, found, removal)
    if earlier is not None:
        quotes.load(quotes_path(data, earlier))
    touched = look(data, found, removal, quotes)
    if earlier is not None and earlier.state == BEGUN:
        touched = touched.with_earlier(earlier.touched)
    return Plan(found, pages, removal, quotes, touched, earlier)


def take_down(data: Path, plan: Plan, reason: str, who: str, say: Say) -> tuple[Takedown, Rebuilt]:
    """Do it. Raises StoreBusyError, SpecError before anything is done, OSError on the way.

    After that, or a kill, the same again goes on with what is left.
    """
    job = line(say)
    with locked(plan.found) as writers:
        if plan.earlier is not None and plan.earlier.state == BEGUN:
            record = plan.earlier
        else:
            record = Takedown.begin(plan.pages, reason, who, plan.touched.as_dict())
            record.save(data)
        plan.quotes.save(quotes_path(data, record))
        erase_pages(writers, say)
    erase_outputs(data, plan.touched, plan.removal, plan.quotes, record, say)
    rebuilt = rebuild(data, plan.touched, job, say)
    clean_up(data)
    record = record.done()
    record.save(data)
    quotes_path(data, record).unlink(missing_ok=True)
    return record, rebuilt
