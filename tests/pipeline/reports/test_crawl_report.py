"""The page of a crawl says what the record says, the broken promise as plainly as the kept one."""

import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from lxml import html

from pipeline.reports.crawl import CrawlFigures, write_crawl_report
from pipeline.reports.crawl.plots import gap_edges
from pipeline.schema import REQUESTS

START = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
WIKI = "https://wiki.example"

Row = dict[str, Any]


def policy(**changes: Any) -> dict[str, Any]:
    return {
        "host": "wiki.example",
        "interface": "articles as HTML",
        "rule": "robots.txt, with its Crawl-delay",
        "rule_url": f"{WIKI}/robots.txt",
        "licence": "CC-BY-NC-SA-2.5",
        "non_commercial": True,
        "attribution": "the contributors",
        "checked": "autumn 2026",
        "delay": 5.0,
        "concurrency": 1,
        "requests_per_minute": 12,
        **changes,
    }


def crawl(**changes: Any) -> dict[str, Any]:
    return {
        "crawl_id": "20261121T030000Z-abc123",
        "spider": "mediawiki",
        "franchise": "heroes",
        "started_at": "2026-11-21T03:00:00+00:00",
        "finished_at": "2026-11-21T03:10:00+00:00",
        "finish_reason": "finished",
        "complete": True,
        "listed": 20,
        "fetched": 18,
        "unchanged": 2,
        "moved": 0,
        "stale": 0,
        "gone": 1,
        "signals": {},
        "robots": {WIKI: "200, Crawl-delay 5; Content-Signal: ai-train=no"},
        "policies": {WIKI: policy()},
        "failures": [],
        "errors": [],
        **changes,
    }


def requests(gaps: list[float | None], **changes: Any) -> list[Row]:
    """Sent requests so far apart, the first for robots.txt, each answered in 0.2 s."""
    rows: list[Row] = []
    at = 0.0
    for number, gap in enumerate([None, *gaps]):
        at += gap or 0.0
        rows.append(
            {
                "time": START + timedelta(seconds=at),
                "crawl_id": "20261121T030000Z-abc123",
                "franchise": "heroes",
                "spider": "mediawiki",
                "host": WIKI,
                "url": f"{WIKI}/wiki/Page_{number}" if number else f"{WIKI}/robots.txt",
                "kind": "page" if number else "robots",
                "sent": True,
                "rule": "robots.txt allows it",
                "attempt": 1,
                "wait": gap or 0.0,
                "gap": gap,
                "status": 200,
                "bytes": 1000,
                "seconds": 0.2,
                "asked": None,
                "done": None,
                **changes,
            }
        )
    return rows


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., tuple[CrawlFigures, Any]]:
    """Write a record of these rows and its page; the figures, and the page parsed."""

    def write(rows: list[Row], **changes: Any) -> Any:
        record, target = tmp_path / "record.parquet", tmp_path / "pages" / "crawl.html"
        pq.write_table(pa.Table.from_pylist(rows, schema=REQUESTS), record, row_group_size=7)
        made = write_crawl_report(record, crawl(**changes), target)
        return made, html.fromstring(target.read_text("utf-8"))

    return write


def verdicts(made: CrawlFigures) -> list[str]:
    return [line.removeprefix(f"{WIKI}: ") for line in made.figures["verdicts"]]


def test_a_polite_crawl_is_said_to_be_one(write):
    made, page = write(requests([5.02] + [5.1] * 19))
    assert made.figures["kept"]
    assert verdicts(made) == [
        "robots.txt was read before anything else",
        "shortest gap 5.02 s, asked: 5 s: kept",
        "busiest minute 12 of 12 allowed: kept",
        "at most 1 request at a time, asked: 1: kept",
    ]
    assert made.figures["busiest_minute"] == 12
    assert made.figures["shortest_gap"] == pytest.approx(5.02)
    assert "kept, in 21 requests" in page.find_class("verdict")[0].text_content()
    assert not page.find_class("broken")
    assert len(page.xpath("//svg")) == 4  # pace and gaps, for a wide screen and a phone
    assert "12 allowed" in page.text_content()
    assert "requests in 60 s" in page.text_content()
    assert "5 s asked" in page.text_content()


