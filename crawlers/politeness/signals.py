"""What a site and a page say about use by machines: recorded with the page, so no report hides it.

`Content-Signal` in robots.txt and as a header (https://contentsignals.org), `noai` in X-Robots-Tag
and in the robots meta tag
(https://www.deviantart.com/team/journal/UPDATE-All-Deviations-Are-Opted-Out-of-AI-Datasets-934500371),
TDM reservation (https://www.w3.org/community/reports/tdmrep/CG-FINAL-tdmrep-20240510/). Only the
words of these vocabularies are taken, so that what is recorded stays short whatever a site sends.
Where two contradict each other, the one that reserves more counts.
"""

import re
from collections.abc import Iterable

from scrapy.http import Response

from crawlers.contact import ROBOT

_OURS = ROBOT.lower()
#: How far a page's head is looked for; MediaWiki's ends within 20 kB.
_HEAD = 64 * 2**10
_SEPARATOR = "; "
_CONTENT_SIGNAL = re.compile(r"(?<![\w-])(search|ai-input|ai-train)\s*=\s*(yes|no)(?![\w-])", re.I)
#: Directives of X-Robots-Tag whose value follows a colon, as a robot's name is followed by its own.
_VALUED = {"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"}
_WORDS = (b"noai", b"noimageai", b"tdm-reservation")
_META = re.compile(rb"<meta\b([^<>]{1,500})>")
_ATTRIBUTE = re.compile(rb"""\b(name|content)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""")
_USER_AGENT = {"user-agent", "useragent", "user agent"}
_NO_GROUP = {"sitemap", "sitemaps", "site-map", "host"}  # of the whole file


def usage_signals(response: Response) -> str | None:
    """What the response says, e.g. `ai-train=no; noai`; None where it says nothing."""
    found: set[str] = set()
    for value in _header(response, "X-Robots-Tag"):
        found |= _directives(value)
    for value in _header(response, "Content-Signal"):
        found |= _content_signals(value)
    for value in _header(response, "tdm-reservation"):
        found |= _reservation(value)
    if b"html" in (response.headers.get("Content-Type") or b"").lower():
        found |= _in_head(response.body[:_HEAD].lower().partition(b"</head")[0])
    return _canonical(found)


def robots_signals(text: str) -> str | None:
    """What a robots.txt says to this robot by `Content-Signal`, in the group that is for it.

    Groups and their agents are matched as Protego does for Allow and Disallow, which leaves this
    line out: of the agents that our name begins with the longest, else `*`.
    """
    groups: dict[str, set[str]] = {}
    agents: list[str] = []
    in_group = True
    for line in text.splitlines():
        name, colon, value = line.partition("#")[0].lower().partition(":")
        name, value = name.strip(), value.strip()
        if name in _USER_AGENT:
            if in_group:
                agents, in_group = [], False
            if agent := value if value == "*" else value.replace("*", ""):
                agents.append(agent)
                groups.setdefault(agent, set())
        elif colon and name not in _NO_GROUP:
            in_group = True
            if name == "content-signal":
                for agent in agents:
                    groups[agent] |= _content_signals(value)
    named = [agent for agent in groups if agent != "*" and _OURS.startswith(agent)]
    return _canonical(groups.get(max(named, key=len, default="*"), set()))


def combined(*signals: str | None) -> str | None:
    """What site and page say together."""
    return _canonical({signal for said in signals for signal in split(said)})


def split(signals: str | None) -> list[str]:
    """The single signals, e.g. `["ai-train=no", "noai"]`."""
    return signals.split(_SEPARATOR) if signals else []


def _header(response: Response, name: str) -> Iterable[str]:
    return (value.decode("latin-1") for value in response.headers.getlist(name))


def _directives(value: str) -> set[str]:
    """`noai` and `noimageai` of a list that may be addressed: `noai`, `somebot: noai, noindex`."""
    found = set()
    for_us = True
    for part in value.lower().split(","):
        agent, colon, directive = part.partition(":")
        if colon and agent.strip() not in _VALUED:
            for_us = agent.strip() in (_OURS, "*")
        else:
            directive = part
        if for_us and directive.strip() in ("noai", "noimageai"):
            found.add(directive.strip())
    return found


def _content_signals(value: str) -> set[str]:
    return {f"{key}={said}".lower() for key, said in _CONTENT_SIGNAL.findall(value)}


def _reservation(value: str) -> set[str]:
    return {f"tdm-reservation={value.strip()}"} if value.strip() in ("0", "1") else set()


def _in_head(head: bytes) -> set[str]:
    """What the meta tags of a head in small letters say."""
    found: set[str] = set()
    if not any(word in head for word in _WORDS):  # as nearly always
        return found
    for meta in _META.finditer(head):
        told = {key: b"".join(values).decode("latin-1")
                for key, *values in _ATTRIBUTE.findall(meta.group(1))}  # fmt: skip
        name, content = told.get(b"name", ""), told.get(b"content", "")
        if name in ("robots", _OURS):
            found |= _directives(content)
        elif name == "tdm-reservation":
            found |= _reservation(content)
    return found


def _canonical(found: set[str]) -> str | None:
    """Sorted, and without a yes where there is a no."""
    kept = found - {f"{key}=yes" for key in ("search", "ai-input", "ai-train")
                    if f"{key}=no" in found}  # fmt: skip
    if "tdm-reservation=1" in kept:
        kept.discard("tdm-reservation=0")
    return _SEPARATOR.join(sorted(kept)) or None
