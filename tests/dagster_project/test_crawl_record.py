"""How a crawl treated its site, as Dagster shows it: rules, figures, the page, the failure."""

import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from urllib.request import url2pathname

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from crawlers.outcome import CrawlOutcome, requests_path
from crawlers.samplesite.exchange import Request, Response
from crawlers.samplesite.replicas import bulbapedia
from crawlers.samplesite.server import SiteServer
from crawlers.samplesite.wiki import Wiki
from crawlers.samplesite.wiki_site import WikiSite
from dagster_project.cli import app
from pipeline.schema import REQUESTS
from tests.crawl_workplace import Workplace

_PAGES = "keepers/bulbapedia_pages"


class BusySite(WikiSite):
    """A wiki that answers the first request for an article with 429."""

    busy = True

    def answer(self, request: Request) -> Response:
        if self.busy and request.path.startswith("/wiki/"):
            self.busy = False
            return Response(429, b"later", {"Retry-After": "1"})
        return super().answer(request)


@pytest.fixture
def busy() -> Iterator[str]:
    """The address of a busy wiki with two episodes."""
    wiki = bulbapedia()
    for number in (1, 2):
        wiki.create(f"LK00{number}", "<h2>Plot</h2><p>The keeper came to the gate.</p>")
    with SiteServer([BusySite(wiki)], [0]) as server:
        yield server.origins[0]


def _metadata(result: dg.ExecuteInProcessResult) -> dict[str, object]:
    (event,) = result.get_asset_materialization_events()
    return {name: value.value for name, value in event.materialization.metadata.items()}


def test_a_crawl_shows_how_it_treated_the_site(project, busy, load, materialize):
    project.write_keepers(busy, episodes=2)
    with dg.DagsterInstance.ephemeral() as instance:
        result = materialize(load(project), instance, _PAGES)
    assert result.success
    shown = _metadata(result)
    assert shown["answers_429"] == 1
    assert shown["answers_503"] == 0
    assert shown["refused"] == 0
    assert shown["busiest_minute"] == shown["requests"] == 5  # robots.txt, list, 429, two pages
    assert 0.05 <= shown["shortest_gap"] < 60
    assert "Crawl-delay 0.05" in shown["robots"]
    assert "data:image/png;base64," in shown["pace"]
    (check,) = [c for c in result.get_asset_check_evaluations() if c.check_name != "pages_arrived"]
    assert check.check_name == "politeness_kept"
    assert check.passed

    page = Path(str(shown["treatment_file"]))
    assert page.parent == project.data / "reports/crawls/keepers/bulbapedia"
    address = str(shown["treatment"]).removeprefix("http://127.0.0.1:3001/")
    assert project.data / "reports" / url2pathname(address) == page  # as `make ui` serves it
    said = page.read_text("utf-8")
    assert "1 × 429: waited 1 s as asked" in said
    assert "asked: 0.050 s: kept" in said  # the Crawl-delay: the policy of loopback asks for none

    listed = CliRunner().invoke(app, ["crawls", "keepers"])
    assert "bulbapedia  2 pages  5 requests  complete" in listed.stdout
    assert str(page) in listed.stdout


def test_a_crawl_that_failed_has_its_page_and_names_it(project, load, materialize):
    project.write_keepers("http://127.0.0.1:9", episodes=2)
    with dg.DagsterInstance.ephemeral() as instance:
        result = materialize(load(project), instance, _PAGES)
    assert not result.success
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    said = failure.step_failure_data.user_failure_data
    assert "127.0.0.1:9" in said.description
    address = said.metadata["treatment"].value
    assert f"how the site was treated: {address}" in said.description
    page = Path(said.metadata["treatment_file"].value)
    assert "forbids all" in page.read_text("utf-8")


