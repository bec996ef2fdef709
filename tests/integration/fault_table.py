"""The table of what servers do wrong (issue 3), and what a crawl makes of each.

`GOES_ON`: all else is had of the site, and the crawl is complete. `ENDS`: the site is left alone,
and the crawl ends with an error that says why.
"""

import gzip
import json
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache

import brotli

from tests.integration.fault_server import (
    Fault,
    Wire,
    at_random,
    breaks_off,
    claims,
    drips,
    drips_headers,
    packed,
    says,
    silent,
    streams,
)

API = "/w/api.php"
ROBOTS = "/robots.txt"
PAGE = "/wiki/Film_03"
MB = 10**6
#: Waits and sizes so small that the table costs little, so large that a busy machine is no fault.
SETTINGS = {
    "DOWNLOAD_TIMEOUT": 3,
    "DOWNLOAD_MAXSIZE": 8 * 2**20,
    "RETRY_TIMES": 1,
    "RETRY_BACKOFF": 0.1,
    "CONCURRENT_REQUESTS": 64,  # a site that rests holds no other up
}
OPTIONS = tuple(part for item in SETTINGS.items() for part in ("-s", "{}={}".format(*item)))
TRIES = 2


@dataclass(frozen=True)
class GoesOn:
    """A fault after which all else is had. `times`: how often it is committed; None: always."""

    name: str
    path: str
    fault: Fault
    times: int | None = None
    failure: tuple[str, ...] = ()  # words about the page, which is then missing; none: it is had
    asked: int = 1  # how often at most the path is asked for
    rest: float = 0.0  # seconds at least until the next request to this site
    body: bytes | None = None  # of the page as stored


@dataclass(frozen=True)
class Ends:
    """A fault after which the site is left alone."""

    name: str
    path: str
    fault: Fault
    error: tuple[str, ...]  # words of the one line on stderr
    stored: int  # how many pages came before
    asked: int = 1  # how often at most the path is asked for
    times: None = None  # always


def busy_until_a_date(wire: Wire) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=3), usegmt=True)
    says(503, "busy", Retry_After=date)(wire)


def lagging(**headers: str) -> Fault:
    """MediaWiki's word that its databases lag, with status 200."""
    said = {"Content_Type": "application/json", "MediaWiki_API_Error": "maxlag", **headers}
    return says(200, '{"error": {"code": "maxlag", "info": "Waiting for a database"}}', **said)


@cache
def bomb() -> bytes:
    """Some 300 kB that unpack to 300 MB."""
    packer = zlib.compressobj(wbits=31)
    return b"".join(packer.compress(bytes(MB)) for _ in range(300)) + packer.flush()


INVALID = b"<html><body><h2>Plot</h2><p>Na\xefve \xff\xfe\xc3( end.\x00</p></body></html>"
BROKE_OFF = ("broke off", "run the same command again")
TOO_LARGE = ("larger than allowed", "DOWNLOAD_MAXSIZE")
TOO_SLOW = ("not whole in time", "DOWNLOAD_TIMEOUT")
NOT_ASKED = ("which was not asked for",)
LOOP = ("redirects without end",)  # REDIRECT_MAX_TIMES = 5
OFF_THE_SITE = ("leads off the site", "`site:`")

GOES_ON = (
    GoesOn("429 with seconds", PAGE, says(429, Retry_After="1"), 1, asked=2, rest=1.0),
    GoesOn("503 with a date", PAGE, busy_until_a_date, 1, asked=2, rest=2.0),
    GoesOn("429 without Retry-After", PAGE, says(429), 1, asked=2, rest=0.5),
    GoesOn("429 with a wait that is none", PAGE, says(429, Retry_After="soon"), 1, asked=2,
           rest=0.5),
    GoesOn("429 in a packing that was not asked for", PAGE, says(429, "?", Content_Encoding="br"),
           1, asked=2, rest=0.5),
    GoesOn("503 for one page", PAGE, says(503), None, ("busy or broken (status 503)",), TRIES),
    GoesOn("reset in mid-body, once", PAGE, breaks_off("length", reset=True), 1, asked=2),
    *(
        GoesOn(f"reset in mid-body ({framing})", PAGE, breaks_off(framing, reset=True), None,
               BROKE_OFF, TRIES)
        for framing in ("length", "chunks", "close")
    ),
    *(
        GoesOn(f"truncated body ({framing})", PAGE, breaks_off(framing), None, BROKE_OFF, TRIES)
        for framing in ("length", "chunks", "close")
    ),
    GoesOn("Content-Length too long", PAGE, claims(+500), None, BROKE_OFF, TRIES),
    GoesOn("Content-Length too short", PAGE, claims(-500), None, BROKE_OFF, TRIES),
    GoesOn("slow drip", PAGE, drips, None, TOO_SLOW, TRIES),
    GoesOn("slow drip of headers", PAGE, drips_headers, None, TOO_SLOW, TRIES),
    GoesOn("silence", PAGE, silent, None, TOO_SLOW, TRIES),
    GoesOn("no HTTP", PAGE, at_random, None, ("no answer that can be read",), TRIES),
    GoesOn("redirect loop", PAGE, says(302, Location=PAGE), None, LOOP, 6),
    GoesOn("redirect off the site", PAGE, says(302, Location="http://localhost:9/"), None,
           OFF_THE_SITE),
    GoesOn("redirect to a private address", PAGE, says(302, Location="http://10.0.0.1/secret"),
           None, OFF_THE_SITE),
    GoesOn("redirect to a cloud's metadata", PAGE,
           says(302, Location="http://169.254.169.254/latest/meta-data/"), None, OFF_THE_SITE),
    GoesOn("redirect to a file", PAGE, says(302, Location="file:///etc/hostname"), None,
           ("answered with status 302",)),
    GoesOn("redirect to no address", PAGE, says(302, Location="http://[::1"), None,
           ("what is no address",)),
    GoesOn("gzip", PAGE, packed(gzip.compress, "gzip")),
    GoesOn("gzip bomb", PAGE, packed(lambda _: bomb(), "gzip"), None, TOO_LARGE),
    GoesOn("truncated gzip", PAGE, packed(gzip.compress, "gzip", cut=0.5), None,
           ("cannot be unpacked", "breaks off"), TRIES),
    GoesOn("gzip that is none", PAGE, packed(lambda body: body, "gzip"), None,
           ("cannot be unpacked",), TRIES),
    *(
        GoesOn(f"packed as {encoding}", PAGE, packed(pack, encoding), None, NOT_ASKED)
        for encoding, pack in (("br", brotli.compress), ("deflate", zlib.compress),
                               ("gzip, gzip", gzip.compress), ("zstd", bytes))
    ),
    GoesOn("100 MB page with its length", PAGE, streams(100 * MB, "length"), None, TOO_LARGE),
    GoesOn("100 MB page in chunks", PAGE, streams(100 * MB, "chunks"), None, TOO_LARGE),
    GoesOn("100 MB page until it closes", PAGE, streams(100 * MB, "close"), None, TOO_LARGE),
    GoesOn("maxlag", API, lagging(Retry_After="1"), 1, asked=2, rest=1.0),
    GoesOn("maxlag without Retry-After", API, lagging(), 1, asked=2, rest=5.0),
    GoesOn("robots.txt 404", ROBOTS, says(404)),
    GoesOn("robots.txt of 5 MB", ROBOTS,
           says(200, f"User-agent: *\nDisallow: {PAGE}\n" + "# filler\n" * 550_000), None,
           ("robots.txt closes",), asked=1),
    GoesOn("invalid UTF-8", PAGE, says(200, INVALID), body=INVALID),
    GoesOn("empty body", PAGE, says(200), None, ("is no HTML page", "0 bytes")),
    GoesOn("another kind", PAGE, says(200, "{}", Content_Type="application/json"), None,
           ("is no HTML page", "application/json")),
)  # fmt: skip

