"""What every spider here shares: a franchise's sources, the page store, and the outcome.

A spider for another kind of site says how it lists (`listing`) and how it reads (a callback); all
else, contact, back-pressure, failures, tombstones, is here.
"""

import asyncio
import re
import secrets
from abc import abstractmethod
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from scrapy import Request, Spider
from scrapy.core.scheduler import Scheduler
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.retry import get_retry_request
from scrapy.exceptions import CloseSpider
from scrapy.http import Response
from scrapy.settings import BaseSettings
from twisted.python.failure import Failure

from crawlers.contact import is_contact, user_agent
from crawlers.explain import EXPECTED, SourceError, explain
from crawlers.franchise import corpora_folder, load_franchise
from crawlers.gone import tombstones, too_many
from crawlers.outcome import CrawlOutcome
from crawlers.page import Page, as_title
from crawlers.policy import origins
from crawlers.politeness.host import Host
from crawlers.politeness.record import RequestRecord
from crawlers.politeness.refusal import HostStopped
from crawlers.politeness.signals import combined, usage_signals
from crawlers.sites import Sites
from crawlers.sources import AnySource, source_name
from crawlers.store.known import Known, KnownPages
from crawlers.store.page_store import PageStore, StoreError, pages_root
from crawlers.store.relabelled import relabelled
from crawlers.takedowns import TakenDown
from crawlers.yaml_spec import SpecError

#: Requests that may wait in the scheduler; a longer listing waits for its turn.
_QUEUE = 50


@dataclass(frozen=True)
class Found:
    """A listed page: the url that names it, and how to fetch it, or the page where it is at hand.

    `failed` says what is wrong with it, and the remedy: what the store has of it stays. With none
    of them, the page has not changed. `name` is its title and number, where the listing has them.
    """

    url: str
    request: Request | None = None
    page: Page | None = None
    failed: tuple[str, str] | None = None
    name: tuple[str, str] | None = None


