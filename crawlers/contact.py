"""Who crawls: the User-Agent names the tool and its operator, so that a site's owner can write.

Form as Wikimedia asks
(https://foundation.wikimedia.org/wiki/Policy:Wikimedia_Foundation_User-Agent_Policy).
Without a contact nothing but loopback is crawled.
"""

import re
from importlib.metadata import version

#: The product token, by which robots.txt may address this tool.
ROBOT = "Loremill"
_CONTACT = re.compile(r"[^@\s()]+@[^@\s()]+\.[^@\s()]+|https?://[^\s()]+")


def user_agent(contact: str | None) -> str:
    """`Loremill/VERSION (CONTACT) Scrapy/VERSION`."""
    who = contact if contact and is_contact(contact) else "no contact: loopback only"
    return f"{ROBOT}/{version('loremill')} ({who}) Scrapy/{version('scrapy')}"


def is_contact(contact: str) -> bool:
    """Whether it is a mail address or a page's address, and fit for a header."""
    return contact.isascii() and _CONTACT.fullmatch(contact) is not None