def test_the_rules_a_site_is_crawled_by_stand_with_its_asset(project, load):
    project.write(
        "oz",
        """\
type: dagster_project.components.Franchise
attributes:
  title: Oz
  sources:
    - spider: gutenberg
      books: [55]
    - spider: files
      path: books
      licence: CC0-1.0
""",
    )
    graph = load(project).resolve_asset_graph()

    def rules(spider: str, name: str) -> str:
        return str(graph.get(dg.AssetKey(["oz", f"{spider}_pages"])).metadata[name].value)

    shown = rules("gutenberg", "site_policy")
    head, _, *rows = shown.splitlines()
    assert "https://www.gutenberg.org" in head
    assert "https://gutenberg.pglaf.org" in head
    by_name = {row.split(" | ")[0].removeprefix("| "): row for row in rows}
    assert "](https://www.gutenberg.org/policy/robot_access.html)" in by_name["rule"]
    assert "| 2 | 2 |" in by_name["delay, s"]
    assert "| 30 | 30 |" in by_name["a minute"]
    assert "| 1 | 1 |" in by_name["at a time"]
    assert "LicenseRef-PublicDomainUS" in by_name["licence"]
    assert "| no | no |" in by_name["non-commercial"]
    assert "Project Gutenberg" in by_name["attribution"]
    assert "autumn 2026" in by_name["read"]
    assert "| files | books | CC0-1.0 |" in rules("files", "files")


def test_crawls_are_listed_with_why_they_are_not_complete(tmp_path, monkeypatch):
    monkeypatch.setenv("LOREMILL_DATA", str(tmp_path))
    root = tmp_path / "pages/heroes/wikipedia"
    for number, errors in enumerate([[], ["the site asks for rest\nand more; later"]]):
        CrawlOutcome(
            f"2026112{number}T030000Z-abc", "wikipedia", "heroes",
            f"2026-11-2{number}T03:00:00+00:00", complete=not errors, listed=3, fetched=3,
            requests=1, errors=errors, finished_at="2026-11-21T03:09:00+00:00",
            finish_reason="finished",
        ).save(root)  # fmt: skip
    for name in ("20261120T030000Z-abc", "20261129T030000Z-abc"):
        requests_path(root, name).parent.mkdir(exist_ok=True)
        pq.write_table(pa.Table.from_pylist([], schema=REQUESTS), requests_path(root, name))
    shown = CliRunner().invoke(app, ["crawls", "heroes"])
    assert shown.exit_code == 0, shown.stderr
    first, second, third, *pages = shown.stdout.splitlines()
    assert first == "2026-11-20 03:00  wikipedia  3 pages  1 request  complete"
    assert second.endswith("not complete: the site asks for rest and more; later")
    assert third == "20261129T030000Z-abc  wikipedia  0 pages  did not end in order"
    # Each that has a record has a page, written once; the last is named each time.
    folder = tmp_path / "reports/crawls/heroes/wikipedia"
    written = [folder / f"202611{day}T030000Z-abc.html" for day in (20, 29)]
    assert pages == [f"how wikipedia treated its sites: {path}" for path in written]
    assert "did not end in order" in written[1].read_text("utf-8")
    again = CliRunner().invoke(app, ["crawls", "heroes"])
    assert again.stdout.splitlines()[3:] == pages[1:]


def test_a_record_that_cannot_be_read_hides_no_other_crawl(tmp_path, monkeypatch):
    monkeypatch.setenv("LOREMILL_DATA", str(tmp_path))
    root = tmp_path / "pages/heroes/wikipedia"
    for name in ("a", "b"):
        requests_path(root, name).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist([], schema=REQUESTS), requests_path(root, name))
    pq.write_table(pa.table({"time": [1]}), requests_path(root, "a"))
    shown = CliRunner().invoke(app, ["crawls", "heroes"])
    assert shown.exit_code == 0
    assert "a.parquet lacks crawl_id" in shown.stderr
    assert "b.html" in shown.stdout


class SlowSite(WikiSite):
    """A wiki whose third article takes long, so that a crawl of it can be met at work."""

    def __init__(self, wiki: Wiki) -> None:
        super().__init__(wiki)
        self.reached, self.go_on = Event(), Event()

    def answer(self, request: Request) -> Response:
        if request.path == "/wiki/LK003":
            self.reached.set()
            self.go_on.wait(30)
        return super().answer(request)


