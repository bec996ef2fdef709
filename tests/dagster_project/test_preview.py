"""`loremill preview`: what a crawl would give, shown before it, from pages that are thrown away."""

import json
from pathlib import Path

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from crawlers.franchise import load_franchise
from crawlers.page import Page
from dagster_project.cli import app
from dagster_project.components.franchise import source_rules
from dagster_project.preview import look
from dagster_project.preview.advice import advice
from dagster_project.preview.pages import page_of_file
from dagster_project.preview.show import as_text
from dagster_project.resources import Crawler, DataStore

_HEAD = "type: dagster_project.components.Franchise\nattributes:\n  title: Keepers\n  sources:\n"
_TEXT = (
    "The keeper counted the lamps again, and one of them was missing from the wall. Her ferryman "
    "looked for his missing oar under every boat in the harbour, though it had hung there all "
    "night. Whatever else was missing, nobody would say to whom it had belonged. So she lit those "
    "that were left, and wrote down the missing one with a steady hand. "
)


@pytest.fixture
def preview(project, monkeypatch):
    """Runs `loremill preview ARGUMENTS` in the project's folder."""
    for name, value in project.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("LOREMILL_CONTACT", raising=False)

    def run(*arguments: str, columns: int = 100):
        monkeypatch.setenv("COLUMNS", str(columns))
        return CliRunner().invoke(app, ["preview", *arguments])

    return run


@pytest.fixture
def page(tmp_path: Path):
    """A file with an article of these sections."""

    def write(name: str, body: str = "", **sections: str) -> Path:
        path = tmp_path / name
        parts = [f"<h2>{heading}</h2><p>{text}</p>" for heading, text in sections.items()]
        path.write_text(f"<html><body>{body}{''.join(parts)}</body></html>", "utf-8")
        return path

    return write


def test_live_pages_are_shown_and_thrown_away(project, preview, sites):
    project.write_keepers(sites.bulbapedia, episodes=12)
    sites.log.clear()
    shown = preview("keepers")
    assert shown.exit_code == 0, shown.output
    assert "Keepers: 3 pages, live, at most 3 pages a source" in shown.stdout
    assert f"{sites.bulbapedia}/wiki/LK001\n" in shown.stdout
    assert "bulbapedia · revision 5001 · CC-BY-NC-SA-2.5 · 14.2 kB of text/html" in shown.stdout
    assert "+ Plot · 509 words · adventure\n" in shown.stdout
    assert "On the evening of Lanternday the children" in shown.stdout
    assert "before the rest of the village is awake." in shown.stdout
    assert "documents  3, 1,253 words" in shown.stdout
    assert "3 pages under CC-BY-NC-SA-2.5: the corpus may not be used commercially" in shown.stdout
    asked = [path for path in sites.log.paths("bulbapedia") if path.startswith("/wiki/")]
    assert sorted(asked) == ["/wiki/LK001", "/wiki/LK002", "/wiki/LK003"]
    assert not project.data.exists()


def test_saved_pages_are_preferred_and_spread_over_the_store(project, preview, sites):
    project.write_keepers(sites.bulbapedia, episodes=5)
    assert preview("keepers", "--saved").exit_code == 2
    Crawler().crawl(DataStore(root=str(project.data)), "keepers", "bulbapedia", print)
    sites.log.clear()
    shown = json.loads(preview("keepers", "--json").stdout)
    assert [page["title"] for page in shown["pages"]] == ["LK001", "LK003", "LK005"]
    assert shown["origin"].startswith("from the store ")
    assert shown["pages"][0]["documents"][0]["words"] == 509
    assert shown["figures"]["documents"] == 3
    assert not sites.log.entries()
    one = json.loads(preview("keepers", "--json", "--live", "--pages", "1").stdout)
    assert [page["title"] for page in one["pages"]] == ["LK001"]
    assert sites.log.entries()


def test_texts_on_disk_need_no_network(project, preview):
    folder = project.folder / "corpora" / "keepers" / "texts"
    folder.mkdir(parents=True)
    for number in range(5):
        (folder / f"{number}.txt").write_text(f"Story {number}\n\n{_TEXT}", "utf-8")
    source = "    - {spider: files, path: texts, licence: CC0-1.0}\n"
    project.write("keepers", _HEAD + source)
    shown = preview("keepers")
    assert shown.exit_code == 0, shown.output
    assert "Keepers: 3 pages, live" in shown.stdout


def test_what_is_dropped_and_why(project, preview, page):
    project.write("keepers", _HEAD + "    - {spider: wikipedia, titles: [A]}\n")
    short = page("short.html", Plot="The lamp went out.")
    without = page("without.html", **{"Cast": "Ada", "The story so far": _TEXT})
    shown = preview("keepers", "--file", str(short), "--file", str(without))
    assert shown.exit_code == 1
    assert "Plot · dropped by clean: too short (4)\n     The lamp went out.\n" in shown.stdout
    assert "dropped by extract: no wanted section (2)" in shown.stdout
    words = " ".join(shown.stdout.split())
    assert "not one document: nothing of these pages would reach a corpus" in words
    assert "1 page of 'wikipedia' without a wanted section; the headings there are" in words
    assert "The story so far (1)" in words
    assert "Cast (1)" in words

    project.write(
        "keepers", _HEAD + "    - {spider: wikipedia, titles: [A], sections: [The story so far]}\n"
    )
    assert preview("keepers", "--file", str(without)).exit_code == 0


