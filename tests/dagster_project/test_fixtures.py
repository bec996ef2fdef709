"""`loremill fixtures`: saved pages pin the extraction, byte for byte, and say their licence."""

import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from crawlers.franchise import load_franchise
from crawlers.page import Page
from crawlers.store.page_store import PageStore
from dagster_project.cli import app
from dagster_project.components.franchise import source_rules
from dagster_project.fixtures import FixtureError, accept, compare, load, save, unfree

ROOT = Path(__file__).parents[2]
_FRANCHISE = """\
type: dagster_project.components.Franchise
attributes:
  title: Keepers
  sources:
    - {spider: wikipedia, titles: [A]}
"""
_TEXT = (
    "The keeper counted the lamps again, and one of them was missing from the wall. Her ferryman "
    "looked for his missing oar under every boat in the harbour, though it had hung there all "
    "night. Whatever else was missing, nobody would say to whom it had belonged. So she lit those "
    "that were left, and wrote down the missing one with a steady hand. "
)
_BODY = f"<body>\r\n<h2>Plot</h2>\r<p>{_TEXT}</p>\n<h2>Cast</h2>".encode() + b"\xff"


def _page(title: str, body: bytes = _BODY, **columns: str) -> Page:
    return Page(
        **{
            "url": f"http://127.0.0.1:1/wiki/{title}",
            "title": title,
            "content_type": "text/html; charset=utf-8",
            "licence": "CC0-1.0",
            "spider": "wikipedia",
            "franchise": "keepers",
            "source": "wikipedia",
            "crawl_id": "one",
            "body": body,
            **columns,
        }
    )


@pytest.fixture
def keepers(project, monkeypatch):
    for name, value in project.env.items():
        monkeypatch.setenv(name, value)
    project.write("keepers", _FRANCHISE)
    return project


@pytest.fixture
def folder(keepers) -> Path:
    return keepers.folder / "corpora" / "keepers" / "fixtures"


@pytest.fixture
def rules(keepers):
    return source_rules(load_franchise("keepers"))


@pytest.fixture
def store(keepers):
    """Puts pages into the franchise's store."""

    def put(*pages: Page) -> None:
        writer = PageStore(keepers.data / "pages" / "keepers" / "wikipedia").writer("one")
        for page in pages:
            writer.append(page)
        writer.close()

    return put


def fixtures(*arguments: str):
    return CliRunner().invoke(app, ["fixtures", *arguments])


def _table(*pages: Page) -> pa.Table:
    return pa.Table.from_batches([page.batch() for page in pages])