ENDS = (
    Ends("429 for a day", PAGE, says(429, Retry_After="86400"), ("86400 s", "Retry-After"), 2),
    Ends("503 storm", "/wiki/*", says(503), ("8 pages in a row", "status 503"), 0, asked=12),
    Ends("robots.txt 503", ROBOTS, says(503), ("answered 503", "RFC 9309"), 0, asked=TRIES),
    Ends("robots.txt time-out", ROBOTS, silent, ("not whole in time", "RFC 9309"), 0, asked=TRIES),
    Ends("robots.txt of 100 MB", ROBOTS, streams(100 * MB, "chunks"), ("larger", "RFC 9309"), 0),
    Ends("robots.txt elsewhere", ROBOTS, says(302, Location="http://localhost:9/robots.txt"),
         ("leads off the site", "RFC 9309"), 0),
    Ends("HTML where JSON was asked", API, says(200, "<html>Welcome</html>"), ("not JSON",), 0),
    Ends("API error with status 200", API,
         says(200, '{"error": {"code": "readonly", "info": "no"}}'), ("readonly: no",), 0),
    Ends("API error that forges lines", API,
         says(200, json.dumps({"error": {"code": "x", "info": "\x1b[2J\nerror: forged\n" * 99}})),
         (r"answered x: \x1b[2J\nerror: forged\n",), 0),
    Ends("JSON of another shape", API, says(200, '{"query": {"pages": [7]}}'), ("not the API",), 0),
    Ends("JSON without end", API, says(200, "[" * 10**6), ("not JSON",), 0),
    Ends("JSON that is no text", API, says(200, r'{"query": {"pages": [{"title": "\ud800"}]}}'),
         ("not JSON",), 0),
    Ends("API that breaks off", API, breaks_off("close"), BROKE_OFF, 0, asked=TRIES),
    Ends("API that is reset", API, breaks_off("length", reset=True), BROKE_OFF, 0, asked=TRIES),
    Ends("API that drips", API, drips, TOO_SLOW, 0, asked=TRIES),
    Ends("API of 100 MB", API, streams(100 * MB, "chunks"), TOO_LARGE, 0),
    Ends("API in circles", API, says(302, Location=API), LOOP, 0, asked=6),
    Ends("API at no address", API, says(302, Location="http://[::1"), ("what is no address",), 0),
    Ends("maxlag for a day", API, lagging(Retry_After="86400"), ("86400 s", "maxlag"), 0),
    Ends("maxlag without end", API, lagging(Retry_After="0"), ("answered maxlag",), 0, asked=21),
    Ends("challenge by header", PAGE,
         says(403, "<html></html>", cf_mitigated="challenge"), ("challenge", "a no"), 2),
    Ends("challenge by title", PAGE,
         says(200, "<!doctype html><html><head><title>Just a moment...</title></head></html>"),
         ("challenge", "a no"), 2),
    Ends("challenge by markup", PAGE,
         says(503, "<html><body><script>window._cf_chl_opt={}</script></body></html>"),
         ("challenge", "a no"), 2),
    Ends("challenge in a packing that was not asked for", PAGE,
         says(403, "?", cf_mitigated="challenge", Content_Encoding="br"), ("challenge", "a no"), 2),
    Ends("challenge of the API", API,
         says(403, "<html></html>", cf_mitigated="challenge"), ("challenge", "a no"), 0),
    Ends("challenge for robots.txt", ROBOTS,
         says(403, "<html></html>", cf_mitigated="challenge"), ("challenge", "a no"), 0),
)  # fmt: skip