def test_a_site_that_asks_for_nothing_has_no_line_to_cross(write):
    made, page = write(
        requests([0.3] * 5), policies={WIKI: policy(delay=0, requests_per_minute=100_000)}
    )
    assert made.figures["kept"]
    assert "dashed line" not in page.xpath("//section[@id='pace']")[0].text_content()
    assert "shortest gap 0.30 s; no delay asked" in verdicts(made)


def test_a_gap_that_was_too_short_is_said_plainly(write):
    made, page = write(requests([5.1] * 3 + [1.2] + [5.1] * 3))
    assert not made.figures["kept"]
    assert made.figures["broken"] == [
        f"{WIKI}: shortest gap 1.20 s, asked: 5 s: NOT kept (1 time)",
    ]
    assert "NOT kept" in page.find_class("verdict")[0].text_content()
    assert "shortest gap 1.20 s" in page.find_class("broken")[0].text_content()


def test_a_minute_that_was_too_full_is_said_wherever_it_begins(write):
    # 13 within 59.4 s, across the turn of the minute; never more than 12 in a minute by the clock.
    rows = requests([25.0] + [4.95] * 12 + [60.0])
    made, _ = write(rows, policies={WIKI: policy(delay=1.0)})
    assert made.figures["broken"] == [f"{WIKI}: busiest minute 13 of 12 allowed: NOT kept"]


def test_two_at_a_time_are_seen(write):
    rows = requests([5.1] * 4)
    rows[2]["seconds"] = 6.0
    made, _ = write(rows)
    assert made.figures["broken"] == [f"{WIKI}: at most 2 requests at a time, asked: 1: NOT kept"]


def test_a_page_before_robots_txt_and_one_although_it_could_not_be_had_are_seen(write):
    rows = requests([5.1, 5.1])
    rows[0]["kind"] = "page"
    assert verdicts(write(rows)[0])[0] == "robots.txt was NOT read before anything else"
    rows = requests([5.1, 5.1])
    rows[0]["status"] = 503
    made, _ = write(rows)
    assert "robots.txt could not be had, and 2 requests were sent: NOT kept" in verdicts(made)


def rested(*answers: tuple[int, float | None, float]) -> list[Row]:
    """(status, asked, waited from the answer on), with a page after each."""
    rows = requests([gap for _, _, waited in answers for gap in (5.1, waited + 0.2)] + [5.1])
    for number, (status, asked, _) in enumerate(answers):
        rows[2 * number + 1] |= {"status": status, "asked": asked, "done": "asked again later"}
    return rows


def test_each_kind_of_rest_is_judged_by_what_was_asked(write):
    made, page = write(
        rested((429, 30.0, 30.1), (429, 30.0, 31.0), (503, None, 10.0), (200, 7.0, 7.0))
    )
    assert made.figures["kept"]
    assert verdicts(made)[-3:] == [
        "1 × maxlag: waited 7 s as asked",
        "2 × 429: waited 30 s as asked",
        "1 × 503: no time asked, waited 10 s or more",
    ]
    figures = made.figures
    assert (figures["answers_429"], figures["answers_503"], figures["maxlag"]) == (2, 1, 1)
    rows = page.xpath("//section[@id='rests']//tbody/tr")
    assert [cell.text_content() for cell in rows[0]][:4] == ["03:00:05", "429", "30 s", "30.10 s"]


def test_a_rest_cut_short_is_said_plainly(write):
    made, page = write(rested((429, 30.0, 30.1), (429, 30.0, 10.0)))
    (broken,) = made.figures["broken"]
    assert broken == f"{WIKI}: 2 × 429: waited 10 s where 30 s were asked: NOT kept (1 time)"
    first = page.xpath("//section[@id='rests']//tbody/tr")[0].text_content()
    assert "NOT kept" in first  # the broken one stands first


def test_a_host_left_alone_for_the_rest_of_the_crawl_was_left_alone(write):
    rows = requests([5.1, 5.1])
    rows[-1] |= {"status": 429, "asked": 86_400.0, "done": "left alone for this crawl"}
    made, _ = write(rows)
    assert made.figures["kept"]
    assert "1 × 429: nothing was sent after it" in verdicts(made)


