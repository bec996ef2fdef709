"""`kill -9` at any moment, then the same command: nothing received is lost, nothing stored twice.

Real crawls of a served wiki are killed at random moments (the seed is printed; LOREMILL_SEED sets
it) until one comes through. What a crawl does within milliseconds, sealing, is killed at every
single step in a process that does nothing else.
"""

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Timer
from time import sleep

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from crawlers.page import GONE
from crawlers.samplesite.exchange import Request, Response, html, text
from crawlers.samplesite.replicas import wikipedia
from crawlers.samplesite.server import SiteServer
from crawlers.samplesite.wiki_site import WikiSite
from crawlers.settings import CONCURRENT_REQUESTS
from crawlers.store.page_store import PageStore
from tests.crawl_workplace import ROOT, Workplace

#: The most requests of a crawl that have been sent while their answers are not stored yet.
IN_FLIGHT = CONCURRENT_REQUESTS
#: Seconds within which a crawl that has just been started is killed at the latest.
_START = 0.8
#: Seconds that a page takes, so that a crawl on a fast machine does not end before it is killed.
_PAGE = 0.005
_MOMENTS = ["start", "listing", "page", "page", "page"]


class DeadlySite(WikiSite):
    """A wiki that kills who asks, at the moment that was set."""

    def __init__(self) -> None:
        super().__init__(wikipedia(), api_cap=50)
        self.asked: Counter[str] = Counter()  # by folder
        self._prefix, self._left, self._kill = "", 0, Timer(0, lambda: None)

    def answer(self, request: Request) -> Response:
        self.asked[f"/{request.path.split('/')[1]}/"] += 1
        if self._left and request.path.startswith(self._prefix):
            self._left -= 1
            if not self._left:
                self._kill.start()
        if request.path.startswith("/wiki/"):
            sleep(_PAGE)
        return super().answer(request)

    def kill_at(self, prefix: str, number: int, kill: Timer) -> None:
        """Start the timer when the path has been asked for so many times more."""
        self._prefix, self._left, self._kill = prefix, number, kill


@pytest.fixture
def site() -> Iterator[tuple[DeadlySite, str]]:
    """The site and its origin."""
    site = DeadlySite()
    site.wiki.create("Category:Films")
    with SiteServer([site], [0]) as server:
        yield site, server.origins[0]


@dataclass
class Killer:
    """Kills crawls at moments that it draws: as they start, as they list, or among their pages."""

    site: DeadlySite
    workplace: Workplace
    random: random.Random
    kills: Counter[str] = field(default_factory=Counter)

    def crawl(self, times: int, moments: Sequence[str], furthest: int = 1) -> None:
        """The same command again and again, killed `times` times, or until one comes through."""
        for _ in range(times):
            moment = self.random.choice(moments)
            with self.workplace.start("wikipedia", "films") as process:
                if moment == "start":
                    kill = Timer(self.random.uniform(0, _START), process.kill)
                    kill.start()
                else:
                    kill = Timer(self.random.choice([0, 0, 0.003, 0.01, 0.03]), process.kill)
                    listings = len(self.site.wiki.members("Films")) // self.site.api_cap
                    prefix, number = {
                        "listing": ("/w/", self.random.randint(1, 2)),
                        "listed": ("/w/", listings),
                        "page": ("/wiki/", self.random.randint(1, furthest)),
                    }[moment]
                    self.site.kill_at(prefix, number, kill)
                _, said = process.communicate()
                status = process.returncode
                kill.cancel()
            if status == 0:
                return
            assert status == -signal.SIGKILL, said
            self.kills[moment] += 1


def facts(store: PageStore) -> dict[str, tuple[str, str]]:
    """What the current view holds: url -> revision, body hash."""
    return {url: (known.revision or "", known.body_sha256) for url, known in store.known().items()}


def is_clean(store: PageStore) -> None:
    """Nothing but whole parts that the manifest names is left, and whole politeness records."""
    assert list((store.root / "journal").iterdir()) == []
    assert sorted((store.root / "parts").iterdir()) == sorted(store.parts())
    assert [path for path in store.root.iterdir() if path.name.startswith(".manifest")] == []
    records = list((store.root / "requests").iterdir())  # of killed crawls too, sealed since
    assert {path.suffix for path in records} == {".parquet"}


