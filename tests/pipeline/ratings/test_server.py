"""The rating's page over real HTTP: what it tells, and whom it refuses."""

import http.client
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.ratings.server import Server
from pipeline.ratings.votes import read
from tests.pipeline.ratings.contest import session


@pytest.fixture
def votes(tmp_path: Path) -> Path:
    return tmp_path / "ratings" / "owl.jsonl"


@pytest.fixture
def server(votes: Path) -> Iterator[Server]:
    with Server(session(votes)) as found:
        thread = threading.Thread(target=found.serve_forever, args=(0.05,))
        thread.start()
        yield found
        found.shutdown()
        thread.join()


def ask(server: Server, method: str, path: str, body: Any = None, **headers: str) -> Any:
    """Status, headers and body."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    sent = {"Origin": server.origin, "Content-Type": "application/json"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    try:
        said = body if body is None or isinstance(body, bytes) else json.dumps(body)
        connection.request(method, path, said, {k: v for k, v in sent.items() if v})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def test_the_page_names_no_writer_and_loads_nothing_from_elsewhere(server: Server) -> None:
    home = f"/{server.token}/"
    for name in ("", "rate.css", "rate.js", "report.css", "next"):
        status, headers, body = ask(server, "GET", home + name)
        assert status == 200
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'; script-src 'self'")
        assert "frame-ancestors 'none'" in policy
        assert b"//" not in body or name.endswith((".css", ".js"))
        assert b"http" not in body.replace(b"http-equiv", b"")
    pair = json.loads(ask(server, "GET", home + "next")[2])
    assert set(pair) == {"number", "done", "total", "genre", "prompt", "left", "right"}


def test_a_vote_is_on_disk_when_it_is_answered(server: Server, votes: Path) -> None:
    home = f"/{server.token}/"
    pair = json.loads(ask(server, "GET", home + "next")[2])
    status, _, body = ask(
        server, "POST", home + "vote", {"number": pair["number"], "choice": "left"}
    )
    assert status == 200
    assert json.loads(body)["done"] == 1
    assert [vote.choice for vote in read(votes)] == ["left"]
    _, _, body = ask(server, "POST", home + "tally", {})
    assert "owl-gpt2" in json.loads(body)["sentence"]
    status, _, body = ask(server, "POST", home + "vote", {"number": 0, "choice": "left"})
    assert (status, "blind part is over" in json.loads(body)["error"]) == (409, True)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://elsewhere.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
        ({"Host": "elsewhere.example"}, 403),
        ({"Host": "localhost:80"}, 403),
        ({"Content_Type": "text/plain"}, 415),
        ({"Content_Type": "application/x-www-form-urlencoded"}, 415),
    ],
)
def test_a_page_of_another_origin_cannot_vote_or_ask_for_the_tally(
    server: Server, votes: Path, headers: dict[str, str], status: int
) -> None:
    for what in ("vote", "tally"):
        vote = {"number": 0, "choice": "left"}
        answer = ask(server, "POST", f"/{server.token}/{what}", vote, **headers)
        assert answer[0] == status
        assert b"owl" not in answer[2]
    assert read(votes) == []
    assert not server.session.ended


@pytest.mark.parametrize("path", ["/", "/next", "//next", "/x/next", "/{token}", "/{token}x/next"])
def test_without_the_token_there_is_nothing(server: Server, path: str) -> None:
    status, _, body = ask(server, "GET", path.replace("{token}", server.token))
    assert status == 404
    assert b"lamps" not in body


@pytest.mark.parametrize(
    "body",
    [
        {}, {"number": "0", "choice": "left"}, {"number": 0}, {"number": True, "choice": "left"},
        {"number": 0, "choice": "best"}, [], {"number": 0, "choice": "left", "x": "y" * 2000},
        b"{", b"[" * 990,
    ],
)  # fmt: skip
def test_what_is_no_vote_is_refused(server: Server, votes: Path, body: Any) -> None:
    status, _, said = ask(server, "POST", f"/{server.token}/vote", body)
    assert status == 400
    assert json.loads(said)["error"]
    assert read(votes) == []


def test_a_vote_that_cannot_be_kept_says_so_and_the_pair_comes_again(
    server: Server, votes: Path
) -> None:
    votes.parent.write_text("a file where the folder should be")
    home = f"/{server.token}/"
    before = ask(server, "GET", home + "next")[2]
    number = json.loads(before)["number"]
    status, _, body = ask(server, "POST", home + "vote", {"number": number, "choice": "tie"})
    assert status == 507
    assert json.loads(body)["error"]
    assert ask(server, "GET", home + "next")[2] == before