def test_what_a_set_clock_does_to_the_times_is_not_taken_for_haste(write):
    rows = requests([5.1] * 8)
    for row in rows[4:]:
        row["time"] -= timedelta(seconds=9)
    made, _ = write(rows)
    assert made.figures["kept"]


def test_refusals_are_counted_by_reason_with_an_example(write):
    closed = requests([0.0] * 30, sent=False, rule="robots.txt closes it", status=None, gap=None)
    made, page = write(requests([5.1] * 3) + closed)
    assert made.figures["refused"] == 31
    assert made.figures["sent"] == 4
    text = page.xpath("//section[@id='robots']")[0].text_content()
    assert "robots.txt closes it" in text
    assert "Content-Signal: ai-train=no" in text
    assert "31" in text


def test_signals_and_pages_are_counted(write):
    _, page = write(requests([5.1]), signals={"noai": 7, "tdm-reservation=1": 1})
    text = page.xpath("//section[@id='pages']")[0].text_content()
    assert "7 pages" in text
    assert "1 page" in text
    assert "18" in text


def test_a_site_that_never_answered_is_not_said_to_have_been_treated_well(write):
    silent = requests([1.3, 2.1, 4.0], kind="robots", status=None, seconds=None, bytes=None)
    made, page = write(silent, policies={WIKI: policy(delay=0, requests_per_minute=100_000)})
    assert made.figures["kept"]
    assert made.figures["verdict"] == (
        "No robots.txt could be had of 1 host, so nothing else was asked for."
    )
    assert verdicts(made) == [
        "robots.txt could not be had, so nothing more was asked for",
        "shortest gap 1.30 s; no delay asked",
        "busiest minute 4; no limit (this machine)",
        "at most 1 request at a time, asked: 1: kept",
    ]
    assert made.figures["shortest_gap"] == pytest.approx(1.3)  # as the crawl's own line has it
    assert "100,000" not in page.text_content()
    assert page.text_content().count("no limit (this machine)") == 3


def test_tries_for_robots_txt_are_not_measured_by_what_it_said_then(write):
    rows = requests([2.0, 5.1, 5.1])
    rows[0] |= {"status": 503}
    rows[1] |= {"kind": "robots"}
    made, _ = write(rows)
    assert "shortest gap 5.10 s, asked: 5 s: kept" in verdicts(made)
    rows[3] |= {"kind": "robots", "gap": 2.0}  # read anew, and known by now
    assert not write(rows)[0].figures["kept"]


def test_a_challenge_stands_among_the_promises(write):
    rows = requests([5.1] * 4)
    rows[2] |= {"status": 403, "done": "a challenge page: the host is left alone"}
    broken = "1 × challenge page, a no to robots: 2 requests sent after it: NOT kept"
    assert verdicts(write(rows)[0])[-1] == broken
    made, page = write(rows[:3])
    assert made.figures["kept"]
    assert "nothing was sent after it" in page.find_class("kept")[-1].text_content()


def test_of_a_crawl_that_was_killed_only_the_record_speaks(write):
    made, page = write(requests([1.2] * 4), policies={}, robots={}, finished_at=None,
                       finish_reason=None, started_at="", complete=False, fetched=3)  # fmt: skip
    assert verdicts(made) == [
        "robots.txt was read before anything else",
        "shortest gap 1.20 s, busiest minute 5; the limits in force are not on record",
    ]
    text = page.text_content()
    assert "on record from 2026-11-21 03:00:00 to 2026-11-21 03:00:04 UTC" in text
    assert "did not end in order" in text
    assert "Everything" not in text
    assert not page.xpath("//dt[. = 'listed']")
    assert "says anything about use" not in text


def test_no_bar_of_the_gaps_stands_on_both_sides_of_the_delay():
    for far, asked in ((2.5, 1.0), (7.3, 0.5), (300.0, 0.05), (0.01, 0.0), (1.0, 0.4)):
        edges = gap_edges(far, asked)
        assert asked in edges
        assert (edges[0], edges[-1], len(edges)) == (0.0, far, 41)
        assert (np.diff(edges) > 0).all()


