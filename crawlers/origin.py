"""The origin that a person wrote for a site, made as every request has it (RFC 6454).

What a browser would forgive is told here: a user, a query or a path in it means that something else
was meant, and would be found out only by a site that answers nothing.
"""

import re
from ipaddress import IPv6Address
from urllib.parse import urlsplit


def origin(site: str) -> str:
    """http(s)://host[:port] as every request has it. Raises ValueError with what stands against.

    The host is in lower case and, where it is not ASCII, in Punycode.
    """
    if "@" in site:
        raise ValueError("is not http(s)://host[:port]: a site is read without user and password")
    try:
        parts = urlsplit(site)
        host, port = parts.hostname or "", parts.port
        if "[" in parts.netloc:
            host = f"[{IPv6Address(host)}]"
        elif not re.fullmatch(r"[a-z0-9._-]+", host := host.encode("idna").decode().lower()):
            raise ValueError("its host is no name" if host else "it names no host")
        if re.search(r"[^!-~]", site.replace(parts.netloc, "")):
            raise ValueError("it has blanks or control characters")
        if parts.scheme not in ("http", "https"):
            raise ValueError("its scheme is another")
        if parts.path not in ("", "/") or "?" in site or "#" in site:
            raise ValueError("leave out what follows the host")
        if port == 0 or parts.netloc.endswith(":"):
            raise ValueError("its port is no number from 1 to 65535")
    except ValueError as error:
        raise ValueError(f"{site!r} is not http(s)://host[:port]: {error}") from error
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}"