def stored(store: PageStore) -> list[str]:
    """The urls of all rows of the raw parts."""
    return [
        url for part in store.parts() for url in pq.read_table(part, columns=["url"])[0].to_pylist()
    ]


@pytest.mark.slow
@pytest.mark.parametrize(("kills", "pages"), [(6, 200), (40, 1000)])
def test_killed_crawls_go_on(
    site: tuple[DeadlySite, str], tmp_path: Path, kills: int, pages: int
) -> None:
    served, origin = site
    seed = int(os.environ.get("LOREMILL_SEED") or random.randrange(2**32))
    print(f"LOREMILL_SEED={seed}")
    for n in range(pages):
        served.wiki.create(f"Film {n}", f"<p>{f'The plot of film {n}. ' * 200}</p>",
                         categories=("Films",))  # fmt: skip
    source = {"spider": "wikipedia", "site": origin, "categories": ["Films"]}
    undisturbed = Workplace(tmp_path / "undisturbed")
    undisturbed.franchise("films", source)
    assert undisturbed.crawl("wikipedia", "films").status == 0
    served.asked.clear()

    place = Workplace(tmp_path / "killed")
    place.franchise("films", source)
    killer = Killer(served, place, random.Random(seed))
    killer.crawl(kills, _MOMENTS, furthest=pages // kills // 2)
    last = place.crawl("wikipedia", "films")
    assert last.status == 0, last.stderr
    store = last.store
    assert facts(store) == facts(undisturbed.store("films", "wikipedia"))
    assert Counter(stored(store)).most_common(1)[0][1] == 1
    assert len(stored(store)) == pages
    is_clean(store)
    again = served.asked["/wiki/"] - pages
    print(f"kills {dict(killer.kills)}; {again} pages fetched again")
    assert 0 <= again <= IN_FLIGHT * killer.kills.total()
    assert killer.kills.total() >= kills // 2

    # And while it finds out what is gone.
    gone = pages // 2
    for n in range(gone):
        served.wiki.delete(f"Film {n}")
    before = served.asked["/wiki/"]
    killer.crawl(kills // 2, ["listed"])
    last = place.crawl("wikipedia", "films")
    assert last.status == 0, last.stderr
    assert served.asked["/wiki/"] == before
    assert len(stored(store)) == pages + gone
    assert store.count() == pages - gone
    is_clean(store)
    rows = pa.concat_tables(pq.read_table(p, columns=["status", "crawl_id"]) for p in store.parts())
    crawls = Counter(rows.filter(pc.field("status") == GONE)["crawl_id"].to_pylist())
    print(f"kills {dict(killer.kills)}; tombstones by {len(crawls)} crawls")


class SlowSite:
    """Stories and books without an ETag or a date: nothing but a whole answer tells what they are.

    Kills the crawl that asks for the page of this number.
    """

    name = "slow"

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.kill_at, self.kill = 0, Timer(0, lambda: None)

    def answer(self, request: Request) -> Response:
        if request.path == "/robots.txt":
            return text(200, "")
        if request.path.endswith(".csv"):
            rows = (f"{n},Text,2020,Tale {n},en,Ann,x,PR,y\n" for n in _TALES)
            head = "Text#,Type,Issued,Title,Language,Authors,Subjects,LoCC,Bookshelves\n"
            return text(200, head + "".join(rows), "text/csv")
        self.asked.append(request.path)
        if len(self.asked) == self.kill_at:
            self.kill.start()
        sleep(_PAGE)
        if request.path.endswith(".txt"):
            return text(200, f"The text at {request.path}.")
        return html(200, f"<html><body>The tale at {request.path}.</body></html>")

    def content_hash(self) -> str:
        return ""


_TALES = range(1, 61)


@pytest.mark.parametrize("spider", ["web", "gutenberg"])
def test_a_site_without_revisions_is_gone_on_with(tmp_path: Path, spider: str) -> None:
    site, place, kills = SlowSite(), Workplace(tmp_path), 3
    with SiteServer([site], [0]) as server:
        what = {
            "web": {"pages": [f"/tale/{n}" for n in _TALES], "licence": "CC0-1.0"},
            "gutenberg": {"books": list(_TALES)},
        }
        place.franchise("tales", {"spider": spider, "site": server.origins[0], **what[spider]})
        for kill in range(kills):
            with place.start(spider, "tales") as process:
                site.kill_at, site.kill = 15 * (kill + 1), Timer(0, process.kill)
                _, said = process.communicate()
            assert process.returncode == -signal.SIGKILL, said
        site.kill_at = 0
        last = place.crawl(spider, "tales")
        assert last.status == 0, last.stderr
        assert last.store.count() == len(stored(last.store)) == len(_TALES)
        assert len(set(site.asked)) == len(_TALES)
        assert len(site.asked) - len(_TALES) <= IN_FLIGHT * kills
        # The crawl after one that came to its end asks for each anew.
        site.asked.clear()
        assert place.crawl(spider, "tales").outcome.unchanged == len(_TALES)
        assert len(site.asked) == len(_TALES)


_EVERY_STEP = '''
import os, shutil, signal, sys
from pathlib import Path
from crawlers.page import GONE, Page
from crawlers.store.page_store import PageStore, PageWriter
import pyarrow.parquet as pq

STORE = {"crawlers.store.journal", "crawlers.store.page_store"}
ROOMS = STORE | {"pipeline.atomic", "pyarrow.parquet.core"}
CALLS = {"open", "mkdir", "unlink", "rename", "replace", "fsync", "flock"}
FACTS = {"licence": "CC0-1.0", "spider": "s", "franchise": "f", "source": "s", "crawl_id": "c"}
root, urls = Path(sys.argv[1]), ["a", "b", "c", "d", "e"]

def crawl(said):
    """Stores the pages that are not known, then what is gone; a byte for each that is stored."""
    store = PageStore(root)
    writer = PageWriter(store, "c", seal_pages=2)
    known = store.known()
    for url in urls:
        if url not in known:
            writer.append(Page(url=url, body=url.encode() * 500, **FACTS))
            os.write(said, b".")
    for url in known:
        if url not in urls:
            writer.append(Page(url=url, status=GONE, **FACTS))
            os.write(said, b".")
    writer.close()

def killed_at(step):
    """Runs it in a process that is killed at a call into C; how much it stored, and whether."""
    said, says = os.pipe()
    child = os.fork()
    if not child:
        left = step
        def count(frame, event, function):
            nonlocal left
            if event == "c_call" and (
                frame.f_globals.get("__name__") in ROOMS or function.__name__ in CALLS
            ):
                left -= 1
                if not left:
                    os.kill(os.getpid(), signal.SIGKILL)
        sys.setprofile(count)
        crawl(says)
        sys.setprofile(None)
        os._exit(0)
    os.close(says)
    _, status = os.waitpid(child, 0)
    with os.fdopen(said, "rb") as stream:
        return len(stream.read()), os.waitstatus_to_exitcode(status)

def rows():
    parts = PageStore(root).parts()
    return [url for part in parts for url in pq.read_table(part)["url"].to_pylist()]

step = 0
while True:
    step += 1
    shutil.rmtree(root, ignore_errors=True)
    writer = PageStore(root).writer("before")
    writer.append(Page(url="old", body=b"old", **FACTS))
    writer.close()
    stored, status = killed_at(step)
    again, _ = killed_at(step * 7 % 100 + 1)
    PageStore(root).writer("recovers").close()
    assert len(rows()) >= 1 + stored + again, (step, rows(), stored, again)
    assert killed_at(0)[1] == 0
    assert sorted(rows()) == sorted(["old", *urls, "old"]), (step, rows())
    assert sorted(PageStore(root).known()) == urls, step
    left = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    parts = {path.relative_to(root).as_posix() for path in PageStore(root).parts()}
    assert left == {"manifest.json", ".lock", *parts}, (step, left)
    if status == 0:
        break
    assert status == -signal.SIGKILL, (step, status)
print(step)
'''


@pytest.mark.slow
def test_a_store_killed_at_every_step_of_a_crawl(tmp_path: Path) -> None:
    """Journal, sealing, manifest, tombstones and recovery: killed at each call, then once more."""
    shown = subprocess.run(
        [sys.executable, "-c", _EVERY_STEP, str(tmp_path / "store")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.returncode == 0, shown.stderr
    assert int(shown.stdout) > 100  # steps
