"""Dumps written here, crawled for real: what is taken, what is told, what a re-crawl does."""

import bz2
import gzip
import lzma
import os
import signal
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import pytest

from crawlers.explain import SourceError
from crawlers.on_disk.dump_selection import Selection
from crawlers.on_disk.wiki_dump import DumpPage, Wiki, WikiDump
from crawlers.sources import DumpSource
from pipeline.extract import SourceRules, extract

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

NAMESPACE = "http://www.mediawiki.org/xml/export-0.{}/"
BASE = "https://lamps.example/wiki/"
SITEINFO = """<siteinfo><sitename>Lampenwiki</sitename><base>https://lamps.example/wiki/Hauptseite</base>
<case>first-letter</case><namespaces><namespace key="0" case="first-letter" />
<namespace key="4" case="first-letter">Lampenwiki</namespace>
<namespace key="14" case="first-letter">Kategorie</namespace></namespaces></siteinfo>"""
STORY = (
    "Maren carried the last lamp over the bridge while the river rose behind her. "
    "Nobody in the village had seen the ferryman since the ice broke, and nobody asked."
)


def page(
    title: str,
    text: str = "",
    number: int = 0,
    namespace: int = 0,
    redirect: str | None = None,
    revisions: list[tuple[int, str, str]] | None = None,
) -> str:
    """A page of a dump; `revisions` are id, time and text."""
    number = number or sum(map(ord, title))
    told = "".join(
        f"<revision><id>{revision}</id><timestamp>{time}</timestamp>"
        f"<contributor><username>Ada</username><id>9</id></contributor><model>wikitext</model>"
        f'<text bytes="{len(body)}" xml:space="preserve">{escape(body)}</text></revision>'
        for revision, time, body in revisions or [(number * 10, "2026-01-01T00:00:00Z", text)]
    )
    leads = f"<redirect title={quoteattr(redirect)} />" if redirect else ""
    return (
        f"<page><title>{escape(title)}</title><ns>{namespace}</ns><id>{number}</id>"
        f"{leads}{told}</page>\n"
    )


def dump(*pages: str, version: int = 11, siteinfo: str = SITEINFO) -> bytes:
    opening = f'<mediawiki xmlns="{NAMESPACE.format(version)}" version="0.{version}">'
    return f"{opening}\n{siteinfo}\n{''.join(pages)}</mediawiki>\n".encode()


def read(path: Path, largest: int = 2**20) -> list[DumpPage]:
    return [page for pages in WikiDump(path, largest).steps() for page in pages]


PAGES = [
    page("The Long Lamp", f"== Plot ==\n{STORY}\n\n[[Kategorie:Lampen]]"),
    page("Old Lamp", "#REDIRECT [[The Long Lamp]]", redirect="The Long Lamp"),
    page("Lamp", "'''Lamp''' may be:\n* [[The Long Lamp]]\n{{disambiguation}}"),
    page("Bridge", f"== Plot ==\n{STORY}\n\n[[category: river lamps|sort]]"),
    page("Kategorie:River lamps", "[[Kategorie:lampen]]", namespace=14),
    page("Lampenwiki:Rules", "Be kind.", namespace=4),
    page("EP001", f"== Plot ==\n{STORY}"),
    page("EP002", f"== Plot ==\n{STORY}", redirect=None),
    page("Ferry", f"== Plot ==\n{STORY}\n<!-- [[Kategorie:Lampen]] -->"),
]


@pytest.fixture
def crawl_dump(workplace) -> Callable[..., object]:
    """Crawls a dump (bytes, or lines of pages) as the franchise `lamps`."""

    def crawl(content: bytes, *options: str, name: str = "lamps.xml", **source: object) -> object:
        path = workplace.folder / "corpora" / "lamps" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        written = {"spider": "dump", "path": name, "licence": "CC0-1.0", **source}
        workplace.franchise("lamps", written)
        return workplace.crawl("dump", "lamps", *options)

    return crawl


