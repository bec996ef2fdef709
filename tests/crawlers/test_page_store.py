"""The page store under kills, torn journals, re-crawls and a second writer."""

import errno
import io
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlers.outcome import CrawlOutcome
from crawlers.page import GONE, Page
from crawlers.store.journal import Journal, read_journal
from crawlers.store.page_store import PageStore, PageWriter, StoreBusyError, StoreError
from pipeline.schema import PAGES


def page(url: str, body: bytes = b"text", **facts) -> Page:
    required = {"licence": "CC0-1.0", "spider": "s", "franchise": "f", "source": "s"}
    return Page(**{"url": url, "body": body, "crawl_id": "c", **required, **facts})


def rows(store: PageStore) -> list[dict]:
    return [row for batch in store.current() for row in batch.to_pylist()]


def test_current_view_is_the_latest_of_each_url(tmp_path: Path) -> None:
    store = PageStore(tmp_path)
    writer = store.writer("one")
    for name in "abc":
        writer.append(page(name, b"first", revision="1"))
    writer.close()
    writer = store.writer("two")
    writer.append(page("b", b"second", revision="2", title="B"))
    writer.append(page("a", b"", status=GONE, title="A"))
    writer.close()
    assert [(row["url"], row["body"]) for row in rows(store)] == [("c", b"first"), ("b", b"second")]
    assert {url: known.revision for url, known in store.known().items()} == {"c": "1", "b": "2"}
    assert store.count() == 2
    assert [row["title"] for row in rows(store)] == [None, "B"]
    assert all(batch.schema.equals(PAGES) for batch in store.current())
    writer = store.writer("three")
    writer.append(page("a", b"back"))
    writer.close()
    assert store.count() == 3


def test_data_version_follows_the_content_alone(tmp_path: Path) -> None:
    def version(name: str, pages: list[Page]) -> str:
        store = PageStore(tmp_path / name)
        writer = store.writer("c")
        for one in pages:
            writer.append(one)
        writer.close()
        return store.data_version()

    base = version("base", [page("a"), page("b")])
    assert version("order", [page("b"), page("a")]) == base
    assert version("again", [page("a"), page("a", etag="x", crawl_id="d"), page("b")]) == base
    assert version("body", [page("a", b"other"), page("b")]) != base
    assert version("licence", [page("a", licence="MIT"), page("b")]) != base
    assert version("source", [page("a", source="t"), page("b")]) != base
    assert version("gone", [page("a"), page("b"), page("b", b"", status=GONE)]) != base


def test_parts_are_sealed_while_going(tmp_path: Path) -> None:
    store = PageStore(tmp_path)
    writer = PageWriter(store, "c", seal_pages=10, seal_bytes=100_000)
    for number in range(25):
        writer.append(page(str(number)))
    assert len(store.parts()) == 2
    writer.append(page("large", b"x" * 100_000))
    assert len(store.parts()) == 3
    writer.close()
    assert len(store.parts()) == 3
    assert store.count() == 26


def test_a_second_crawl_is_refused(tmp_path: Path) -> None:
    writer = PageStore(tmp_path).writer("one")
    with pytest.raises(StoreBusyError, match="another crawl is writing"):
        PageStore(tmp_path).writer("two")
    writer.close()
    PageStore(tmp_path).writer("two").close()


_KILLED = """
import sys
from pathlib import Path
from crawlers.page import Page
from crawlers.store.page_store import PageStore, PageWriter
writer = PageWriter(PageStore(Path(sys.argv[1])), "killed", seal_pages=7)
for number in range(1_000_000):
    writer.append(Page(url=str(number), body=str(number).encode() * 500, licence="CC0-1.0",
                       spider="s", franchise="f", source="s", crawl_id="c"))
    print(number, flush=True)
"""