def test_hosts_are_judged_each_by_its_own_policy(write):
    other = "https://other.example"
    policies = {WIKI: policy(), other: policy(delay=1.0, requests_per_minute=60)}
    rows = requests([5.1] * 5) + requests([1.1] * 20, host=other)
    made, page = write(sorted(rows, key=lambda row: row["time"]), policies=policies)
    assert made.figures["kept"]
    assert f"{other}: shortest gap 1.10 s, asked: 1 s: kept" in made.figures["verdicts"]
    assert len(page.find_class("verdicts")) == 2


def test_a_host_without_a_policy_is_not_said_to_be_well_treated(write):
    made, _ = write(requests([0.1] * 3), policies={})
    assert not made.figures["kept"]
    assert verdicts(made)[1] == "no policy is on record, so its pace is NOT proven"


def test_a_crawl_that_sent_nothing_has_a_page(write):
    made, page = write([], policies={}, robots={}, complete=False,
                       finish_reason="no_contact", errors=["no contact; set one"])  # fmt: skip
    assert made.pace_png is None
    assert "Nothing was asked" in page.find_class("verdict")[0].text_content()
    assert "no contact; set one" in page.text_content()


def test_what_the_web_says_stays_text_and_short(write):
    evil = '"><script>alert(1)</script><img src=x onerror=y>\u202e' + "x" * 5000
    rows = requests([5.1] * 3, rule=evil, done=evil)
    rows[-1] |= {"url": f"{WIKI}/{evil}", "status": 429, "asked": 1.0}
    refused = requests([], sent=False, rule=evil, url=evil, host=evil)
    failures = [{"url": evil, "what": evil, "remedy": evil}] * 500
    _, page = write(
        rows + refused,
        signals={evil: 3},
        robots={WIKI: evil},
        policies={WIKI: policy(rule=evil, rule_url="javascript:alert(1)", interface=evil)},
        failures=failures,
        errors=[evil] * 100,
        finish_reason=evil,
    )
    assert not page.xpath("//script | //img | //*[@onerror]")
    assert not page.xpath("//a[contains(@href, 'javascript')]")
    text = page.text_content()
    assert "\u202e" not in text
    assert "x" * 1000 not in text
    assert len(text) < 120_000
    assert "460 more failures" in text


def test_a_record_of_another_kind_is_named(write, tmp_path):
    pq.write_table(pa.table({"time": [1]}), tmp_path / "odd.parquet")
    with pytest.raises(ValueError, match=r"odd\.parquet lacks crawl_id"):
        write_crawl_report(tmp_path / "odd.parquet", crawl(), tmp_path / "page.html")
    with pytest.raises(FileNotFoundError, match=r"none\.parquet is missing"):
        write_crawl_report(tmp_path / "none.parquet", crawl(), tmp_path / "page.html")


def test_half_a_million_requests_take_little_memory(tmp_path):
    count, chunk = 500_000, 50_000
    record = tmp_path / "record.parquet"
    with pq.ParquetWriter(record, REQUESTS) as writer:
        for start in range(0, count, chunk):
            row = requests([])[0] | {"gap": 5.1, "kind": "page" if start else "robots"}
            table = pa.Table.from_pylist([row] * chunk, schema=REQUESTS)
            number = pa.array(range(start, start + chunk))
            times = pa.array([int(START.timestamp() * 1000)] * chunk)
            times = pc.add(times, pc.multiply(number, 5100)).cast(REQUESTS.field("time").type)
            urls = pc.binary_join_element_wise(f"{WIKI}/" + "x" * 80, number.cast("string"), "_")
            table = table.set_column(0, REQUESTS.field("time"), times)
            writer.write_table(table.set_column(5, REQUESTS.field("url"), urls))
    before = pa.total_allocated_bytes()
    tracemalloc.start()
    made = write_crawl_report(record, crawl(), tmp_path / "page.html")
    python = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert made.figures["sent"] == count
    assert python < 100 * 2**20  # NumPy's arrays included
    assert pa.total_allocated_bytes() - before < 2**20  # nothing is kept
    assert (tmp_path / "page.html").stat().st_size < 400_000
