"""A source on disk goes the way of a live one: bounded memory, progress, interrupts, tombstones."""

import json
import re
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.crawl_workplace import Workplace


@pytest.fixture
def table(workplace: Workplace) -> Callable[..., Path]:
    """Writes a table of stories, and the franchise that has it as its source."""

    def write(rows: range, length: int = 200, **more: object) -> Path:
        path = workplace.folder / "stories.jsonl"
        with path.open("w") as file:
            for row in rows:
                text = f"The keeper of lamp {row} went out. " * (length // 30)
                file.write(json.dumps({"title": f"Story {row}", "text": text}) + "\n")
        source = {"spider": "files", "path": str(path), "licence": "CC0-1.0",
                  "columns": {"title": "title", "text": "text"}, **more}  # fmt: skip
        workplace.franchise("lamps", source)
        return path

    return write


def test_pages_do_not_pile_up_in_memory(workplace: Workplace, table) -> None:
    table(range(100))
    few = workplace.crawl("files", "lamps")
    table(range(100, 4_100), length=20_000)  # 80 MB, gone and new at once
    many = workplace.crawl("files", "lamps", "-s", "MAX_GONE=1")
    assert (many.outcome.fetched, many.outcome.gone) == (4_000, 100)
    assert many.peak - few.peak < 40 * 2**20
    again = workplace.crawl("files", "lamps")
    assert (again.outcome.fetched, again.outcome.unchanged) == (0, 4_000)
    assert again.peak - few.peak < 20 * 2**20


def test_an_interrupted_source_goes_on_where_it_was(workplace: Workplace, table) -> None:
    table(range(3_000))
    with workplace.start("files", "lamps") as process:
        assert process.stderr is not None
        for line in process.stderr:
            if re.match(r"files: [1-9][\d,]* of [\d,]+ pages", line):
                break
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
    assert process.returncode == 1
    store = workplace.store("lamps", "files")
    kept = store.count()
    assert 0 < kept < 3_000
    assert f"interrupted after {kept} new pages, which are kept; run the same command" in said
    rest = workplace.crawl("files", "lamps")
    assert rest.status == 0, rest.stderr
    assert (rest.outcome.unchanged, rest.outcome.fetched) == (kept, 3_000 - kept)
    urls = Counter(url for part in store.parts() for url in pq.read_table(part)["url"].to_pylist())
    assert len(urls) == urls.total() == 3_000


def test_a_limit_keeps_the_rest_and_what_left_the_file_is_gone(workplace: Workplace, table) -> None:
    table(range(30))
    assert workplace.crawl("files", "lamps").outcome.fetched == 30
    table(range(20), limit=10)
    limited = workplace.crawl("files", "lamps")
    assert (limited.outcome.listed, limited.outcome.unchanged, limited.outcome.gone) == (10, 10, 0)
    table(range(20))
    all_of_it = workplace.crawl("files", "lamps")
    assert (all_of_it.outcome.unchanged, all_of_it.outcome.gone) == (20, 10)
    assert all_of_it.store.count() == 20


def test_what_a_killed_crawl_left_of_its_feed_goes(workplace: Workplace, table) -> None:
    table(range(2_000))
    with workplace.start("files", "lamps", "-O", "pages.parquet") as process:
        assert process.stderr is not None
        process.stderr.readline()  # the first line of progress
        process.kill()
    (left,) = workplace.folder.glob(".pages.parquet.*")
    assert left.name.endswith(f".{process.pid}")
    workplace.crawl("files", "lamps", "-O", "pages.parquet")
    assert [path.name for path in workplace.folder.glob("*pages.parquet*")] == ["pages.parquet"]