def test_kill_loses_no_received_page_and_doubles_none(tmp_path: Path) -> None:
    store = PageStore(tmp_path)
    for delay in (0.0, 0.013, 0.041, 0.087):
        process = subprocess.Popen(
            [sys.executable, "-c", _KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        written = [line for line in process.communicate()[0].split("\n")[:-1] if line]
        store.writer("next").close()  # recovers; the system has released the lock
        last = int(written[-1]) if written else 0
        got = [int(row["url"]) for row in rows(store)]
        assert sorted(got) == list(range(max(got) + 1))
        assert max(got) >= last
        assert not list((tmp_path / "journal").iterdir())
        total = sum(len(pa.parquet.read_table(part, columns=["url"])) for part in store.parts())
        assert total == len(got)
        for name in ("parts", "manifest.json"):
            target = tmp_path / name
            shutil.rmtree(target) if target.is_dir() else target.unlink()


@settings(max_examples=60, deadline=None)
@given(cut=st.floats(0, 1), flip=st.one_of(st.none(), st.floats(0, 0.999)))
def test_a_torn_journal_gives_its_good_batches(tmp_path_factory, cut, flip) -> None:
    path = tmp_path_factory.mktemp("torn") / "000001-c.arrows"
    journal = Journal(path, PAGES)
    ends = []
    for number in range(5):
        journal.append(page(str(number), b"%d" % number * 300).batch())
        ends.append(path.stat().st_size)
    content = bytearray(path.read_bytes())
    keep = int(len(content) * cut)
    damaged = keep
    if flip is not None and keep:
        damaged = int(keep * flip)
        content[damaged] ^= 0xFF
    path.write_bytes(content[:keep])
    try:
        read = [batch["body"][0].as_py() for batch in read_journal(path, PAGES)]
    except ValueError:
        assert damaged < len(PAGES.serialize())  # the schema itself, at the head, is another
        return
    whole = sum(end <= damaged for end in ends)
    assert len(read) >= whole
    assert read == [b"%d" % number * 300 for number in range(len(read))]
    if damaged == keep:  # cut, and nothing else
        assert len(read) == whole


def test_a_journal_that_cannot_be_read_is_kept(tmp_path: Path, monkeypatch) -> None:
    class BadDisk(io.BytesIO):
        def read(self, *_: int) -> bytes:
            raise OSError(errno.EIO, "Input/output error")

    journal = Journal(tmp_path / "journal.arrows", PAGES)
    journal.append(page("a").batch())
    journal.close()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", lambda *_: BadDisk())
        with pytest.raises(OSError, match="Input/output error"):
            list(read_journal(journal.path, PAGES))
    assert len(list(read_journal(journal.path, PAGES))) == 1


def test_a_journal_of_another_schema_is_kept(tmp_path: Path) -> None:
    store = PageStore(tmp_path)
    store.writer("one").close()
    left = tmp_path / "journal" / "000001-old.arrows"
    other = pa.schema([("url", pa.string())])
    with pa.ipc.new_stream(left, other) as stream:
        stream.write_batch(pa.record_batch([["a"]], schema=other))
    with pytest.raises(ValueError, match="another schema; open the store with the version"):
        store.writer("two")
    assert left.exists()


#: As PAGES was before it had the column.
OLDER = PAGES.remove(PAGES.get_field_index("signals"))


def as_older(one: Page) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([one.batch()[n] for n in OLDER.names], schema=OLDER)


def test_pages_from_before_there_were_signals_read_as_ever(tmp_path: Path) -> None:
    store = PageStore(tmp_path)
    (tmp_path / "parts").mkdir()
    part = tmp_path / "parts" / "000001-old.parquet"
    pa.parquet.write_table(pa.Table.from_batches([as_older(page("a"))]), part)
    (tmp_path / "manifest.json").write_text('{"version": 1, "parts": [{"name": "000001-old"}]}')
    (tmp_path / "journal").mkdir()
    left = tmp_path / "journal" / "000002-killed.arrows"
    with pa.ipc.new_stream(left, OLDER) as stream:
        stream.write_batch(as_older(page("b", title="B")))
    writer = store.writer("today")
    assert [(row["url"], row["title"], row["signals"]) for row in rows(store)] == [
        ("a", None, None),
        ("b", "B", None),
    ]
    assert all(batch.schema.equals(PAGES) for batch in store.current())
    # The version that the code of before gave to these rows, so that nothing is built anew.
    version = store.data_version()
    assert version == "6679f39beb65104f9e84067a507b91673a45ab5f7aa2c011b5489f36ce3735fc"
    writer.append(page("c", signals="noai"))
    writer.append(page("b", title="B", signals="noai"))
    writer.close()
    assert [row["signals"] for row in rows(store)] == [None, "noai", "noai"]
    assert store.data_version() != version


@pytest.mark.parametrize("step", ["part", "manifest"])
def test_a_crash_while_sealing_stores_nothing_twice(tmp_path: Path, step: str) -> None:
    store = PageStore(tmp_path / "store")
    writer = store.writer("c")
    writer.append(page("a"))
    saved = tmp_path / "journal"
    shutil.copytree(store.root / "journal", saved)
    writer.close()
    # As if killed after the part was written, or after the manifest named it.
    if step == "part":
        (store.root / "manifest.json").unlink()
    shutil.copytree(saved, store.root / "journal", dirs_exist_ok=True)
    store.writer("next").close()
    assert [row["url"] for row in rows(store)] == ["a"]
    assert len(store.parts()) == 1
    assert len(list((store.root / "parts").iterdir())) == 1


def test_without_its_manifest_a_store_keeps_its_parts(tmp_path: Path) -> None:
    store = PageStore(tmp_path)
    writer = store.writer("one")
    writer.append(page("a"))
    writer.close()
    manifest = (tmp_path / "manifest.json").rename(tmp_path / "elsewhere")
    left = Journal(tmp_path / "journal" / "000002-two.arrows", PAGES)
    left.append(page("b").batch())
    left.close()
    with pytest.raises(ValueError, match=r"restore manifest\.json, or move these parts away"):
        store.writer("two")
    assert not (tmp_path / "manifest.json").exists()
    manifest.rename(tmp_path / "manifest.json")
    store.writer("two").close()
    assert [row["url"] for row in rows(store)] == ["a", "b"]


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:200])


