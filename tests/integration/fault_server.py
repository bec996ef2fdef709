"""A wiki on loopback that misbehaves on one path, over raw sockets.

A server made of a library cannot break off in the middle, drip or lie about a length, so answers
are written here byte by byte. What has no fault is answered by the sample site's wiki. One thread a
connection, as the sample sites have it.
"""

import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from http import HTTPStatus
from threading import Lock, Thread

from crawlers.samplesite.exchange import Request, Response
from crawlers.samplesite.replicas import wikipedia
from crawlers.samplesite.wiki_site import WikiSite

HOST = "127.0.0.1"
#: Enough that one page that cannot be had leaves a crawl complete.
TITLES = tuple(f"Film {n:02}" for n in range(1, 13))
#: How a body's end is told: its length beforehand, chunks (RFC 9112, section 7.1), or by closing.
FRAMINGS = ("length", "chunks", "close")
_PIECE = 2**16


def films() -> WikiSite:
    """A wiki of a dozen films."""
    wiki = wikipedia()
    for title in TITLES:
        plot = f"<p>What befell the crew of {title} cannot be told in a word.</p>" * 20
        wiki.create(title, f"<h2>Plot</h2>{plot}", categories=("Films",))
    return WikiSite(wiki)


def source(server: "FaultServer", **keys: object) -> dict[str, object]:
    """All films of the server, as the YAML has them."""
    named = {} if "categories" in keys else {"titles": list(TITLES)}
    return {"spider": "wikipedia", "site": server.origin, **named, **keys}


@dataclass
class Wire:
    """One connection, and what a healthy server would answer to the request at hand."""

    socket: socket.socket
    request: Request
    healthy: Response
    server: "FaultServer"
    kept: bool = False  # open for the next request

    def head(self, status: int, **headers: str) -> None:
        """Send the status and headers; underscores in names stand for hyphens."""
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))

    def reset(self) -> None:
        """End the connection by RST: whoever reads learns that something broke."""
        time.sleep(0.05)  # what was sent is read first: a reset overtakes it
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def wait_for_hanging_up(self) -> None:
        """Say nothing more until the other side has gone."""
        while self.socket.recv(_PIECE):
            pass


Fault = Callable[[Wire], None]


def says(status: int, body: bytes | str = b"", **headers: str) -> Fault:
    """A well-formed answer."""
    content = body.encode() if isinstance(body, str) else body

    def answer(wire: Wire) -> None:
        named = {"Content_Type": "text/html; charset=UTF-8", **headers}
        wire.head(status, **named, Content_Length=str(len(content)))
        wire.socket.sendall(content)
        wire.kept = True

    return answer


