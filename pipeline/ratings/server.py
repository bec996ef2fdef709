"""The page on which a person rates, served to this machine alone.

Whoever cannot read the address has no part in it: it holds a random token, the socket listens on
loopback, a name that resolves to loopback is refused by its Host (DNS rebinding), and a vote must
come from the page itself by its Origin, as JSON, which no form of another page can send. A vote is
answered when it is on disk.
"""

import json
import secrets
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any

from pipeline.model_spec import ModelError
from pipeline.ratings import speech
from pipeline.ratings.session import Session, Shown
from pipeline.ratings.stories import Story
from pipeline.ratings.tally import Tally
from pipeline.ratings.votes import CHOICES
from pipeline.reports.text import plain

HOST = "127.0.0.1"
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",  # the token stays here, and fetch still tells its Origin
    "X-Content-Type-Options": "nosniff",
}
#: What the page is made of: the reports' style sheet and three files of its own.
_FILES = {
    "": ("pipeline.ratings", "page/rate.html", "text/html"),
    "rate.css": ("pipeline.ratings", "page/rate.css", "text/css"),
    "rate.js": ("pipeline.ratings", "page/rate.js", "text/javascript"),
    "report.css": ("pipeline.reports", "templates/report.css", "text/css"),
}
#: Bytes of a vote; seconds that a connection may idle.
_MOST, _IDLE = 1000, 60


class Server(ThreadingHTTPServer):
    """Serves one session at `address` until it is shut down. Raises OSError on a port in use."""

    daemon_threads = True

    def __init__(self, session: Session, port: int = 0):
        super().__init__((HOST, port), _Handler)
        self.session = session
        self.token = secrets.token_urlsafe(24)

    @property
    def origin(self) -> str:
        """The scheme, host and port that a browser must name."""
        return f"http://{HOST}:{self.server_port}"

    @property
    def address(self) -> str:
        """Where a person rates; whoever knows it may."""
        return f"{self.origin}/{self.token}/"


class _RefusedError(Exception):
    def __init__(self, status: HTTPStatus, why: str):
        super().__init__(why)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "loremill"
    sys_version = ""
    timeout = _IDLE
    server: Server

    def do_GET(self) -> None:
        """The page and its files, and the next pair."""
        self._answer(self._get)

    def do_POST(self) -> None:
        """A vote; the tally, which ends the blind part."""
        self._answer(self._post)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name it has there
        """Nothing: a line a request would bury what the command says."""

    def _get(self) -> None:
        asked = self._asked()
        if asked == "next":
            self._send_json(_pair(self.server.session.next()))
        elif asked in _FILES:
            package, name, kind = _FILES[asked]
            self._send(HTTPStatus.OK, kind, files(package).joinpath(name).read_bytes())
        else:
            raise _RefusedError(HTTPStatus.NOT_FOUND, "there is no such page")

    def _post(self) -> None:
        said = self._said()
        asked = self._asked()
        if self.headers.get("Origin") != self.server.origin:
            raise _RefusedError(HTTPStatus.FORBIDDEN, "a vote comes from the page itself")
        if asked == "tally":
            self._send_json(_tally(self.server.session.tally()))
        elif asked == "vote":
            number, choice = said.get("number"), said.get("choice")
            if type(number) is not int or choice not in CHOICES:
                raise _RefusedError(HTTPStatus.BAD_REQUEST, "a vote is a number and a choice")
            self._send_json(_pair(self.server.session.vote(number, choice)))
        else:
            raise _RefusedError(HTTPStatus.NOT_FOUND, "there is no such page")

    def _asked(self) -> str:
        """What is asked for behind the token. Raises _RefusedError for a stranger."""
        if self.headers.get("Host") != f"{HOST}:{self.server.server_port}":
            raise _RefusedError(HTTPStatus.FORBIDDEN, f"ask for {HOST}, by its port, as told")
        token, slash, asked = self.path.removeprefix("/").partition("/")
        if not slash or not secrets.compare_digest(token.encode(), self.server.token.encode()):
            raise _RefusedError(HTTPStatus.NOT_FOUND, "there is no such page")
        return asked

    def _said(self) -> Mapping[str, Any]:
        """The JSON object that came. Raises _RefusedError."""
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit() or int(length) > _MOST:
            self.close_connection = True  # what follows was not read
            raise _RefusedError(HTTPStatus.BAD_REQUEST, f"at most {_MOST} bytes, and their number")
        body = self.rfile.read(int(length))
        if self.headers.get_content_type() != "application/json":
            raise _RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "only JSON")
        try:
            said = json.loads(body)
        except (ValueError, RecursionError):  # the latter of brackets within brackets
            said = None
        if not isinstance(said, dict):
            raise _RefusedError(HTTPStatus.BAD_REQUEST, "only a JSON object")
        return said

    def _answer(self, work: Callable[[], None]) -> None:
        try:
            work()
        except _RefusedError as error:
            self._send_error(error.status, error)
        except ModelError as error:
            self._send_error(HTTPStatus.CONFLICT, error)
        except (BrokenPipeError, ConnectionResetError, TimeoutError):
            self.close_connection = True  # nobody listens any more
        except OSError as error:
            self._send_error(HTTPStatus.INSUFFICIENT_STORAGE, error)

    def _send_error(self, status: HTTPStatus, error: Exception) -> None:
        self._send_json({"error": plain(str(error))}, status)

    def _send_json(self, said: Mapping[str, Any], status: HTTPStatus = HTTPStatus.OK) -> None:
        self._send(status, "application/json", json.dumps(said).encode())

    def _send(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _pair(shown: Shown | None) -> dict[str, Any]:
    """The stories without a word on who wrote them; nothing more where all are rated."""
    if shown is None:
        return {"over": True}
    return {
        "number": shown.number,
        "done": shown.done,
        "total": shown.total,
        "genre": plain(shown.left.genre),
        "prompt": plain(shown.left.prompt),
        "left": _text(shown.left),
        "right": _text(shown.right),
    }


def _text(story: Story) -> str:
    # A run of empty lines says no more than one, and a looping model writes thousands.
    lines = plain(story.text).splitlines()
    kept = [line for n, line in enumerate(lines) if line.strip() or (n and lines[n - 1].strip())]
    return "\n".join(kept).rstrip()


def _tally(tally: Tally | None) -> dict[str, Any]:
    if tally is None:
        return {"sentence": "There is no vote yet.", "notes": [], "columns": [], "rows": []}
    first, second = plain(str(tally.first)), plain(str(tally.second))
    return {
        "sentence": speech.sentence(tally),
        "notes": list(speech.notes(tally)),
        "columns": ["rater", f"{first} better", f"{second} better", "no difference", "skipped"],
        "rows": speech.rows(tally),
    }
