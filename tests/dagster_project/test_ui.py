"""The Dagster UI as a person uses it, in real Chromium: see the graph, launch it, read the plot."""

import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

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
def dagster(project, sites, tmp_path: Path) -> Iterator[str]:
    """`dg dev` over a small franchise; its address."""
    project.write_keepers(sites.bulbapedia, episodes=12)
    port = _free_port()
    with (tmp_path / "dagster.log").open("w") as log:
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
            _await_server(address, tmp_path / "dagster.log")
            yield address
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(60)


def _await_server(address: str, log: Path) -> None:
    for _ in range(120):
        try:
            with urllib.request.urlopen(f"{address}/server_info", timeout=5):
                return
        except OSError:
            time.sleep(0.5)
    pytest.fail(f"dg dev did not start:\n{log.read_text()}")


def test_graph_seen_materialization_launched_and_plot_looked_at(
    page: Page, dagster: str, project
) -> None:
    page.goto(f"{dagster}/asset-groups")
    for group in ("keepers", "keepers_gpt2"):
        page.locator(f"[data-tooltip='{group}']").last.click(timeout=60_000)
    for asset in ("bulbapedia_pages", "documents", "corpus", "model", "samples", "report"):
        expect(page.get_by_text(asset, exact=True).first).to_be_visible(timeout=60_000)

    page.get_by_role("button", name="Materialize all").click()
    for _ in range(240):
        if Artifact.load(project.data / "reports/keepers-gpt2"):
            break
        time.sleep(1)
    assert Artifact.load(project.data / "reports/keepers-gpt2"), "the run did not reach its end"

    page.goto(f"{dagster}/assets/keepers-gpt2/report")
    page.get_by_text("[Show Markdown]").first.click(timeout=60_000)
    plot = page.locator("img[src^='data:image/png']").first
    expect(plot).to_be_visible(timeout=30_000)
    assert plot.evaluate("image => image.complete && image.naturalWidth > 100")