def breaks_off(framing: str, *, reset: bool = False) -> Fault:
    """Half of the page; then the connection is closed, or reset."""

    def answer(wire: Wire) -> None:
        body = wire.healthy.body
        _body_head(wire, framing, len(body))
        half = body[: len(body) // 2]
        wire.socket.sendall(_chunk(half) if framing == "chunks" else half)
        if reset:
            wire.reset()

    return answer


def claims(difference: int) -> Fault:
    """The whole page, with a Content-Length that is wrong by so many bytes."""

    def answer(wire: Wire) -> None:
        body = wire.healthy.body
        _body_head(wire, "length", len(body) + difference)
        wire.socket.sendall(body)
        wire.kept = difference < 0  # the rest of the page meets the next request

    return answer


def packed(pack: Callable[[bytes], bytes], encoding: str, cut: float = 1.0) -> Fault:
    """The page compressed, or so much of the compressed page."""

    def answer(wire: Wire) -> None:
        body = pack(wire.healthy.body)
        says(200, body[: int(len(body) * cut)], Content_Encoding=encoding)(wire)

    return answer


def drips(wire: Wire) -> None:
    """A byte now and then, for ever: always alive, never done."""
    _body_head(wire, "length", 10**6)
    while True:
        wire.socket.sendall(b" ")
        time.sleep(0.05)


def drips_headers(wire: Wire) -> None:
    """The same, before the body."""
    wire.socket.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        wire.socket.sendall(b"X-Filler: x\r\n")
        time.sleep(0.05)


def floods_headers(wire: Wire) -> None:
    """Headers without end, as fast as they are taken."""
    wire.socket.sendall(b"HTTP/1.1 200 OK\r\n")
    some = b"".join(b"X-Filler-%d: %s\r\n" % (n, b"x" * 200) for n in range(300))
    while True:
        wire.socket.sendall(some)


def silent(wire: Wire) -> None:
    """Takes the request and says nothing."""
    wire.wait_for_hanging_up()


def dies(wire: Wire) -> None:
    """Takes the request, then the whole server is gone."""
    wire.server.die()


def streams(size: int, framing: str, **headers: str) -> Fault:
    """A page of so many bytes, never held in memory here."""

    def answer(wire: Wire) -> None:
        _body_head(wire, framing, size, **headers)
        piece = b"<p>lore</p>\n" * (_PIECE // 12)
        for start in range(0, size, len(piece)):
            part = piece[: size - start]
            wire.socket.sendall(_chunk(part) if framing == "chunks" else part)
        if framing == "chunks":
            wire.socket.sendall(b"0\r\n\r\n")

    return answer


def at_random(wire: Wire) -> None:
    """Bytes that are no HTTP."""
    wire.socket.sendall(bytes(range(256)) * 4)


def _body_head(wire: Wire, framing: str, length: int, **headers: str) -> None:
    how = {"length": {"Content_Length": str(length)}, "chunks": {"Transfer_Encoding": "chunked"}}
    named = {"Content_Type": "text/html; charset=UTF-8", **how.get(framing, {}), **headers}
    wire.head(200, **named)


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


@dataclass(frozen=True)
class Asked:
    """A request as it came in; `time` in seconds of the monotonic clock."""

    path: str  # without the query
    time: float


def paths(asked: list[Asked], pattern: str = "*") -> list[str]:
    """What was asked for, in order."""
    return [request.path for request in asked if fnmatchcase(request.path, pattern)]


def rest_after(asked: list[Asked], path: str) -> float:
    """Seconds from the first request of a path to the next request of anything."""
    index = next(i for i, request in enumerate(asked) if request.path == path)
    return asked[index + 1].time - asked[index].time


@dataclass
class FaultServer:
    """Serves `site`, but on paths that match `path` commits `fault`, `times` times or always."""

    site: WikiSite
    path: str = ""
    fault: Fault = silent
    times: int | None = None
    asked: list[Asked] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lock = Lock()
        self._open: set[socket.socket] = set()
        self._listen(0)
        self.port: int = self._listener.getsockname()[1]
        self.origin = f"http://{HOST}:{self.port}"

    def mend(self) -> list[Asked]:
        """Commit no more faults; what was asked for until now."""
        with self._lock:
            self.times = 0
            until_now, self.asked = self.asked, []
        return until_now

    def die(self) -> None:
        """Refuse connections and reset the open ones, as a killed process does."""
        # close() alone leaves the thread in accept(), which would take one more connection.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def serve_again(self) -> None:
        """Return, at the same address."""
        self._listen(self.port)

    def _listen(self, port: int) -> None:
        self._listener = socket.create_server((HOST, port), backlog=64)
        Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):  # the listener was closed
            while True:
                connection, _ = listener.accept()
                Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.add(connection)
        # Whoever crawls may hang up at any moment.
        with connection, suppress(OSError), connection.makefile("rb") as reader:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for request in self._requests(reader):
                wire = Wire(connection, request, self.site.answer(request), self)
                self._fault_of(request)(wire)
                if not wire.kept:
                    break
        with self._lock:
            self._open.discard(connection)

    def _requests(self, reader: Iterator[bytes]) -> Iterator[Request]:
        for first in reader:
            method, target, _ = first.decode("latin-1").split(" ", 2)
            headers = {}
            for line in reader:
                name, colon, value = line.decode("latin-1").partition(":")
                if not colon:
                    break
                headers[name.lower()] = value.strip()
            request = Request(method, target, headers, origin=self.origin)
            with self._lock:
                self.asked.append(Asked(request.path, time.monotonic()))
            yield request

    def _fault_of(self, request: Request) -> Fault:
        with self._lock:
            if fnmatchcase(request.path, self.path) and self.times != 0:
                self.times = None if self.times is None else self.times - 1
                return self.fault
        return _healthy


def _healthy(wire: Wire) -> None:
    headers = {name.replace("-", "_"): value for name, value in wire.healthy.headers.items()}
    says(wire.healthy.status, wire.healthy.body, **headers)(wire)