def test_rows_of_a_table_and_a_dump(project, preview):
    folder = project.folder / "corpora" / "keepers"
    folder.mkdir(parents=True)
    plots = [f'Lamp {n},"{_TEXT}",https://example.org/lamps\n' for n in range(5)]
    (folder / "plots.csv").write_text("Title,Plot,Wiki Page\n" + "".join(plots), "utf-8")
    pages = "".join(
        f"<page><title>{title}</title><ns>0</ns><id>{n}</id><revision><id>{n}</id><text>{text}"
        "</text></revision></page>"
        for n, (title, text) in enumerate(
            [("A", f"== Plot ==\n{_TEXT}"), ("B", "== The tale ==\nShort.")], start=1
        )
    )
    (folder / "wiki.xml").write_text(
        "<mediawiki><siteinfo><base>https://wiki.example/wiki/Main</base><namespaces>"
        f'<namespace key="0" /></namespaces></siteinfo>{pages}</mediawiki>',
        "utf-8",
    )
    project.write(
        "keepers",
        _HEAD
        + "    - {spider: files, path: plots.csv, licence: CC0-1.0}\n"
        + "    - {spider: dump, path: wiki.xml, licence: CC0-1.0}\n",
    )
    shown = preview("keepers", "--json")
    assert shown.exit_code == 0, shown.output
    told = json.loads(shown.stdout)
    assert {page["title"]: len(page["documents"]) for page in told["pages"]} == {
        "Lamp 0": 1, "Lamp 1": 1, "Lamp 2": 1, "A": 1, "B": 0
    }  # fmt: skip
    assert any("the headings there are The tale (1);" in line for line in told["advice"])


def test_where_the_text_stands_when_a_selector_matches_nothing(project, preview, page):
    source = "{spider: web, site: 'http://127.0.0.1:1', licence: CC0-1.0, pages: [/], story: %s}"
    project.write("keepers", f"{_HEAD}    - {source % 'div.tale'}\n")
    body = f"<nav id=top><p>Home</nav><div class='post wide'><div><p>{_TEXT}</div></div>"
    shown = preview("keepers", "--file", str(page("tale.html", body)))
    assert shown.exit_code == 1
    assert "their paragraphs stand in div.post (64 words), nav#top (1 word)" in " ".join(
        shown.stdout.split()
    )
    project.write("keepers", f"{_HEAD}    - {source % 'div.post'}\n")
    assert preview("keepers", "--file", str(page("tale.html", body))).exit_code == 0


def test_advice_on_what_looks_wrong(project, page):
    project.write("keepers", _HEAD + "    - {spider: wikipedia, titles: [A]}\n")
    spec = load_franchise("keepers", project.folder / "corpora")
    boilerplate = "<p>Read the rest of this story on our own pages, every day.</p>"
    pages = [
        page_of_file(
            page(f"{n}.html", Plot=f"{_TEXT} {n}</p>{boilerplate}<p>Read https://example.org"),
            "keepers",
            spec.sources[0],
        )
        for n in range(2)
    ]
    seen = look(pa.concat_tables(pages), source_rules(spec))
    told = advice(seen, spec)
    assert (
        "1 paragraph in more than one page, perhaps the site's own words; in 2 pages: "
        "Read the rest of this story on our own pages, every day." in told
    )
    assert any(line.startswith("what looks like markup is left in documents: ") for line in told)


def test_what_a_page_says_of_its_use_by_machines_is_shown(project):
    project.write("keepers", _HEAD + "    - {spider: wikipedia, titles: [A]}\n")
    spec = load_franchise("keepers", project.folder / "corpora")
    page = Page(
        url="http://127.0.0.1:1/wiki/A", title="A", content_type="text/html", signals="noai",
        body=f"<h2>Plot</h2><p>{_TEXT}".encode(), licence="CC-BY-SA-4.0", spider="wikipedia",
        franchise="keepers", source="wikipedia", crawl_id="one",
    )  # fmt: skip
    seen = look(pa.Table.from_batches([page.batch()]), source_rules(spec))
    told = advice(seen, spec)
    assert told == ["what the site says of use by machines, with 1 page: noai"]
    shown = as_text("Keepers", "live", seen, told, full=False, width=80)
    assert "wikipedia · CC-BY-SA-4.0 · " in shown
    assert " · says noai\n" in shown


