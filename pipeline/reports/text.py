"""How figures and hostile text are written for a reader.

Everything a page or a model said passes through `plain` before it is shown, in HTML as in a
terminal: a control character can hide text, move a cursor or break a parser. Escaping for HTML is
Jinja's part; which addresses may become a link is decided in `web_link`.
"""

import math
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

#: Control characters but line feed and tab, lone surrogates, and bidirectional overrides, which
#: reorder what follows them past the end of their own text.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
_NOT_IN_A_LINK = re.compile(rf"\s|{_UNSAFE.pattern}")
_SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def plain(text: str) -> str:
    """The text without control characters (line feeds and tabs stay) and direction overrides."""
    return _UNSAFE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def one_line(text: str, limit: int) -> str:
    """The text on one line, of at most `limit` characters, cut with an ellipsis."""
    line = " ".join(plain(text[: 8 * limit + 64]).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def cut(text: str, limit: int) -> tuple[str, str]:
    """The text in two: at most `limit` characters, cut at a space where one is near, and the rest.

    >>> cut("Once upon a time", 12)
    ('Once upon a ', 'time')
    """
    if len(text) <= limit:
        return text, ""
    space = max(text.rfind(" ", 0, limit), text.rfind("\n", 0, limit))
    at = space + 1 if space > limit * 3 // 4 else limit
    return text[:at], text[at:]


def web_link(url: Any) -> str | None:
    """The address where it is http or https with a host, else None: it is shown as text."""
    if not isinstance(url, str) or _NOT_IN_A_LINK.search(url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:  # such as http://[::1
        return None
    return url if parts.scheme in ("http", "https") and parts.netloc else None


def number(value: float | int, digits: int = 2) -> str:
    """12,345 for a whole number; else 2.31, `digits` after the point, or 1.2 × 10⁹."""
    if isinstance(value, int):
        return f"{value:,}"
    if not math.isfinite(value):
        return str(value)
    if abs(value) >= 1e9:
        mantissa, exponent = f"{value:.1e}".split("e+")
        return f"{mantissa} × 10{str(int(exponent)).translate(_SUPERSCRIPT)}"
    return f"{value:,.{0 if abs(value) >= 1000 else digits}f}"


def size(count: int | float) -> str:
    """A number of bytes in decimal units: 48.2 kB."""
    return _scaled(count, ("bytes", "kB", "MB", "GB", "TB"))


def short(count: int | float) -> str:
    """A count to three figures: 124 M."""
    return _scaled(count, ("", "k", "M", "B", "T"))


def percent(share: float, digits: int = 0) -> str:
    """0.432 as 43 %, with a narrow no-break space."""
    return f"{100 * share:.{digits}f}\u202f%"


def signed(value: float, digits: int = 2) -> str:
    """A difference with its sign: −0.21."""
    rounded = round(value, digits)
    sign = "−" if rounded < 0 else "+" if rounded > 0 else "±"
    return f"{sign}{number(abs(rounded), digits)}"


def span(low: float | None, high: float | None, say: Callable[[float], str] = number) -> str:
    """The bounds of an interval: 2.20 to 2.42; empty where there is none."""
    return "" if low is None or high is None else f"{say(low)} to {say(high)}"


def change(before: float, after: float) -> str:
    """The change relative to `before`, with a sign: −29 %."""
    percentage = 100 * (after - before) / before
    digits = 0 if abs(percentage) >= 10 else 1
    rounded = round(percentage, digits)
    sign = "−" if rounded < 0 else "+" if rounded > 0 else "±"
    return f"{sign}{abs(rounded):.{digits}f}\u202f%"


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """1 work, 12 works."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def _scaled(count: int | float, units: tuple[str, ...]) -> str:
    value, step = float(count), 0
    while value >= 999.5 and step < len(units) - 1:
        value, step = value / 1000, step + 1
    digits = 0 if step == 0 or value >= 99.95 else 1
    return f"{value:,.{digits}f} {units[step]}".rstrip()