@pytest.mark.parametrize(
    ("file", "harm", "said"),
    [
        ("manifest.json", lambda path: path.write_text("[]"), "is damaged"),
        ("manifest.json", lambda path: path.write_text('{"parts": [{"na'), "is damaged"),
        ("manifest.json", lambda path: path.write_text('{"parts": [{"name": "../x"}]}'), "none"),
        ("parts/000001-one.parquet", _cut, "is damaged"),
        ("parts/000001-one.parquet", Path.unlink, "is missing"),
    ],
)
def test_a_damaged_store_is_one_line_with_the_file_and_the_remedy(
    tmp_path: Path, file: str, harm, said: str
) -> None:
    store = PageStore(tmp_path)
    writer = store.writer("one")
    writer.append(page("a"))
    writer.close()
    harm(tmp_path / file)
    for reading in (store.known, store.count, store.data_version, lambda: rows(store)):
        with pytest.raises(StoreError, match=rf"{file}.*{said}.*; restore it") as error:
            reading()
        assert "\n" not in str(error.value)


def test_outcome_survives_the_way_through_json(tmp_path: Path) -> None:
    outcome = CrawlOutcome("c", "wikipedia", "films", "2026-01-01T00:00:00+00:00", listed=3)
    outcome.fail("http://a", "is not there", "look", fatal="defs.yaml: source x")
    outcome.save(tmp_path)
    assert CrawlOutcome.load(tmp_path) == outcome
    assert outcome.errors == ["defs.yaml: source x: is not there (http://a); look"]


def test_import_is_light() -> None:
    loaded = "'torch' in sys.modules, 'scrapy' in sys.modules"
    probe = f"import sys, crawlers.store.page_store; print({loaded})"
    shown = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True
    ).stdout
    assert shown.split() == ["False", "False"]


def test_an_outcome_counts_all_failures_and_keeps_the_first(tmp_path: Path) -> None:
    outcome = CrawlOutcome("c", "wikipedia", "films", "2026-01-01T00:00:00+00:00", listed=3)
    for n in range(2_000):
        outcome.fail(f"http://a/{n}", "is not there", "look")
    assert (outcome.failed, len(outcome.failures)) == (2_000, 1_000)
    assert outcome.failures[0]["url"] == "http://a/0"
