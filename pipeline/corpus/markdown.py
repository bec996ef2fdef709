"""Text from the web as Markdown shows it: on one line, of bounded length, nothing in it markup.

Titles and addresses are whatever a stranger wrote, and a corpus's papers are shown as web pages.
"""

import re
from urllib.parse import quote

_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+!|~&$])")
#: Control characters, and those that turn the direction of what follows.
_UNSEEN = re.compile("[\0-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_LONGEST = 300  # characters
#: An address that may become a link.
WEB = "^https?://[^/]"


def plain(text: str) -> str:
    """The text as itself."""
    line = _UNSEEN.sub("", " ".join(text.split()))
    return _SPECIAL.sub(r"\\\1", line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…")


def link(title: str, address: str) -> str:
    """A link; of an address that is not the web's the title, with the address beside it if any."""
    if not address:
        return f"“{plain(title)}”"
    if not re.match(WEB, address):
        return f"“{plain(title)}” ({plain(address)})"
    return f"[{plain(title) or plain(address)}]({quote(address, safe=':/?#@!$&*+,;=%~-._')})"
