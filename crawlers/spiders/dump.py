"""A wiki's XML dump in place of its live site: the pages stand on disk, with their revisions.

A page is the wikitext as the dump has it, under the address it has on the wiki, so that store,
re-crawls by a newer dump, and attribution are those of a live wiki.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

from crawlers.franchise_spider import Found, FranchiseSpider
from crawlers.on_disk.dump_selection import Selection
from crawlers.on_disk.named_file import named_file
from crawlers.on_disk.wiki_dump import DumpPage, Wiki, WikiDump
from crawlers.sources import AnySource, DumpSource
from crawlers.wiki_listing import article_url


class DumpSpider(FranchiseSpider):
    """No request is ever sent."""

    name = "dump"

    async def listing(self, source: AnySource) -> AsyncIterator[Found]:
        """The source's articles in the dump's order; a page where its revision is a new one."""
        assert isinstance(source, DumpSource)
        path = named_file(source, self.file.parent)
        selection: Selection | None = None
        if Selection.needs_survey(source):
            async for wiki, page in self._read(path, "first of two passes"):
                selection = selection or Selection(source, wiki)
                selection.survey(page)
            if selection is not None:
                selection.settle()
        async for wiki, page in self._read(path, "read"):
            selection = selection or Selection(source, wiki)
            if selection.takes(page):
                yield self._found(page, article_url("", wiki.address, page.title), source)
        if selection is not None:
            for what, remedy in selection.missing():
                self.fail(source.path, what, remedy)
            for what, remedy in selection.mistakes():
                self.fail(source.path, what, remedy, source)

    def _found(self, page: DumpPage, url: str, source: DumpSource) -> Found:
        if page.too_large:
            what = ("the page is larger than allowed", "raise DOWNLOAD_MAXSIZE to keep it")
            return Found(url, failed=what)
        if page.withheld:
            remedy = "take a dump with texts, such as …-pages-articles.xml.bz2, not one of stubs"
            return Found(url, failed=("its text is not in the dump", remedy))
        stored = self.stored(url)
        if stored is not None and stored.revision == page.revision is not None:
            return Found(url, name=(page.title, page.page_id or ""))
        return Found(
            url,
            page=self.new_page(
                source,
                url=url,
                title=page.title,
                page_id=page.page_id,
                revision=page.revision,
                content_type="text/x-wiki",
                body=page.text.encode(),
                attribution_url=url,
            ),
        )

    async def _read(self, path: Path, doing: str) -> AsyncIterator[tuple[Wiki, DumpPage]]:
        """All pages; says how far it is where that takes long."""
        dump = WikiDump(path, self.settings.getint("DOWNLOAD_MAXSIZE"))
        interval = self.settings.getfloat("PROGRESS_INTERVAL")
        told = time.monotonic()
        for pages in dump.steps():
            for page in pages:
                yield dump.wiki, page
            if time.monotonic() - told >= interval:
                told = time.monotonic()
                print(f"dump: {path.name}: {dump.share:.0%}, {doing}", file=sys.stderr, flush=True)
            await asyncio.sleep(0)
