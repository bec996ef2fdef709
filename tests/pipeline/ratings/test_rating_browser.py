"""A rating in a real browser: by keyboard, by touch on a phone, and from a hostile page."""

import http.server
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from pipeline.ratings.server import Server
from pipeline.ratings.session import Session
from pipeline.ratings.stories import Writer, pairs_of_models
from pipeline.ratings.votes import read
from tests.pipeline.ratings.contest import HERE, row, table

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs a system Chromium (apt: chromium)")

HOSTILE = "</div><script>document.title = 'owned'</script><img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
        )
        yield found
        found.close()


@pytest.fixture
def votes(tmp_path: Path) -> Path:
    return tmp_path / "owl.jsonl"


@pytest.fixture
def server(votes: Path) -> Iterator[Server]:
    both = []
    for model in ("owl-lstm", "owl-gpt2"):
        texts = [f" the boats. {HOSTILE} " + "x" * 300, " nothing.", " twice. " * 200, "", " on."]
        some = [row(model, n, "The ferryman counted", text) for n, text in enumerate(texts)]
        both.append((Writer(model, 30), HERE[model], table(some)))
    with Server(Session(pairs_of_models(*both), votes, "ines", HERE)) as found:
        thread = threading.Thread(target=found.serve_forever, args=(0.05,))
        thread.start()
        yield found
        found.shutdown()
        thread.join()


def test_rated_by_keyboard_then_the_tally_names_the_writers(
    server: Server, votes: Path, browser: Browser
) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(server.address)
    for number, key in enumerate(["1", "2", "0", "s"], 1):
        expect(page.locator("#progress")).to_have_text(f"Pair {number} of 5")
        assert "owl" not in page.locator("body").inner_text()
        expect(page.locator("#question")).to_be_focused()
        page.keyboard.press(key)
    expect(page.locator("#progress")).to_have_text("Pair 5 of 5")
    page.reload()  # what was voted is not asked again
    expect(page.locator("#progress")).to_have_text("Pair 5 of 5")
    page.keyboard.press("2")
    expect(page.locator("#sentence")).to_contain_text("owl-gpt2")
    expect(page.locator("#tally-title")).to_be_focused()
    assert page.locator("#tally tbody tr").count() == 1
    assert [vote.choice for vote in read(votes)] == ["left", "right", "tie", "skip", "right"]
    assert page.title() == "Which story is better?"
    assert said == []
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_rated_by_touch_on_a_phone(
    server: Server, votes: Path, browser: Browser, scheme: Any
) -> None:
    context = browser.new_context(
        viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True, color_scheme=scheme
    )
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(server.address)
    shown = 0
    for number in range(1, 6):
        expect(page.locator("#progress")).to_have_text(f"Pair {number} of 5")
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        shown += HOSTILE in page.locator("#left").inner_text()
        for button in page.locator("[data-choice]").all():
            box = button.bounding_box()
            assert box is not None
            assert box["height"] >= 44
            assert box["y"] + box["height"] <= 740  # within reach however long the stories are
        page.get_by_role("button", name="Lower is better").tap()
    expect(page.locator("#sentence")).to_be_visible()
    assert shown == 1  # the markup was read as text
    assert [vote.choice for vote in read(votes)] == ["right"] * 5
    assert all(url.startswith((server.address, "data:")) for url in asked)
    ground = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert ground == {"light": "rgb(251, 250, 247)", "dark": "rgb(21, 23, 26)"}[scheme]
    context.close()


def test_the_tally_on_request_ends_the_blind_part(
    server: Server, votes: Path, browser: Browser
) -> None:
    page = browser.new_page()
    page.goto(server.address)
    expect(page.locator("#progress")).to_have_text("Pair 1 of 5")
    page.keyboard.press("1")
    expect(page.locator("#progress")).to_have_text("Pair 2 of 5")
    page.get_by_role("button", name="Show the tally").click()
    expect(page.locator("#sentence")).to_be_visible()
    page.keyboard.press("1")
    assert len(read(votes)) == 1
    page.close()


def test_a_server_that_is_gone_is_said(server: Server, votes: Path, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(server.address)
    expect(page.locator("#progress")).to_have_text("Pair 1 of 5")
    page.context.set_offline(True)
    page.keyboard.press("1")
    expect(page.get_by_role("alert")).to_contain_text("Not saved")
    page.context.set_offline(False)
    page.keyboard.press("1")
    expect(page.locator("#progress")).to_have_text("Pair 2 of 5")
    expect(page.get_by_role("alert")).to_have_text("")
    assert len(read(votes)) == 1
    page.close()


def test_a_page_of_another_origin_cannot_vote_even_with_the_token(
    server: Server, votes: Path, browser: Browser
) -> None:
    page_of_another = f"""<!DOCTYPE html><title>hostile</title><iframe id=frame
        src="{server.address}"></iframe><form id=form method=post target=frame enctype=text/plain
        action="{server.address}vote"><input name='{{"number": 0, "choice": "left", "x": "'
        value='"}}'></form>"""

    class Elsewhere(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page_of_another.encode())

        def log_message(self, *args: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as elsewhere:
        threading.Thread(target=elsewhere.serve_forever, args=(0.05,), daemon=True).start()
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{elsewhere.server_port}/")
        tried = page.evaluate(
            """async (address) => {
                const body = JSON.stringify({number: 0, choice: "left"});
                const ways = [
                    {method: "POST", body, mode: "no-cors"},
                    {method: "POST", body, headers: {"Content-Type": "application/json"}},
                ];
                const said = [];
                for (const way of ways) {
                    try { said.push((await fetch(address + "vote", way)).type); }
                    catch (error) { said.push("refused"); }
                }
                document.getElementById("form").submit();
                await new Promise((done) => setTimeout(done, 500));
                let seen = "nothing";
                try { seen = document.getElementById("frame").contentDocument.body.innerText; }
                catch (error) {}
                return [...said, seen];
            }""",
            server.address,
        )
        assert tried[1:] == ["refused", "nothing"]
        page.close()
        elsewhere.shutdown()
    assert read(votes) == []
