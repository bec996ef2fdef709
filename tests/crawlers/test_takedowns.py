"""What was taken down stays out of every crawl, is no missing page, and leaves a tombstone."""

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from crawlers.page import Page
from crawlers.store import erase
from crawlers.store.page_store import PageStore
from crawlers.takedowns import PageName, Takedown, TakedownRecordError, TakenDown, records


def page(url: str, body: bytes = b"A story.", **columns) -> Page:
    given = {"title": url, "licence": "CC0-1.0", "spider": "s", "franchise": "f", "source": "x"}
    return Page(url=url, body=body, crawl_id="c", **{**given, **columns})


def take_down(data: Path, *rows: dict) -> Takedown:
    names = tuple(
        PageName(**{name: row.get(name) for name in PageName.__dataclass_fields__}) for row in rows
    )
    made = Takedown.begin(names, "asked for", "tester", {})
    made.save(data)
    return made


def wanted(*urls: str):
    return lambda batch: [url in urls for url in batch["url"].to_pylist()]


def filled(root: Path, *pages: Page) -> PageStore:
    store = PageStore(root)
    writer = store.writer("first")
    for one in pages:
        writer.append(one)
    writer.close()
    return store


def everything(root: Path) -> bytes:
    bodies = [
        body for part in root.rglob("*.parquet") for body in pq.read_table(part)["body"].to_pylist()
    ]
    return b"".join(bodies) + b"".join(
        path.read_bytes() for path in root.rglob("*") if path.is_file()
    )


def test_all_revisions_of_a_page_lose_their_body_and_a_tombstone_stays(tmp_path: Path) -> None:
    store = filled(tmp_path, page("a", b"old secret"), page("b", b"stays"))
    writer = store.writer("second")
    writer.append(page("a", b"new secret", revision="2"))
    assert writer.erase(wanted("a")) == 2
    writer.close()
    assert b"secret" not in everything(tmp_path)
    assert [row["url"] for batch in store.current() for row in batch.to_pylist()] == ["b"]
    rows = [row for part in store.parts() for row in pq.read_table(part).to_pylist()]
    gone = [row for row in rows if row["url"] == "a"]
    assert [(row["status"], row["body"], row["title"]) for row in gone] == [(410, b"", "a")] * 2
    assert {path.stem for path in (tmp_path / "parts").iterdir()} == {
        "000001-erased1-first", "000002-erased1-second"
    }  # fmt: skip
    again = store.writer("third")
    assert again.erase(wanted("a")) == 0
    again.append(page("c"))
    again.close()
    assert store.parts()[-1].stem == "000003-third"


def test_what_a_killed_crawl_left_in_its_journal_is_erased_too(tmp_path: Path) -> None:
    store = PageStore(tmp_path)
    killed = store.writer("killed")
    killed.append(page("a", b"secret"))
    killed._lock.close()  # as the system does
    writer = store.writer("next")
    assert writer.erase(wanted("a")) == 1
    writer.close()
    assert b"secret" not in everything(tmp_path)


@pytest.mark.parametrize("point", ["noted", "written", "named"])
def test_an_erasure_that_was_killed_is_ended_by_the_next(tmp_path: Path, point, monkeypatch):
    store = filled(tmp_path / "store", page("a", b"secret"), page("b", b"stays"))
    version = store.data_version()
    killed = {
        "noted": (erase, "rewritten"),
        "written": (type(store.writer("x")), "_name_parts"),
        "named": (erase, "settle"),
    }[point]
    shutil.rmtree(tmp_path / "store" / "journal")
    (tmp_path / "store" / ".lock").unlink()

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        writer = store.writer("killed")
        patch.setattr(*killed, die)
        with pytest.raises(KeyboardInterrupt):
            writer.erase(wanted("a"))
        writer._lock.close()
    assert (tmp_path / "store" / erase.NOTE).is_file()
    if point != "named":
        assert store.data_version() == version  # the store stands as it was
    writer = store.writer("next")
    writer.erase(wanted("a"))
    writer.close()
    assert b"secret" not in everything(tmp_path / "store")
    assert not (tmp_path / "store" / erase.NOTE).exists()
    assert [row["url"] for batch in store.current() for row in batch.to_pylist()] == ["b"]


def test_the_record_survives_the_way_through_json_and_knows_a_page(tmp_path: Path) -> None:
    wiki = {"spider": "wikipedia", "franchise": "f", "source": "x"}
    made = take_down(
        tmp_path,
        {"url": "http://w/wiki/A_(film)", "title": "A (film)", "page_id": "7", **wiki},
    )
    assert list(records(tmp_path)) == [made]
    gate = TakenDown(tmp_path)
    assert gate.has("http://w/wiki/A_%28film%29")
    assert gate.has("http://w/wiki/B", "http://w/wiki/A_(film)")
    assert gate.has("http://w/wiki/New name".replace(" ", "_"), title="New name", page_id="7")
    assert not gate.has("http://w/de/wiki/New_name", title="New name", page_id="7")
    assert not gate.has("http://w/wiki/New_name", title="New name", page_id="8")
    take_down(tmp_path, {"url": "http://w/wiki/C", "title": "C", "page_id": "9", **wiki})
    assert gate.has("http://w/wiki/C")  # though the gate was made before