def _pytest(project, franchise: str) -> subprocess.CompletedProcess[str]:
    """The test that ships with the repository, over this project's registry."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
         str(ROOT / "tests/test_franchise_fixtures.py"), "-k", franchise],
        cwd=ROOT, env=project.env | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip


@pytest.mark.slow
def test_from_store_to_test_and_back(keepers, folder, store):
    store(*[_page(f"Lamp {number}") for number in range(9)])
    saved = fixtures("keepers")
    assert saved.exit_code == 0, saved.output
    pages = load(folder)
    assert list(pages) == ["Lamp_0", "Lamp_4", "Lamp_8"]
    assert pages["Lamp_4"]["body"][0].as_py() == _BODY
    assert (folder / "Lamp_4.page.html").read_bytes() == _BODY
    expected = (folder / "Lamp_4.expected.txt").read_text("utf-8")
    assert "doc_id: keepers/wikipedia/wiki/Lamp 4#Plot\n" in expected
    assert "licence: CC0-1.0\n" in expected
    assert "The keeper counted the lamps again" in expected
    assert "warning" not in saved.output
    assert _pytest(keepers, "keepers").returncode == 0

    path = folder / "Lamp_4.expected.txt"
    path.write_text(expected.replace("counted the lamps", "lit the lamps"), "utf-8")
    failed = _pytest(keepers, "keepers")
    assert failed.returncode == 1
    assert "-The keeper lit the lamps again" in failed.stdout
    assert "+The keeper counted the lamps again" in failed.stdout
    assert "loremill fixtures keepers --accept" in failed.stdout

    accepted = fixtures("keepers", "--accept")
    assert accepted.exit_code == 0
    assert "+The keeper counted the lamps again" in accepted.output
    assert path.read_text("utf-8") == expected
    assert "0 expectations rewritten" in fixtures("keepers", "--accept").output


def test_dagster_and_the_registry_pass_fixtures_over(keepers, folder, store):
    store(_page("defs.yaml"), _page("__init__.py"), _page("../../escape"))
    assert fixtures("keepers").exit_code == 0
    assert {path.name.partition(".")[0] for path in folder.iterdir()} == {
        "defs_yaml", "init___py", "escape", "NOTICE"
    }  # fmt: skip
    listed = keepers.dg("list", "defs")
    assert listed.returncode == 0, listed.stdout + listed.stderr
    assert "keepers/corpus" in listed.stdout


def test_live_pages(keepers, folder, sites):
    keepers.write_keepers(sites.bulbapedia, episodes=12)
    saved = fixtures("keepers", "--live", "--pages", "2")
    assert saved.exit_code == 0, saved.output
    assert list(load(folder)) == ["LK001", "LK002"]
    assert "warning: there are pages under CC-BY-NC-SA-2.5; keep them out of a public" in (
        saved.stderr
    )
    notice = (folder / "NOTICE.txt").read_text("utf-8")
    assert f"LK001: LK001\n  from {sites.bulbapedia}/wiki/LK001\n" in notice
    assert "under CC-BY-NC-SA-2.5, Creative Commons Attribution-NonCommercial" in notice


def test_by_title_added_to_what_is_there(keepers, folder, store):
    store(*[_page(f"Lamp {number}") for number in range(9)])
    assert fixtures("keepers", "--title", "Lamp 3").exit_code == 0
    kept = (folder / "Lamp_3.json").read_bytes()
    assert fixtures("keepers", "--title", "Lamp 5", "--title", "Lamp 6").exit_code == 0
    assert list(load(folder)) == ["Lamp_3", "Lamp_5", "Lamp_6"]
    assert (folder / "Lamp_3.json").read_bytes() == kept
    unknown = fixtures("keepers", "--title", "Lamp 5", "--title", "Lamp 99")
    assert unknown.exit_code == 2
    assert unknown.stderr.endswith("holds no page titled 'Lamp 99'\n")


def test_a_page_saved_again_takes_the_place_of_the_old_one(folder, rules):
    save(folder, _table(_page("A"), _page("a", body=_BODY + b"<p>other"), _page("á")))
    accept(folder, rules, list(load(folder)))
    assert sorted(load(folder)) == ["A", "a-2", "a-3"]
    text = b"A Tale\n\n" + _TEXT.encode()
    assert save(folder, _table(_page("A", body=text, content_type="text/plain"))) == ["A"]
    assert sorted(path.name for path in folder.glob("A.page.*")) == ["A.page.txt"]
    (difference,) = compare(folder, rules)
    assert difference.name == "A"
    assert "-section: Plot" in difference.diff


def test_what_was_dropped_is_pinned_too(folder, rules):
    save(folder, _table(_page("A", body=b"<h2>Plot</h2><p>Lost."), _page("B", body=b"<p>x")))
    accept(folder, rules, ["A", "B"])
    assert (folder / "A.expected.txt").read_text("utf-8") == (
        "=== dropped\nstage: clean\nreason: too short\nfigure: 1.0\n"
        "doc_id: keepers/wikipedia/wiki/A#Plot\nsection: Plot\n\nLost.\n"
    )
    assert "reason: no wanted section\n" in (folder / "B.expected.txt").read_text("utf-8")
    assert not compare(folder, rules)


def test_white_space_alone_makes_a_difference_that_can_be_seen(folder, rules):
    save(folder, _table(_page("A")))
    accept(folder, rules, ["A"])
    path = folder / "A.expected.txt"
    path.write_text(path.read_text("utf-8").replace("lamps again", "lamps  again", 1), "utf-8")
    (difference,) = compare(folder, rules)
    assert "lamps  again" in difference.diff


def test_fixtures_that_were_touched_are_named_with_the_remedy(keepers, folder, rules):
    save(folder, _table(_page("A")))
    accept(folder, rules, ["A"])
    (folder / "A.page.html").write_bytes(_BODY.replace(b"\r\n", b"\n"))
    with pytest.raises(FixtureError, match=r"A\.page\.html: is not the page as it was saved.*line"):
        load(folder)
    assert fixtures("keepers", "--accept").exit_code == 2
    (folder / "A.page.html").unlink()
    with pytest.raises(FixtureError, match=r"A\.json: has 0 files A\.page\.\*"):
        load(folder)
    (folder / "A.page.html").write_bytes(_BODY)
    row = json.loads((folder / "A.json").read_text("utf-8"))
    lacking = [json.dumps(row | {name: None}) for name in ("licence", "url", "fetched_at")]
    for broken in ("{", "[]", json.dumps(row | {"status": "x"}), *lacking):
        (folder / "A.json").write_text(broken, "utf-8")
        with pytest.raises(FixtureError, match=r"A\.json: is no row of a page"):
            load(folder)
    (folder / "A.json").write_text(json.dumps(row | {"source": "gone"}), "utf-8")
    with pytest.raises(FixtureError, match=r"a source 'gone'; its sources are: wikipedia; save"):
        compare(folder, rules)


def test_licences_that_ask_something_are_named():
    pages = [_page("A"), _page("B", licence="LicenseRef-PublicDomainUS")]
    assert unfree(_table(*pages)) == []
    pages += [_page("C", licence="CC-BY-SA-4.0"), _page("D", licence="my own")]
    assert unfree(_table(*pages)) == ["CC-BY-SA-4.0", "my own"]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["nobody"], "has no franchise 'nobody'"),
        (["keepers"], "holds no pages; crawl first, or give --live"),
        (["keepers", "--accept"], "holds no pages; save some with `loremill fixtures keepers`"),
        (["keepers", "--live", "--title", "A"], "leave it or --live out"),
    ],
)
def test_bad_input_is_one_line_and_status_2(keepers, arguments, error):
    done = fixtures(*arguments)
    assert done.exit_code == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert error in line