def test_nothing_from_a_page_can_move_the_cursor(project, preview, page):
    project.write("keepers", _HEAD + "    - {spider: wikipedia, titles: [A]}\n")
    evil = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202e"
    file = page(
        "evil.html",
        f"<h1 id='firstHeading'>{evil}Title</h1>",
        **{"Plot": _TEXT + evil, f"Cast{evil}": "x", "Story": evil},
    )
    for options in ((), ("--full",), ("--json",)):
        shown = preview("keepers", "--file", str(file), *options)
        assert not set(shown.output) & set("\x1b\x07\x9b\u202e"), options
    without = page("without.html", **{f"Cast{evil}": "x"})
    assert not set(preview("keepers", "--file", str(without)).output) & set("\x1b\x07\x9b\u202e")


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_lines_fit_the_terminal(project, preview, page, columns):
    project.write("keepers", _HEAD + "    - {spider: wikipedia, titles: [A]}\n")
    long = " ".join(f"{word}{n or ''}" for n in range(9) for word in _TEXT.split())
    file = page("long.html", Plot=long, Cast="x")
    for options in ((), ("--full",)):
        lines = preview("keepers", "--file", str(file), *options, columns=columns).stdout
        longest = max(len(line) for line in lines.splitlines() if "file://" not in line)
        assert longest <= min(columns, 110)
    assert lines.count("missing") == 4 * 9


def test_a_long_list_of_documents_is_cut_short(project, preview, tmp_path):
    project.write("keepers", _HEAD + "    - {spider: gutenberg, books: [1]}\n")
    chapters = [f"CHAPTER {n}.\n\n{_TEXT}\n\n" for n in ("I", "II", "III", "IV", "V", "VI")]
    (tmp_path / "book.txt").write_text("\n\n".join(chapters), "utf-8")
    shown = preview("keepers", "--file", str(tmp_path / "book.txt"))
    assert "… 2 documents more, " in shown.stdout
    assert "CHAPTER VI" in shown.stdout
    assert "CHAPTER IV" not in shown.stdout
    assert "CHAPTER IV" in preview("keepers", "--file", str(tmp_path / "book.txt"), "--full").stdout


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["nobody"], "has no franchise 'nobody'; there are: keepers"),
        (["keepers", "--saved"], "hold no pages; try --live"),
        (["keepers", "--file", "gone.html"], "gone.html: no such file or directory"),
        (["keepers", "--file", "pyproject.toml"], "pyproject.toml: is not read; allowed: .txt, "),
        (["keepers", "--file", "x.html", "--source", "y"], "no source 'y'; its sources are: bulb"),
    ],
)
def test_bad_input_is_one_line_and_status_2(project, preview, sites, arguments, error):
    project.write_keepers(sites.bulbapedia, episodes=2)
    shown = preview(*arguments)
    assert shown.exit_code == 2
    (line,) = shown.stderr.splitlines()
    assert line.startswith("error: ")
    assert error in line
    assert not shown.stdout


def test_a_site_that_is_not_there_is_one_line_and_status_1(project, preview):
    project.write_keepers("http://127.0.0.1:9", episodes=2)
    shown = preview("keepers")
    assert shown.exit_code == 1
    (error,) = [line for line in shown.stderr.splitlines() if line.startswith("error: ")]
    assert "127.0.0.1:9" in error
    assert "Traceback" not in shown.output


def test_a_live_site_needs_a_contact(project, preview):
    project.write("keepers", _HEAD + "    - {spider: wikipedia, titles: [A]}\n")
    shown = preview("keepers")
    assert shown.exit_code == 1
    assert "LOREMILL_CONTACT is not set" in shown.stderr


def test_a_store_of_a_source_that_is_no_more_shows_none_of_it(project, preview, sites):
    project.write_keepers(sites.bulbapedia, episodes=2)
    Crawler().crawl(DataStore(root=str(project.data)), "keepers", "bulbapedia", print)
    path = project.folder / "corpora" / "keepers" / "defs.yaml"
    path.write_text(path.read_text().replace("bulbapedia\n", "bulbapedia\n      name: new\n", 1))
    assert preview("keepers", "--saved").exit_code == 2


def test_fixtures_are_preferred_while_their_sources_stand(project, preview, sites):
    project.write_keepers(sites.bulbapedia, episodes=2)
    saved = CliRunner().invoke(app, ["fixtures", "keepers", "--live", "--pages", "1"])
    assert saved.exit_code == 0, saved.output
    sites.log.clear()
    shown = preview("keepers")
    assert "Keepers: 1 page, saved in " in shown.stdout
    assert not sites.log.entries()
    path = project.folder / "corpora" / "keepers" / "defs.yaml"
    path.write_text(path.read_text().replace("bulbapedia\n", "bulbapedia\n      name: new\n", 1))
    shown = preview("keepers")
    assert shown.exit_code == 2
    (error,) = shown.stderr.splitlines()
    assert "/fixtures: there are pages of a source 'bulbapedia'; its sources are: new; " in error
    assert "--live" in error