def test_a_damaged_record_is_one_line(tmp_path: Path) -> None:
    made = take_down(tmp_path, {"url": "u", "spider": "s", "franchise": "f", "source": "x"})
    path = tmp_path / "takedowns" / f"{made.takedown_id}.json"
    path.write_text(json.dumps({"pages": []}))
    with pytest.raises(TakedownRecordError, match=r"is damaged .* restore it"):
        TakenDown(tmp_path).has("u")


def test_a_page_taken_down_is_not_asked_for_and_not_missing(workplace, served, crawl) -> None:
    first = crawl()
    row = next(row for row in first.pages().values() if row["title"] == "Film 2")
    take_down(workplace.folder / "data", row)
    writer = first.store.writer("takedown")
    writer.erase(wanted(row["url"]))
    writer.close()
    served.wiki.edit("Film 2", "<p>Plot 2, told anew.</p>")
    served.server.log.clear()
    second = crawl()
    assert second.status == 0, second.stderr
    assert "/wiki/Film_2" not in served.paths("/wiki/")
    outcome = second.outcome
    assert (outcome.listed, outcome.unchanged, outcome.taken_down) == (3, 3, 1)
    assert (outcome.gone, outcome.failed, outcome.complete) == (0, 0, True)
    assert len(second.pages()) == 3
    assert "1 taken down" in second.stderr


def test_a_page_that_was_moved_stays_out_under_its_new_name(workplace, served, crawl) -> None:
    first = crawl()
    row = next(row for row in first.pages().values() if row["title"] == "Film 2")
    take_down(workplace.folder / "data", row)
    writer = first.store.writer("takedown")
    writer.erase(wanted(row["url"]))
    writer.close()
    served.wiki.move("Film 2", "The Second Film")
    served.server.log.clear()
    second = crawl(titles=("Film 1", "The Second Film", "Film 3", "Film 4"))
    assert second.status == 0, second.stderr
    assert "/wiki/The_Second_Film" not in served.paths("/wiki/")
    assert {page["title"] for page in second.pages().values()} == {"Film 1", "Film 3", "Film 4"}
    assert (second.outcome.taken_down, second.outcome.gone) == (1, 0)


def test_a_crawl_of_nothing_but_what_was_taken_down_is_complete(workplace, served, crawl) -> None:
    first = crawl(titles=("Film 1",))
    take_down(workplace.folder / "data", *first.pages().values())
    second = crawl(titles=("Film 1",))
    assert second.status == 0, second.stderr
    assert (second.outcome.listed, second.outcome.taken_down) == (0, 1)


def test_files_are_skipped_too(workplace, tmp_path: Path) -> None:
    texts = tmp_path / "corpora" / "tales" / "texts"
    texts.mkdir(parents=True)
    for name in ("one", "two"):
        (texts / f"{name}.txt").write_text(f"The tale called {name}.")
    workplace.franchise(
        "tales", {"spider": "files", "path": "texts/*.txt", "licence": "CC0-1.0", "name": "texts"}
    )
    first = workplace.crawl("files", "tales")
    assert first.status == 0, first.stderr
    row = next(row for url, row in first.pages().items() if url.endswith("two.txt"))
    take_down(tmp_path / "data", row)
    writer = first.store.writer("takedown")
    writer.erase(wanted(row["url"]))
    writer.close()
    (texts / "two.txt").write_text("The tale called two, with another end.")
    second = workplace.crawl("files", "tales")
    assert second.status == 0, second.stderr
    assert [url.rpartition("/")[2] for url in second.pages()] == ["one.txt"]
    assert (second.outcome.taken_down, second.outcome.failed) == (1, 0)


def test_where_a_redirect_leads_to_it_it_is_not_stored(workplace, served) -> None:
    source = {
        "spider": "web", "site": served.origin, "licence": "CC0-1.0", "story": "p",
        "pages": ["/wiki/Film_1", "/wiki/Film_2"],
    }  # fmt: skip
    workplace.franchise("films", source)
    taken = {"url": "http://elsewhere/x", "final_url": f"{served.origin}/wiki/Film_2"}
    take_down(workplace.folder / "data", taken | {"spider": "web", "franchise": "f", "source": "x"})
    from crawlers.samplesite.exchange import Response

    moved = Response(302, b"", {"Location": "/wiki/Film_2"})
    served.site.always["/wiki/Film_1"] = moved
    done = workplace.crawl("web", "films")
    assert done.status == 0, done.stderr
    assert done.pages() == {}
    assert (done.outcome.listed, done.outcome.taken_down, done.outcome.failed) == (0, 2, 0)
