"""What a takedown takes for one page, and what it leaves although it shares an address with it."""

import fcntl
import json
import os
from pathlib import Path
from threading import Event, Thread

import pyarrow.parquet as pq
import pytest

from crawlers.page import GONE, Page
from crawlers.store.page_store import PageStore, pages_root
from crawlers.takedowns import PageName, Takedown, TakenDown, records
from dagster_project import takedown
from dagster_project.takedown import Plan, plan, show, take_down
from dagster_project.takedown.find import NotFoundError
from dagster_project.takedown.rebuild import Rebuilt, clean_up
from dagster_project.takedown.touched import as_json, removal_of
from pipeline.artifact import Artifact, materialize
from tests.corpus_documents import document, write_documents

WIKI = "https://w.example/wiki/"
STEERS = "\x1b]0;owned\x07\x9b2J\u202e"


@pytest.fixture
def data(project, load, monkeypatch) -> Path:
    """Of a project that has made nothing of its pages."""
    project.write_keepers("http://127.0.0.1:9", episodes=2)
    load(project)
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    return project.data


def _store(data: Path, *pages: dict, franchise: str = "f") -> PageStore:
    store = PageStore(pages_root(data, franchise, "s"))
    writer = store.writer("c")
    for columns in pages:
        given = {"body": b"<p>A tale.</p>"} | columns
        if given.get("status") == GONE:
            given["body"] = b""
        writer.append(
            Page(**given, licence="CC0-1.0", spider="s", franchise=franchise, source="x",
                 crawl_id="c")
        )  # fmt: skip
    writer.close()
    return store


def _wiki(title: str, page_id: str | None, **more) -> dict:
    return {"url": WIKI + title, "title": title, "page_id": page_id, **more}


def _keys(found: Plan) -> set[tuple[str, str | None]]:
    return {(page.url.rpartition("/")[2], page.page_id) for page in found.pages}


def _moved(data: Path) -> PageStore:
    """Page 1 was at Old and is at New; then Old became another page, number 2."""
    return _store(
        data,
        _wiki("Old", "1"),
        _wiki("New", "1"),
        _wiki("Old", "1", status=GONE, final_url=f"{WIKI}New"),
        _wiki("Old", "2", body=b"<p>Old may be many things.</p>"),
    )


def test_a_moved_page_goes_under_its_names_and_whoever_has_its_old_address_stays(data) -> None:
    store = _moved(data)
    found = plan(data, f"{WIKI}New", None)
    assert _keys(found) == {("Old", "1"), ("New", "1")}
    assert {(page.url, page.page_id) for page in found.others} == {(f"{WIKI}Old", "2")}
    assert (found.touched.stores["f/s"]["rows"], found.removal.prefixes) == (2, ("f/x/1#",))
    assert found.removal.has("f/x/1#Plot", f"{WIKI}Old")
    assert found.removal.has("g/y/1#Plot", f"{WIKI}Old#Plot")
    assert not found.removal.has("f/x/2#Plot", f"{WIKI}Old#Plot")
    assert "shared an address" in show.told_before(found)

    record, _ = take_down(data, found, "asked for", "tester", print)
    assert record.state == "done"
    (left,) = [row for batch in store.current() for row in batch.to_pylist()]
    assert (left["page_id"], b"many things" in left["body"]) == ("2", True)
    gate = TakenDown(data)
    assert gate.has(f"{WIKI}Old", title="Old", page_id="1")
    assert not gate.has(f"{WIKI}Old", title="Old", page_id="2")
    assert gate.has(f"{WIKI}Old")  # of which nothing is known but the address
    assert not removal_of(record.pages).has("f/x/2#", f"{WIKI}Old")
    assert plan(data, f"{WIKI}New", None).is_done()


def test_at_an_address_the_page_is_meant_that_stands_there_now(data) -> None:
    _moved(data)
    found = plan(data, f"{WIKI}Old", None)
    assert _keys(found) == {("Old", "2")}
    assert {page.page_id for page in found.others} == {"1"}
    assert _keys(plan(data, "Old", None)) == {("Old", "2")}


def test_a_page_that_was_replaced_and_went_nowhere_goes_too(data) -> None:
    _store(data, _wiki("Old", "1"), _wiki("Old", "1", status=GONE), _wiki("Old", "2"))
    assert _keys(plan(data, f"{WIKI}Old", None)) == {("Old", "1"), ("Old", "2")}


def test_without_a_number_an_address_says_which_page_it_is(data) -> None:
    _store(data, _wiki("Old", None), {"url": "https://x.example/a", "final_url": f"{WIKI}Old"})
    _store(data, _wiki("Old", "7"), franchise="g")
    found = plan(data, f"{WIKI}Old", None)
    assert _keys(found) == {("Old", None), ("Old", "7"), ("a", None)}


def test_pages_that_arrived_at_one_address_are_not_one(data) -> None:
    login = "https://x.example/login"
    store = _store(
        data,
        *({"url": f"https://x.example/{name}", "final_url": login} for name in "ab"),
        {"url": "https://x.example/c", "final_url": "https://x.example/d"},
        {"url": "https://x.example/d", "final_url": "https://x.example/d"},
    )
    found = plan(data, "https://x.example/a", None)
    assert _keys(found) == {("a", None)}
    assert [page.url for page in found.others] == ["https://x.example/b"]
    assert _keys(plan(data, "https://x.example/d", None)) == {("c", None), ("d", None)}
    with pytest.raises(NotFoundError, match="2 pages arrived at"):
        plan(data, login, None)

    assert take_down(data, found, "asked for", "tester", print)[0].state == "done"
    left = [row["url"][-1] for batch in store.current() for row in batch.to_pylist()]
    assert left == ["b", "c", "d"]
    assert not TakenDown(data).has("https://x.example/b", login)


