"""What every spider here shares: a franchise's sources, the page store, and the outcome.

A spider for another kind of site says how it lists (`listing`) and how it reads (a callback); all
else, contact, back-pressure, failures, tombstones, is here.
"""

import asyncio
import secrets
from abc import abstractmethod
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from scrapy import Request, Spider
from scrapy.core.scheduler import Scheduler
from scrapy.crawler import Crawler
from scrapy.exceptions import CloseSpider
from scrapy.http import Response
from scrapy.settings import BaseSettings
from twisted.python.failure import Failure

from crawlers.contact import is_contact, user_agent
from crawlers.explain import EXPECTED, SourceError, explain
from crawlers.franchise import corpora_folder, load_franchise
from crawlers.outcome import CrawlOutcome
from crawlers.page import GONE, Page
from crawlers.policy import origins
from crawlers.politeness.host import Host
from crawlers.politeness.record import RequestRecord
from crawlers.politeness.refusal import HostStopped
from crawlers.politeness.signals import combined, usage_signals
from crawlers.sites import Sites
from crawlers.sources import AnySource, source_name
from crawlers.store.known import Known, KnownPages
from crawlers.store.page_store import PageStore, pages_root
from crawlers.yaml_spec import SpecError

#: Requests that may wait in the scheduler; a longer listing waits for its turn.
_QUEUE = 50


@dataclass(frozen=True)
class Found:
    """A listed page: the url that names it, and how to fetch it, or the page where it is at hand.

    `failed` says what is wrong with it, and the remedy: what the store has of it stays. With none
    of them, the page has not changed.
    """

    url: str
    request: Request | None = None
    page: Page | None = None
    failed: tuple[str, str] | None = None


class FranchiseSpider(Spider):
    """Crawls all sources of a franchise that name this spider, in the order of its YAML."""

    sources: list[AnySource]
    sites: Sites
    store: PageStore
    crawl_id: str
    outcome: CrawlOutcome
    record: RequestRecord
    known: KnownPages  # what the store held when this crawl began
    moved: dict[str, str | None]  # old url -> new url, None until the page has come from there
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
        now = datetime.now(UTC)
        longest_wait = spider.settings.getfloat("RETRY_AFTER_MAX")
        spider.sites = Sites(spider.sources, spider.where, spider._host_stopped, longest_wait)
        spider.store = PageStore(root)
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
        self.known = self.store.known()
        for source in self.sources:
            try:
                async for request in self._changed(source):
                    yield request
            except HostStopped:
                continue  # said when the host was stopped
            except EXPECTED as error:
                what, remedy = explain(error)
                self.fail(self.place(source), what, remedy, source)
        while self._busy():  # what became of the last pages is not known yet
            await asyncio.sleep(0.02)
        if not self.outcome.errors and not self.outcome.falls_short():
            for tombstone in self._tombstones():
                if self._is_closing():
                    return
                await self._store(tombstone)

    def closed(self, reason: str) -> None:
        """As Scrapy calls it at the crawl's end, when all requests are done."""
        self.sites.release()

    def stored(self, url: str, source: AnySource) -> Known | None:
        """What the store has of the page as one of this source, under the licence of today."""
        known = self.known.get(url)
        if known and (known.source, known.licence) == (
            source_name(source),
            self.sites.licence(source),
        ):
            return known
        return None

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

        return Page(
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
            licence=self.sites.licence(source),
            signals=combined(self.sites.robots_signals(response.url), usage_signals(response)),
            attribution_url=attribution_url,
            spider=self.name,
            franchise=self.franchise,
            source=source_name(source),
            crawl_id=self.crawl_id,
        )

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
            if self.known.is_listed(found.url):
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
            elif found.page is not None and not self._is_stored(found.page, source):
                self.outcome.bytes += len(found.page.body)
                await self._store(found.page)
            elif found.failed is not None:
                self.fail(found.url, *found.failed)
            else:
                self.outcome.unchanged += 1
                await asyncio.sleep(0)  # a long list of these leaves the others their turn

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

    def _tombstones(self) -> Iterator[Page]:
        for url, known in self.known.unlisted():
            has_moved, new_url = url in self.moved, self.moved.get(url)
            if (has_moved and new_url is None) or (known.source in self._cut and not has_moved):
                continue
            yield Page(
                url=url,
                final_url=new_url,
                status=GONE,
                title=known.title,
                page_id=known.page_id,
                licence=known.licence,
                source=known.source,
                spider=self.name,
                franchise=self.franchise,
                crawl_id=self.crawl_id,
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
        limits = [source.limit, self.settings.getint("LOREMILL_LIMIT") or None]
        return min((limit for limit in limits if limit), default=None)

    def _is_stored(self, page: Page, source: AnySource) -> bool:
        stored = self.stored(page.url, source)
        return stored is not None and (stored.body_sha256, stored.revision, stored.title) == (
            page.body_sha256, page.revision, page.title
        )  # fmt: skip
