"""Each document that came, went or changed is told with the reason that is true of it."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.diff.changes import DRAWN, Changes
from pipeline.diff.documents import compare_documents
from tests.pipeline.extractions import article, extracted, films, rebuilt, table_row

Pages = list[dict[str, Any]]


@pytest.fixture
def changes(tmp_path: Path):
    """Compares two extractions."""

    def make(before: Pages, now: Pages, fates: pa.Table | None = None) -> Changes:
        folder = tmp_path / "again" if (tmp_path / "last").exists() else tmp_path
        last, new = (
            extracted(folder / name, pages) for name, pages in (("last", before), ("new", now))
        )
        return compare_documents(last, new, fates)

    return make


def _reasons(changes: Changes) -> dict[tuple[str, str], int]:
    return {(reason.kind, reason.name): reason.count for reason in changes.reasons}


def test_nothing_changed(changes) -> None:
    found = changes([article(n) for n in range(3)], [article(n) for n in range(3)])
    assert (found.reasons, found.unchanged) == ([], 3)


def test_what_came(changes) -> None:
    before = [article(1), rebuilt(2), article(3, 3), films(4, 2)]
    now = [article(1), article(2), article(3), films(4, 3), article(5)]
    found = changes(before, now)
    assert _reasons(found) == {
        ("came", "its page is new"): 1,
        ("came", "its page had no story before"): 1,
        ("came", "was left out before: too short"): 1,
        ("came", "another section of a page that was there"): 1,
    }
    assert (found.before, found.now, found.count("came"), found.unchanged) == (3, 7, 4, 3)


def test_a_mark_in_the_name_of_a_row_or_of_a_heading_is_not_taken_for_the_end(changes) -> None:
    found = changes([table_row("A")], [table_row("A"), table_row("A#b")])
    assert _reasons(found) == {("came", "its page is new"): 1}
    marked = article(1)
    marked["body"] = marked["body"].replace(b"<h2>", b'<h2 id="Plot_#1">')
    found = changes([rebuilt(1)], [marked])
    assert found.reasons[0].rows[0]["doc_id"].endswith("/1#Plot_#1")
    assert _reasons(found) == {("came", "its page had no story before"): 1}


def test_what_went(changes) -> None:
    before = [*(article(n) for n in range(1, 6)), films(6, 3), article(7)]
    now = [rebuilt(4), article(5, 3), films(6, 2), article(7)]
    fates = pa.table(
        {
            "url": [f"https://wiki.example/wiki/Lamp_{n}" for n in (1, 2, 7)],
            "fate": ["its page was taken down", "its page was moved", "it is there again"],
        }
    )
    found = changes(before, now, fates)
    assert _reasons(found) == {
        ("went", "its page was taken down"): 1,
        ("went", "its page was moved"): 1,
        ("went", "its page is no longer there"): 1,
        ("went", "its page gives no story now: no wanted section"): 1,
        ("went", "left out now: too short"): 1,
        ("went", "its section is no longer cut out of the page"): 1,
    }
    (short,) = [r for r in found.reasons if r.name == "left out now: too short"]
    assert short.rows[0]["figure"] == 3
    assert short.rows[0]["title"] == "Lamp 5"


def test_what_changed(changes, tmp_path: Path) -> None:
    before = [article(n) for n in range(1, 5)]
    now = [
        article(1, 90, revision="71"),
        article(2, licence="CC-BY-SA-3.0"),
        article(3, title="The lamp"),
        article(4, revision="71"),  # an edit elsewhere on the page
    ]
    found = changes(before, now)
    assert _reasons(found) == {
        ("changed", "its page was edited"): 1,
        ("changed", "same text, other licence"): 1,
        ("changed", "same text, other title"): 1,
    }
    (edited,) = next(r.rows for r in found.reasons if r.name == "its page was edited")
    assert (edited["revision"], edited["revision_now"]) == ("70", "71")
    texts = [
        pq.read_table(tmp_path / name / "documents.parquet", filters=[("title", "=", "Lamp 1")])
        for name in ("last", "new")
    ]
    old, new = (table["text"][0].as_py() for table in texts)
    assert (edited["characters"], edited["characters_now"]) == (len(old), len(new))
    assert new.endswith(edited["excerpt"]["now"])
    assert edited["excerpt"]["before"] in ("", ".")
    (licence,) = next(r.rows for r in found.reasons if r.name.endswith("licence"))
    assert (licence["licence"], licence["licence_now"]) == ("CC-BY-SA-4.0", "CC-BY-SA-3.0")


def test_the_same_bytes_read_otherwise_are_no_edit(changes) -> None:
    before = article(1)
    now = article(1, 90, body_sha256=before["body_sha256"])
    assert _reasons(changes([before], [now])) == {
        ("changed", "its page is the same, cut or cleaned by other rules"): 1
    }


def test_a_few_are_drawn_whatever_the_order(tmp_path: Path) -> None:
    last = extracted(tmp_path / "last", [article(0)])
    drawn = []
    for name, numbers in (("a", range(40)), ("b", reversed(range(40)))):
        new = extracted(tmp_path / name, [article(n) for n in numbers])
        (reason,) = compare_documents(last, new).reasons
        assert reason.count == 39
        drawn.append([row["doc_id"] for row in reason.rows])
    assert drawn[0] == drawn[1]
    assert len(drawn[0]) == DRAWN
    assert drawn[0] != sorted(f"lamps/wiki/{n}#Plot" for n in range(1, 40))[:DRAWN]


def test_documents_of_an_earlier_version_are_compared_as_far_as_they_go(tmp_path: Path) -> None:
    last = extracted(tmp_path / "last", [article(1)])
    path = last / "documents.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["genre"]), path)
    assert compare_documents(last, extracted(tmp_path / "new", [article(1)])).reasons == []