def titles(finished) -> set[str]:
    return {url.removeprefix(BASE) for url in finished.pages()}


ARTICLES = {"The_Long_Lamp", "Bridge", "EP001", "EP002", "Ferry"}


def test_a_dump_becomes_documents_through_the_same_door(crawl_dump, tmp_path) -> None:
    finished = crawl_dump(bz2.compress(dump(*PAGES)), name="lamps.xml.bz2")
    assert (finished.status, finished.errors) == (0, [])
    assert titles(finished) == ARTICLES
    row = finished.pages()[f"{BASE}The_Long_Lamp"]
    assert row["body"] == f"== Plot ==\n{STORY}\n\n[[Kategorie:Lampen]]".encode()
    assert (row["content_type"], row["licence"]) == ("text/x-wiki", "CC0-1.0")
    assert row["attribution_url"] == row["url"]
    assert row["revision"] == str(int(row["page_id"]) * 10)
    folder = tmp_path / "documents"
    folder.mkdir()
    figures = extract(finished.store.current(), {"dump": SourceRules(None, None, "en")}, folder)
    assert figures["documents"] == len(ARTICLES)
    assert figures["characters"] == len(ARTICLES) * len(STORY)


@pytest.mark.parametrize(
    ("source", "taken"),
    [
        ({}, ARTICLES),
        ({"namespaces": [0, 4]}, ARTICLES | {"Lampenwiki:Rules"}),
        ({"titles": ["old_Lamp", "ferry"]}, {"The_Long_Lamp", "Ferry"}),
        ({"series": [{"prefix": "EP", "last": 9}]}, {"EP001", "EP002"}),
        ({"categories": ["Lampen"]}, {"The_Long_Lamp"}),
        ({"categories": ["Category:lampen"], "depth": 1}, {"The_Long_Lamp", "Bridge"}),
        ({"categories": ["River lamps"], "titles": ["EP001"]}, {"Bridge", "EP001"}),
        ({"limit": 2}, {"The_Long_Lamp", "Bridge"}),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else "",
)
def test_what_a_source_names_is_taken(crawl_dump, source, taken) -> None:
    finished = crawl_dump(dump(*PAGES, version=10), **source)
    assert (finished.status, finished.errors) == (0, [])
    assert titles(finished) == taken


def test_what_names_nothing_is_told_with_the_remedy(crawl_dump) -> None:
    finished = crawl_dump(
        dump(*PAGES),
        titles=["Nobody", "Lamp", "Ferry"],
        categories=["Lanterns"],
        series=[{"prefix": "XY", "last": 2}],
        namespaces=[100],
    )
    assert finished.status == 1
    assert titles(finished) == {"Ferry"}
    told = finished.stderr
    assert "'Nobody' has no page of this title in the dump; leave it out" in told
    assert "'Lamp' is no article" in told
    for mistake in ("category 'Lanterns'", "series 'XY'", "namespace 100 has no pages"):
        assert sum(mistake in error for error in finished.errors) == 1
    assert "4 Lampenwiki" in told
    assert all("defs.yaml: source dump" in error for error in finished.errors)


def test_a_newer_dump_changes_what_changed_and_buries_what_is_gone(crawl_dump) -> None:
    crawl_dump(dump(*PAGES))
    unchanged = crawl_dump(dump(*PAGES))
    assert (unchanged.outcome.fetched, unchanged.outcome.unchanged) == (0, 5)
    edited = page("Ferry", "== Plot ==\nIt sank.", revisions=[(99, "2026-02-01T00:00:00Z", "sunk")])
    newer = crawl_dump(dump(*PAGES[:-2], edited))
    assert newer.outcome.fetched == 1
    assert newer.outcome.gone == 1
    assert titles(newer) == ARTICLES - {"EP002"}
    assert newer.pages()[f"{BASE}Ferry"]["body"] == b"sunk"


@pytest.mark.parametrize(
    "compress",
    [bytes, bz2.compress, lzma.compress, zstd.compress, gzip.compress],
    ids=["xml", "bz2", "xz", "zst", "gz"],
)
def test_each_compression_is_known_by_its_content(tmp_path, compress) -> None:
    path = tmp_path / "dump"
    path.write_bytes(compress(dump(*PAGES)))
    assert [page.title for page in read(path)][:2] == ["The Long Lamp", "Old Lamp"]
    whole = dump(*PAGES)
    path.write_bytes(compress(whole[:900]) + compress(whole[900:]))  # of two streams
    assert len(read(path)) == len(PAGES)


def test_of_a_history_the_newest_revision_is_kept(tmp_path) -> None:
    path = tmp_path / "dump"
    times = [(1, "2026-01-01T00:00:00Z", "a"), (3, "2026-03-01T00:00:00Z", "c"),
             (2, "2026-02-01T00:00:00Z", "b")]  # fmt: skip
    path.write_bytes(dump(page("Ferry", revisions=times)))
    (ferry,) = read(path)
    assert (ferry.revision, ferry.text) == ("3", "c")


@pytest.fixture
def long_dump() -> bytes:
    """So long that each compression has many blocks."""
    return dump(*(page(f"Lamp {n}", os.urandom(3000).hex(), number=n + 1) for n in range(400)))


@pytest.mark.parametrize("compress", [bytes, bz2.compress, lzma.compress, zstd.compress])
def test_pages_before_a_break_are_read(tmp_path, long_dump, compress) -> None:
    whole = compress(long_dump)
    path = tmp_path / "dump"
    path.write_bytes(whole[: len(whole) * 3 // 4])
    came: list[DumpPage] = []
    with pytest.raises(SourceError, match=r"byte [\d,]+ of the XML, in or after the page 'Lamp "):
        came.extend(page for pages in WikiDump(path, 2**20).steps() for page in pages)
    assert 200 < len(came) < 400  # bzip2 gives nothing of a block whose end is missing


def test_a_crawl_of_a_broken_dump_keeps_what_came_and_says_what_to_do(
    crawl_dump, long_dump
) -> None:
    broken = crawl_dump(long_dump[: len(long_dump) * 3 // 4])
    outcome = broken.outcome
    assert broken.status == 1
    (error,) = broken.errors
    for part in ("lamps.xml", "byte ", "page 'Lamp ", "fetch the file again", "defs.yaml"):
        assert part in error
    assert len(broken.pages()) == outcome.fetched > 200
    again = crawl_dump(long_dump)
    assert again.status == 0
    assert again.outcome.unchanged == outcome.fetched
    assert len(again.pages()) == 400


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "it is empty"),
        (b"not XML at all", "is broken: "),
        (b"<html><body>404</body></html>", "is no dump of MediaWiki: it is XML of <html>"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><mediawiki>&b;</mediawiki>', "has a DOCTYPE"),
        (dump(*PAGES).replace(b"Maren", b"&maren;"), "undefined entity"),
        (dump(*PAGES).replace(b"Maren", b"\xff\xfe"), "not well-formed"),
        (dump(*PAGES, siteinfo=""), "no usable <base>"),
        (b"<mediawiki>" + b"<a>" * 100, "nests deeper"),
        (b"<mediawiki><page a='" + b"x" * 3_000_000, "a tag of more than a megabyte"),
        (b"7z\xbc\xaf\x27\x1c\0\0", "is a 7z archive"),
        (bz2.compress(dump(*PAGES))[:-40] + b"x" * 40, "cannot be read"),
    ],
    ids=["empty", "text", "html", "doctype", "entity", "bytes", "base", "deep", "tag", "7z", "bz2"],
)
def test_a_file_that_is_no_dump_is_one_clear_error(tmp_path, content, told) -> None:
    path = tmp_path / "dump"
    path.write_bytes(content)
    reader = WikiDump(path, 2**20)
    with pytest.raises(SourceError) as caught:
        assert not [reader.wiki.address for pages in reader.steps() if pages]
    assert told in caught.value.what
    assert "\n" not in f"{caught.value}"
    assert caught.value.remedy


def test_a_missing_dump_names_the_path_and_the_yaml(workplace) -> None:
    workplace.franchise("lamps", {"spider": "dump", "path": "no.xml", "licence": "CC0-1.0"})
    finished = workplace.crawl("dump", "lamps")
    assert finished.status == 1
    (error,) = finished.errors
    assert str(workplace.folder / "corpora" / "lamps" / "no.xml") in error
    assert "defs.yaml: source dump" in error
    assert "Traceback" not in finished.stderr


def test_pages_too_large_or_without_their_text_fail_alone(crawl_dump) -> None:
    huge = page("Huge", "x" * 20_000)
    stub = page("Stub").replace('bytes="0"', 'bytes="77"')
    finished = crawl_dump(
        dump(*(page(f"L{n}", "a") for n in range(30)), huge, stub), "-s", "DOWNLOAD_MAXSIZE=10000"
    )
    assert finished.status == 0
    assert len(finished.pages()) == 30
    assert f"{BASE}Huge: the page is larger than allowed" in finished.stderr
    assert f"{BASE}Stub: its text is not in the dump" in finished.stderr


def test_an_interrupt_is_heard_while_a_large_dump_is_read(workplace, tmp_path) -> None:
    path = tmp_path / "large.xml"
    some = "".join(page(f"Talk:{n}", "x" * 50_000, n, namespace=1) for n in range(1, 200))
    with path.open("wb") as file:
        whole = dump(page("Ferry", STORY), some)
        head, tail = whole.split(b"<page><title>Talk:1<", 1)
        file.write(head)
        for _ in range(100):  # a gigabyte
            file.write(b"<page><title>Talk:1<" + tail.removesuffix(b"</mediawiki>\n"))
    workplace.franchise("lamps", {"spider": "dump", "path": str(path), "licence": "CC0-1.0"})
    process = workplace.start("dump", "lamps")
    assert process.stderr is not None
    while "%, read" not in (line := process.stderr.readline()):
        assert line, "the crawl ended before it told how far it was"
    process.send_signal(signal.SIGINT)
    rest = process.communicate(timeout=20)[1]
    path.unlink()
    assert process.returncode == 1
    assert "interrupted after 1 new pages, which are kept" in rest
    assert len(list(workplace.store("lamps", "dump").current())) == 1


def test_the_survey_of_categories_holds_none_of_them_in_memory() -> None:
    """Each category lies in the next, and every tenth in the one that is named."""
    number = 10_000
    wiki = Wiki(base=f"{BASE}Hauptseite", namespaces={14: "Kategorie"})
    source = DumpSource(
        spider="dump", licence="CC0-1.0", path="x", categories=["Lamps"], depth=3, titles=["T"]
    )
    selection = Selection(source, wiki)
    tracemalloc.start()
    for n in range(number):
        parents = [f"Lamps of the river {n + 1}", *(["Lamps"] if n % 10 == 0 else [])]
        text = "".join(f"[[Kategorie:{parent}]]" for parent in parents)
        selection.survey(DumpPage(f"Kategorie:Lamps of the river {n}", 14, text=text))
        selection.survey(DumpPage(f"Alias {n}", redirect=f"Other {n}"))
    selection.settle()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**20
    below = [DumpPage(f"P{n}", text=f"[[Kategorie:Lamps of the river {n}]]") for n in range(20)]
    assert [page.title for page in below if selection.takes(page)] == [
        f"P{n}"
        for n in range(20)
        if n % 10 in (0, 9, 8)  # three levels: itself, and two to it
    ]
