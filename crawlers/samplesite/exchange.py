"""One HTTP exchange as the sample sites see it: a request, the answer, and what a site is.

Sites know nothing of sockets, so a test can ask them without a server; `server.py` puts them on
loopback.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Protocol
from urllib.parse import parse_qsl, unquote, urlsplit


@dataclass(frozen=True)
class Request:
    """A request as received; `target` is the path and query as they stood on the wire."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)  # names in lower case
    form: str = ""  # a POST's url-encoded body
    origin: str = ""  # scheme://host:port the client came in by

    @property
    def path(self) -> str:
        """The path, percent-decoded."""
        return unquote(urlsplit(self.target).path)

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the query and of the form; of a repeated one, the last."""
        query = urlsplit(self.target).query
        return dict(parse_qsl("&".join(filter(None, (query, self.form))), keep_blank_values=True))


@dataclass(frozen=True)
class Response:
    """An answer; Content-Length and Date are the server's to add."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class Site(Protocol):
    """What the server puts on a port."""

    @property
    def name(self) -> str:
        """Which site it imitates."""

    def answer(self, request: Request) -> Response:
        """Answer one request; may be called from several threads at once."""

    def content_hash(self) -> str:
        """A SHA-256 of all that the site was started with."""


def text(status: int, body: str, content_type: str = "text/plain", **headers: str) -> Response:
    """A UTF-8 answer; underscores in header names stand for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(
        status, body.encode(), {"Content-Type": f"{content_type}; charset=UTF-8", **named}
    )


def html(status: int, body: str, **headers: str) -> Response:
    """An HTML answer in UTF-8."""
    return text(status, body, "text/html", **headers)


def dated(request: Request, response: Response, modified: datetime) -> Response:
    """`response` with Last-Modified, or a 304 where the client has that version already."""
    headers = {**response.headers, "Last-Modified": format_datetime(modified, usegmt=True)}
    since = request.headers.get("if-modified-since")
    if since and response.status == 200 and modified <= _http_date(since):
        del headers["Content-Type"]
        return Response(304, b"", headers)
    return Response(response.status, response.body, headers)


def _http_date(value: str) -> datetime:
    """A date of an HTTP header; one that cannot be read counts as long ago (RFC 9110, 13.1.3)."""
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return date if date.tzinfo else date.replace(tzinfo=UTC)