class FranchiseSpider(Spider):
    """Crawls all sources of a franchise that name this spider, in the order of its YAML."""

    sources: list[AnySource]
    sites: Sites
    store: PageStore
    taken_down: TakenDown
    crawl_id: str
    outcome: CrawlOutcome
    record: RequestRecord
    known: KnownPages  # what the store held when this crawl began
    unfinished: frozenset[str]  # the crawls before this one, back to one that came to its end
    moved: dict[str, str | None]  # old url -> new url, None until the page has come from there
    _most_each: int | None  # pages of a source, as LOREMILL_LIMIT says
    ending = False  # set to send nothing more

    def __init__(self, franchise: str | None = None, **arguments: Any):
        super().__init__(**arguments)
        if not franchise:
            raise SpecError([f"scrapy crawl {self.name}: needs -a franchise=NAME"])
        self.franchise = franchise
        self.file = corpora_folder() / franchise / "defs.yaml"
        spec = load_franchise(franchise)
        self.sources = [source for source in spec.sources if source.spider == self.name]
        if not self.sources:
            raise SpecError(
                [
                    f"{self.file}: has no source for the spider {self.name}; "
                    f"crawl it with {', '.join(spec.spiders())}"
                ]
            )
        self.moved = {}
        self._cut: set[str] = set()  # sources whose limit was met: they may have more

    @classmethod
    def update_settings(cls, settings: BaseSettings) -> None:
        """The User-Agent is made of the contact, wherever that was set."""
        super().update_settings(settings)
        settings.set("USER_AGENT", user_agent(settings["LOREMILL_CONTACT"]), "spider")

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        """The spider with its store and an outcome to fill."""
        spider = super().from_crawler(crawler, *args, **kwargs)
        root = pages_root(spider.settings["LOREMILL_DATA"], spider.franchise, spider.name)
        spider._most_each = _limit(spider.settings["LOREMILL_LIMIT"])
        now = datetime.now(UTC)
        longest_wait = spider.settings.getfloat("RETRY_AFTER_MAX")
        spider.sites = Sites(spider.sources, spider.where, spider._host_stopped, longest_wait)
        spider.store = PageStore(root)
        spider.taken_down = TakenDown(Path(spider.settings["LOREMILL_DATA"]).absolute())
        spider.crawl_id = spider.settings["LOREMILL_CRAWL_ID"] or (
            f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
        )
        spider.outcome = CrawlOutcome(
            spider.crawl_id, spider.name, spider.franchise, now.isoformat(timespec="seconds")
        )
        spider.record = RequestRecord(
            root, spider.crawl_id, spider.franchise, spider.name, spider.sites.recorded_as
        )
        return spider

    @abstractmethod
    def listing(self, source: AnySource) -> AsyncIterator[Found]:
        """The source's pages in an order that stays; a page may come twice.

        Raises what stands in `explain.EXPECTED` where the listing cannot be had.
        """

    async def start(self) -> AsyncIterator[Any]:
        """All sources one after the other, then tombstones for what is no longer listed."""
        self._require_contact()
        if not await self._have_hosts():
            return
        self._most = self.settings.getint("MAX_PAGES")
        try:
            self.known = self.store.known()
            async for request in self._all_changed():
                yield request
            if not self.ending and self.known.has_labels():
                for page in relabelled(self.store, self.known):
                    if self._is_closing():
                        return
                    await self._store(page)
        except StoreError as error:
            self.outcome.errors.append(str(error))
            raise CloseSpider("store_damaged") from error
        if not self.outcome.errors and not self.outcome.falls_short():
            self._believe()
        if not self.outcome.errors and not self.outcome.falls_short():
            for tombstone in tombstones(self.known, self.moved, bool(self._cut), self._as_of):
                if self._is_closing():
                    return
                await self._store(tombstone)

    def closed(self, reason: str) -> None:
        """As Scrapy calls it at the crawl's end, when all requests are done."""
        self.sites.release()

    def stored(self, url: str) -> Known | None:
        """What the store has of the page, of whatever source; see `unchanged`."""
        return self.known.get(url)

    def has(self, stored: Known) -> bool:
        """Whether the page is of a crawl that was broken off, with which this one goes on."""
        return stored.crawl_id in self.unfinished

    def unchanged(self, url: str, source: AnySource) -> None:
        """A listed page is as the store has it.

        Where that is of another source or licence, it is stored anew at the end, without a request.
        """
        known = self.known[url]
        label = (source_name(source), self.sites.licence(source))
        if (known.source, known.licence) == label:
            self.outcome.unchanged += 1
        else:
            self.known.label(url, *label)

    def new_page(self, source: AnySource, **columns: Any) -> Page:
        """A page of the source in this crawl."""
        return self._as_of(source_name(source), self.sites.licence(source), **columns)

    def page(
        self,
        url: str,
        source: AnySource,
        response: Response,
        *,
        title: str,
        page_id: str,
        attribution_url: str,
        revision: str | None = None,
    ) -> Page:
        """A page as served; `url` as it was listed."""

        def header(name: str) -> str | None:
            value = response.headers.get(name)
            return value.decode("latin-1") if value else None

        return self.new_page(
            source,
            url=url,
            final_url=response.url,
            title=title,
            page_id=page_id,
            revision=revision,
            etag=header("ETag"),
            last_modified=header("Last-Modified"),
            status=response.status,
            content_type=header("Content-Type"),
            body=response.body,
            signals=combined(self.sites.robots_signals(response.url), usage_signals(response)),
            attribution_url=attribution_url,
        )

    def ask_again(self, request: Request) -> Request | None:
        """Another try for a page that came torn, as the record says; None after the last."""
        again = get_retry_request(request, spider=self, reason="torn page")
        next_ = "asks again" if again else "gives up"
        self.record.of(request).done = f"a page without its end; {next_}"
        return again

    def place(self, source: AnySource) -> str:
        """Where a source is, for a message: its site, or its path."""
        return (origins(source) or [getattr(source, "path", self.name)])[0]

    def where(self, source: AnySource) -> str:
        """The place a person wrote the source down."""
        return f"{self.file}: source {source_name(source)}"

    def fail(self, url: str, what: str, remedy: str, source: AnySource | None = None) -> None:
        """Note a failure; one of a whole source leaves the crawl incomplete."""
        fatal = None if source is None else self.where(source)
        self.outcome.fail(url, what, remedy, fatal=fatal)

    def page_failed(self, failure: Failure) -> None:
        """The errback of a page: note why it could not be had."""
        assert failure.value is not None
        if not isinstance(failure.value, HostStopped):
            request: Request = failure.request  # type: ignore[attr-defined]  # Scrapy adds it
            listed = request.meta.get("redirect_urls", [request.url])[0]
            self.fail(listed, *explain(failure.value))

    async def _all_changed(self) -> AsyncIterator[Request]:
        """The requests of all sources; ends when what became of each is known."""
        for source in self.sources:
            try:
                async for request in self._changed(source):
                    yield request
            except HostStopped:
                continue  # said when the host was stopped
            except EXPECTED as error:
                what, remedy = explain(error)
                self.fail(self.place(source), what, remedy, source)
        while self._busy():
            await asyncio.sleep(0.02)

    async def _have_hosts(self) -> bool:
        """Wait until no other crawl uses this one's hosts; False where the crawl ends meanwhile."""
        folder = Path(self.settings["LOREMILL_DATA"]).absolute() / "hosts"
        crawl = f"the crawl of {self.franchise} by {self.name}"
        try:
            await self.sites.take(folder, crawl, lambda: not self._is_closing())
        except OSError as error:
            remedy = "make room, or see who may write there"
            self.outcome.fail(str(folder), f"cannot be written: {error}", remedy, fatal=str(folder))
            return False
        return not self._is_closing()

    async def _changed(self, source: AnySource) -> AsyncIterator[Request]:
        """A request for each page of the source that must be fetched; one that is here is stored.

        A page that two sources list belongs to the first, so that it is stored once.
        """
        taken = 0
        async for found in self.listing(source):
            if self._is_closing():
                return
            if self.known.is_listed(found.url) or self._is_taken_down(found):
                continue
            if taken == self._limit(source):
                self._cut.add(source_name(source))
                return
            if self.outcome.listed == self._most:
                raise SourceError(
                    f"there are more pages than a crawl may have ({self._most:,})",
                    "name fewer, give the source a `limit`, or raise MAX_PAGES",
                )
            taken += 1
            self.known.note(found.url)
            self.outcome.listed += 1
            if found.request is not None:
                while self._queued() >= _QUEUE:
                    await asyncio.sleep(0.02)
                yield found.request
            elif found.page is not None and not self.is_stored(found.page):
                self.outcome.bytes += len(found.page.body)
                await self._store(found.page)
            elif found.failed is not None:
                self.fail(found.url, *found.failed)
            else:
                self.unchanged(found.url, source)
                await asyncio.sleep(0)  # a long list of these leaves the others their turn

    def _is_taken_down(self, found: Found) -> bool:
        """Whether a listed page is to stay out: not asked for, neither had nor missing."""
        title, page_id = found.name or (None, None)
        if found.page is not None:
            title, page_id = found.page.title, found.page.page_id
        if not self.taken_down.has(found.url, title=title, page_id=page_id):
            return False
        self.known.note(found.url)
        self.outcome.taken_down += 1
        return True

    async def _store(self, page: Page) -> None:
        """Send a page through the item pipelines, to their end.

        Where `start` yields it, Scrapy 2.19 goes on at once, and where the crawl is ended before
        the page has come through, waits for it for ever: it looks only when a response is done
        (https://github.com/scrapy/scrapy/pull/7718). So that is done here.
        """
        scraper = self.crawler.engine.scraper
        try:
            await scraper.start_itemproc_async(page, response=None)
        finally:
            scraper._check_if_closing()
        await asyncio.sleep(0)  # gives the others their turn

    def _is_closing(self) -> bool:
        slot = self.crawler.engine.scraper.slot
        ends = self.ending or not self.crawler.engine.running
        return ends or slot is None or slot.closing is not None

    def _host_stopped(self, host: Host) -> None:
        assert host.stopped is not None
        self.outcome.fail(host.origin, host.stopped.what, host.stopped.remedy, fatal=str(self.file))

    def _require_contact(self) -> None:
        contact = self.settings["LOREMILL_CONTACT"] or ""
        live = self.sites.live()
        if live and not (is_contact(contact) and contact in self.settings["USER_AGENT"]):
            given = f"LOREMILL_CONTACT is {contact!r}" if contact else "LOREMILL_CONTACT is not set"
            self.outcome.fail(
                live[0],
                f"{given}, and a live site is crawled only by someone its owner can write to",
                "set it to your mail address or the address of a page about you, "
                "e.g. export LOREMILL_CONTACT=you@example.org",
                fatal=str(self.file),
            )
            raise CloseSpider("no_contact")

    def _believe(self) -> None:
        """Fail where more of a source would go than a site's own changes explain."""
        most = self.settings.getfloat("MAX_GONE")
        suspicious = too_many(self.known, self.moved, bool(self._cut), most)
        for source in self.sources:
            if source_name(source) in suspicious:
                going, stored = suspicious[source_name(source)]
                self.fail(
                    self.place(source),
                    f"{going:,} of its {stored:,} stored pages are not listed any more, and none "
                    "is taken away, because sites that lose so many at once are mostly broken",
                    "if it is right, as where you made the source narrower, crawl once with "
                    "-s MAX_GONE=1",
                    source,
                )

    def _as_of(self, source: str, licence: str, **columns: Any) -> Page:
        return Page(
            source=source,
            licence=licence,
            spider=self.name,
            franchise=self.franchise,
            crawl_id=self.crawl_id,
            **columns | {"title": as_title(columns.get("title") or "") or None},
        )

    def _busy(self) -> bool:
        """Whether a page is still on its way to the store."""
        engine = self.crawler.engine
        assert engine is not None
        assert engine.scraper.slot is not None
        on_the_way = engine.downloader.active or not engine.scraper.slot.is_idle()
        return not self.ending and bool(self._queued() or on_the_way)

    def _queued(self) -> int:
        scheduler = self.crawler.engine.scheduler
        assert isinstance(scheduler, Scheduler)
        return len(scheduler)

    def _limit(self, source: AnySource) -> int | None:
        """The most pages of a source: the YAML's word, or the crawl's where that is less."""
        return min((limit for limit in (source.limit, self._most_each) if limit), default=None)

    def is_stored(self, page: Page) -> bool:
        """Whether the store has just this of the page."""
        stored = self.stored(page.url)
        return stored is not None and (stored.body_sha256, stored.revision, stored.title) == (
            page.body_sha256, page.revision, page.title
        )  # fmt: skip


def _limit(written: str | int | None) -> int | None:
    """LOREMILL_LIMIT, None where it is not set. Raises SpecError where it is no number."""
    text = str(written or "").strip()
    if not re.fullmatch(r"[0-9]{0,9}", text):
        raise SpecError([f"LOREMILL_LIMIT is {text[:50]!r}; set it to a number of pages, e.g. 20"])
    return int(text or 0) or None