def test_what_comes_between_the_look_and_the_record_goes_too(data) -> None:
    page = {"url": "https://x.example/a", "body": b"<p>secret</p>"}
    _store(data, page)
    found = plan(data, page["url"], None)
    other = _store(data, page, franchise="g")  # a crawl, while the person is asked
    record, _ = take_down(data, found, "asked for", "tester", print)
    assert (record.state, set(record.touched["stores"])) == ("done", {"f/s", "g/s"})
    assert {page.franchise for page in record.pages} == {"f", "g"}
    assert list(other.current()) == []
    assert not plan(data, page["url"], None).touched.anything()


def test_where_a_crawl_has_it_still_the_takedown_goes_on_later(data) -> None:
    page = {"url": "https://x.example/a"}
    _store(data, page)
    found = plan(data, page["url"], None)
    crawl = _store(data, page, franchise="g").writer("crawl")
    record, _ = take_down(data, found, "asked for", "tester", print)
    assert record.state == "begun"
    assert "NOT yet" in show.told_done(record, Rebuilt((), {}))
    crawl.close()
    again = plan(data, page["url"], None)
    ended, _ = take_down(data, again, "asked for", "tester", print)
    assert (ended.takedown_id, ended.state) == (record.takedown_id, "done")
    assert [one.state for one in records(data)] == ["done"]


def test_a_text_that_comes_back_each_time_is_not_called_done(data, monkeypatch) -> None:
    page = {"url": "https://x.example/a"}
    _store(data, page)
    rebuild = takedown.rebuild

    def and_a_crawl(*arguments):
        _store(data, page, franchise="g")
        return rebuild(*arguments)

    monkeypatch.setattr(takedown, "rebuild", and_a_crawl)
    found = plan(data, page["url"], None)
    record, _ = take_down(data, found, "asked for", "tester", print)
    assert record.state == "begun"


def test_a_first_build_that_had_read_it_already_is_waited_for_and_undone(data) -> None:
    url = "https://x.example/a"
    _store(data, {"url": url})
    found = plan(data, url, None)
    began, waited_for = Event(), Event()

    def extract(folder: Path) -> dict[str, object]:
        began.set()
        assert waited_for.wait(60)
        write_documents(folder, "f", [document(0, url=url), document(1)])
        (folder / "f" / "documents.parquet").rename(folder / "documents.parquet")
        totals = {"documents": 2, "dropped": 0, "characters": 999, "words": 99}
        return {**totals, "dropped_by_reason": {}}

    def say(text: str) -> None:
        if text.startswith("waits for the build"):
            waited_for.set()

    build = Thread(target=materialize, args=(data / "documents/f", "0" * 64, extract))
    build.start()
    assert began.wait(60)
    record, _ = take_down(data, found, "asked for", "tester", say)
    build.join()
    assert (record.state, record.touched["documents"]) == ("done", {"f": {"documents": 1}})
    made = Artifact.load(data / "documents/f")
    assert url not in pq.read_table(made.folder / "documents.parquet")["url"].to_pylist()


def test_what_is_waited_for_is_said(data) -> None:
    root = data / "documents/f"
    (root / "old").mkdir(parents=True)
    build = os.open(root, os.O_RDONLY)
    fcntl.flock(build, fcntl.LOCK_EX)
    said: list[str] = []

    def say(text: str) -> None:
        said.append(text)
        os.close(build)  # the build ends

    clean_up(data, say)
    assert said == [f"waits for the build of {root} that is under way"]
    assert not (root / "old").exists()


def test_addresses_that_are_no_utf_8_are_told_apart(data) -> None:
    _store(data, {"url": "https://x.example/caf%E9"}, {"url": "https://x.example/caf%E8"})
    found = plan(data, "https://x.example/caf%E9", None)
    assert [page.url for page in found.pages] == ["https://x.example/caf%E9"]
    assert found.removal.has(None, "https://x.example/caf%E9#x")
    assert not found.removal.has(None, "https://x.example/caf%E8")
    made = Takedown.begin(found.pages, "asked for", "tester", {})
    made.save(data)
    gate = TakenDown(data)
    assert gate.has("https://x.example/caf%e9")
    assert not gate.has("https://x.example/caf%E8")


def test_a_hostile_address_steers_no_terminal(data) -> None:
    _store(data, {"url": f"https://x.example/{STEERS}a", "title": "A"})
    found = plan(data, "A", None)
    found.touched.twins.append({"title": f"B{STEERS}", "url": f"https://x.example/{STEERS}b"})
    told = show.told_before(found)
    assert "https://x.example/]0;owned2Ja" in told
    assert not set(told) & set(STEERS[:1] + "\x07\x9b\u202e")
    text = as_json(found.pages, found.touched, found.others)
    assert text.isascii()
    assert json.loads(text)["pages"][0]["url"].endswith(f"{STEERS}a")


def test_the_name_of_a_page_survives_json(tmp_path: Path) -> None:
    name = PageName("https://x.example/%E9", None, None, None, "f", "s", "x")
    made = Takedown.begin((name,), "asked for", "tester", {})
    made.save(tmp_path)
    assert list(records(tmp_path)) == [made]