def test_a_killed_crawl_has_its_line_and_page_before_and_after_it_is_resumed(tmp_path, monkeypatch):
    wiki = bulbapedia()
    for number in (1, 2, 3):
        wiki.create(f"LK00{number}", "<h2>Plot</h2><p>The keeper came to the gate.</p>")
    place = Workplace(tmp_path)
    monkeypatch.setenv("LOREMILL_DATA", str(tmp_path / "data"))
    site = SlowSite(wiki)
    with SiteServer([site], [0]) as server:
        series = [{"prefix": "LK", "first": 1, "last": 3}]
        source = {"spider": "bulbapedia", "site": server.origins[0], "series": series}
        place.franchise("keepers", source)
        killed = place.start("bulbapedia", "keepers")
        assert site.reached.wait(60)
        journal = tmp_path / "data/pages/keepers/bulbapedia/requests"
        while not any(path.stat().st_size > 4_000 for path in journal.glob("*.arrows")):
            time.sleep(0.05)  # rows of loopback are written a second together

        first = CliRunner().invoke(app, ["crawls", "keepers"])
        assert first.exit_code == 0, first.stderr
        (line,) = first.stdout.splitlines()
        crawl_id, spider, state = line.split("  ")
        assert (spider, state) == ("bulbapedia", "under way")

        killed.kill()
        killed.communicate()
        site.go_on.set()
        told = f"{crawl_id}  bulbapedia  2 pages  did not end in order"
        before = CliRunner().invoke(app, ["crawls", "keepers"]).stdout.splitlines()
        page = tmp_path / f"data/reports/crawls/keepers/bulbapedia/{crawl_id}.html"
        assert before == [told, f"how bulbapedia treated its sites: {page}"]
        said = page.read_text("utf-8")
        assert "did not end in order" in said
        assert "the limits in force are not on record" in said
        assert "Everything" not in said

        done = place.crawl("bulbapedia", "keepers")
        assert done.status == 0, done.stderr
        after = CliRunner().invoke(app, ["crawls", "keepers"]).stdout.splitlines()
        assert after[0] == told
        assert after[1].endswith("complete")
        assert after[-1].endswith(f"{done.outcome.crawl_id}.html")


def test_files_are_read_and_not_treated_politely(tmp_path, monkeypatch):
    place = Workplace(tmp_path)
    monkeypatch.setenv("LOREMILL_DATA", str(tmp_path / "data"))
    place.franchise("oz", {"spider": "files", "path": "books", "licence": "CC0-1.0"})
    (tmp_path / "corpora/oz/books").mkdir()
    (tmp_path / "corpora/oz/books/one.txt").write_text("The keeper came to the gate. " * 20)
    assert place.crawl("files", "oz").status == 0
    shown = CliRunner().invoke(app, ["crawls", "oz"])
    assert shown.exit_code == 0, shown.stderr
    (line,) = shown.stdout.splitlines()
    assert line.endswith("  files  1 page  complete")
    assert not (tmp_path / "data/reports").exists()


def test_what_reads_files_shows_no_treatment_in_dagster(project, load, materialize):
    project.write(
        "oz",
        """\
type: dagster_project.components.Franchise
attributes:
  title: Oz
  sources:
    - {spider: files, path: books, licence: CC0-1.0}
""",
    )
    (project.folder / "corpora/oz/books").mkdir()
    (project.folder / "corpora/oz/books/one.txt").write_text("The keeper came to the gate. " * 20)
    with dg.DagsterInstance.ephemeral() as instance:
        result = materialize(load(project), instance, "oz/files_pages")
    assert result.success
    shown = _metadata(result)
    assert shown["pages"] == 1
    assert {"path", "failures"} < shown.keys()
    assert not {"requests", "treatment", "verdict", "busiest_minute", "robots"} & shown.keys()
    assert [c.check_name for c in result.get_asset_check_evaluations()] == ["pages_arrived"]


def test_a_franchise_that_was_never_crawled_is_an_error_that_names_the_others(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("LOREMILL_DATA", str(tmp_path))
    for name in ("heroes", "heros"):
        (tmp_path / "pages" / name).mkdir(parents=True)
    shown = CliRunner().invoke(app, ["crawls", "heros"])
    assert shown.exit_code == 2
    assert shown.stderr.endswith("heros has no crawl; others that have: heroes\n")
    assert len(shown.stderr.splitlines()) == 1
