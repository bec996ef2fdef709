"""Serves sites on loopback and keeps a log of what was asked, so that tests can judge politeness.

One thread a connection, HTTP/1.1 with keep-alive as the real sites have it; standard library only,
because the demo starts it before anything else is known to work.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from types import TracebackType

from crawlers.samplesite.exchange import Request, Response, Site, text

#: Only sample sites answer here: says which site this is and what it was started with.
HEALTH_PATH = "/.well-known/loremill-sample-site"
HOST = "127.0.0.1"


class PortTakenError(OSError):
    """Something else listens on the port."""

    def __init__(self, port: int):
        super().__init__(
            f"port {port} on {HOST} is taken by another program; end it, or choose other ports "
            "with --ports A,B,C (0: any free one)"
        )
        self.port = port


@dataclass(frozen=True)
class LoggedRequest:
    """A request as it came in; `time` in seconds of the monotonic clock."""

    site: str
    method: str
    path: str  # with the query
    time: float
    user_agent: str
    status: int


class RequestLog:
    """The requests received, in order of arrival; health probes are left out."""

    def __init__(self) -> None:
        self._entries: list[LoggedRequest] = []
        self._lock = Lock()

    def add(self, entry: LoggedRequest) -> None:
        """Note one request."""
        with self._lock:
            self._entries.append(entry)

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._entries.clear()

    def entries(self, site: str | None = None) -> list[LoggedRequest]:
        """All requests, or those to one site."""
        with self._lock:
            return [entry for entry in self._entries if site in (None, entry.site)]

    def paths(self, site: str | None = None) -> list[str]:
        """Path and query of each request."""
        return [entry.path for entry in self.entries(site)]


class _Handler(BaseHTTPRequestHandler):
    server: "_Server"
    protocol_version = "HTTP/1.1"
    server_version = "LoremillSampleSite"
    disable_nagle_algorithm = True  # else headers and body of a small answer wait for each other
    wbufsize = -1

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Requests go to the log of the sites, not to stderr."""

    def _answer(self) -> None:
        arrived = time.monotonic()
        form = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode("latin-1")
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers, form, self.server.origin)
        if request.path == HEALTH_PATH:
            response = self.server.health()
        else:
            response = self.server.site.answer(request)
            agent = headers.get("user-agent", "")
            self.server.log.add(
                LoggedRequest(self.server.site.name, self.command, self.path, arrived, agent,
                              response.status)
            )  # fmt: skip
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        if response.status != 304:
            self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, port: int, site: Site, log: RequestLog):
        try:
            super().__init__((HOST, port), _Handler)
        except OSError as error:
            raise PortTakenError(port) from error
        self.site, self.log = site, log
        self.origin = f"http://{HOST}:{self.server_address[1]}"
        self._health = {"site": site.name, "content": site.content_hash()}

    def health(self) -> Response:
        return text(200, json.dumps(self._health), "application/json")


class SiteServer:
    """Several sites, each on a port of its own, for as long as the context lasts."""

    def __init__(self, sites: Sequence[Site], ports: Sequence[int]):
        self.log = RequestLog()
        self._servers: list[_Server] = []
        try:
            for site, port in zip(sites, ports, strict=True):
                self._servers.append(_Server(port, site, self.log))
        except PortTakenError:
            self.close()
            raise
        self._threads = [
            Thread(target=server.serve_forever, args=(0.05,), daemon=True)
            for server in self._servers
        ]
        for thread in self._threads:
            thread.start()

    @property
    def origins(self) -> list[str]:
        """http://host:port of each site, in order."""
        return [server.origin for server in self._servers]

    def close(self) -> None:
        """Stop listening."""
        for server in self._servers:
            if hasattr(self, "_threads"):
                server.shutdown()
            server.server_close()

    def __enter__(self) -> "SiteServer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
