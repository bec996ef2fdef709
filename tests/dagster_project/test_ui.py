"""The Dagster UI as a person uses it, in real Chromium: see the graph, launch it, read the plot."""

import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from crawlers.store.page_store import PageStore
from pipeline.artifact import Artifact

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

_CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def page() -> Iterator[Page]:
    chromium = shutil.which("chromium")
    assert chromium, "the test needs Chromium; `make test-slow` installs it or says how"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=_CHROMIUM)
        yield browser.new_page(viewport={"width": 1500, "height": 950})
        browser.close()


@pytest.fixture
def dagster(project, sites) -> Iterator[str]:
    """`dg dev` over a small franchise; its address."""
    project.write_keepers(sites.bulbapedia, episodes=12)
    with _dagster(project) as address:
        yield address


@contextmanager
def _dagster(project) -> Iterator[str]:
    port = _free_port()
    path = project.folder / "dagster.log"
    with path.open("w") as log:
        server = subprocess.Popen(
            ["dg", "dev", "--host", "127.0.0.1", "--port", str(port)],
            cwd=project.folder,
            env=project.env,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _await(lambda: _answers(address), 90, path.read_text)
        yield address
    finally:
        os.killpg(server.pid, signal.SIGINT)
        server.wait(60)


def _await(condition: Callable[[], object], seconds: float, why: Callable[[], str]) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, why()
        time.sleep(0.5)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/server_info", timeout=5):
            return True
    except OSError:
        return False


def _processes_of(folder: Path) -> list[str]:
    """Command lines that work in or on the folder, Dagster's own services left out."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            environment = (process / "environ").read_bytes().decode(errors="replace")
        except (OSError, ProcessLookupError):
            continue
        if str(folder) in environment and ("training_child" in command or "scrapy" in command):
            found.append(command)
    return found


def test_graph_seen_materialization_launched_and_plot_looked_at(
    page: Page, dagster: str, project
) -> None:
    page.set_viewport_size({"width": 3200, "height": 2400})  # of the graph there is what fits
    for group, assets in {
        "keepers": ("bulbapedia_pages", "documents", "corpus"),
        "keepers_gpt2": (
            "model",
            "samples",
            "perplexity",
            "quality",
            "memorisation",
            "report",
        ),
    }.items():
        page.goto(f"{dagster}/asset-groups")
        page.locator(f"[data-tooltip='{group}']").last.click(timeout=60_000)
        for asset in assets:
            expect(page.get_by_text(asset, exact=True).first).to_be_visible(timeout=60_000)

    page.get_by_role("button", name="Materialize all").click()
    report = project.data / "reports/keepers-gpt2"
    _await(lambda: Artifact.load(report), 240, lambda: "the run did not reach its end")

    page.goto(f"{dagster}/assets/keepers-gpt2/report")
    page.get_by_text("[Show Markdown]").first.click(timeout=60_000)
    plot = page.locator("img[src^='data:image/png']").first
    expect(plot).to_be_visible(timeout=30_000)
    assert plot.evaluate("image => image.complete && image.naturalWidth > 100")


def _cancel_in_the_ui(page: Page, address: str, folder: Path) -> None:
    page.goto(f"{address}/runs")
    page.locator("a[href^='/runs/'][href*='-']").first.click(timeout=60_000)
    page.get_by_role("button", name="Terminate").first.click(timeout=60_000)
    page.get_by_role("button", name="Terminate 1 run").click(timeout=60_000)
    _await(lambda: not _processes_of(folder), 90, lambda: "a child lives on")
    expect(page.get_by_text("Canceled").first).to_be_visible(timeout=60_000)


def _materialize_in_the_ui(page: Page, address: str, asset: str) -> None:
    page.goto(f"{address}/assets/{asset}")
    page.get_by_role("button", name="Materialize").first.click(timeout=60_000)


def test_a_training_cancelled_in_the_ui_leaves_nothing_half_written(
    page: Page, project, sites
) -> None:
    project.write_keepers(sites.bulbapedia, episodes=12, steps=100_000)
    assert project.launch('+key:"keepers/corpus"').returncode == 0
    models = project.data / "models/keepers-gpt2"
    with _dagster(project) as address:
        _materialize_in_the_ui(page, address, "keepers-gpt2/model")
        _await(lambda: list(models.glob("*/resume/checkpoint-*")), 180, lambda: "no checkpoint")
        assert _processes_of(project.folder)
        _cancel_in_the_ui(page, address, project.folder)
    assert Artifact.load(models) is None
    checkpoints = list(models.glob("*/resume/checkpoint-*"))
    assert checkpoints
    assert all((checkpoint / "complete.json").is_file() for checkpoint in checkpoints)


def test_a_crawl_cancelled_in_the_ui_keeps_what_came_and_goes_on_later(
    page: Page, project, sites, monkeypatch
) -> None:
    wiki = sites.wikis["bulbapedia"]
    monkeypatch.setattr(wiki, "robots", wiki.robots.replace("delay: 0.05", "delay: 1"))
    project.write_keepers(sites.bulbapedia, episodes=90)
    store = PageStore(project.data / "pages/keepers/bulbapedia")
    with _dagster(project) as address:
        _materialize_in_the_ui(page, address, "keepers/bulbapedia_pages")
        _await(lambda: list(store.root.glob("journal/*")), 180, lambda: "no page came")
        _cancel_in_the_ui(page, address, project.folder)
    assert not list(store.root.glob("journal/*"))
    kept = store.count()
    assert 0 < kept < 90
    monkeypatch.undo()
    sites.log.clear()
    assert project.launch('key:"keepers/bulbapedia_pages"').returncode == 0
    assert store.count() == 90
    asked = [path for path in sites.log.paths("bulbapedia") if path.startswith("/wiki/")]
    assert len(asked) == 90 - kept
