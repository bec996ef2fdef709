"""The record of what was taken down: a file a takedown under `takedowns/` of the data root.

Every crawl reads it before it asks for a page, and again whenever the folder has changed, so that
what somebody wanted out does not come back by the next crawl, nor by one that is under way. A page
is known by its addresses and, as a wiki's page keeps its number when it is moved, by wiki and
number. The record names pages and holds none of their text.
"""

import json
import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from pipeline.atomic import write_atomically

#: The folder under the data root.
FOLDER = "takedowns"
#: A takedown's two states: killed in the first, the same command ends it.
BEGUN, DONE = "begun", "done"


class TakedownRecordError(ValueError):
    """A file of the record cannot be read; the message names it and the remedy."""


@dataclass(frozen=True)
class PageName:
    """What names a page of one store, apart from its revisions."""

    url: str
    final_url: str | None
    title: str | None
    page_id: str | None
    franchise: str
    spider: str
    source: str

    @property
    def addresses(self) -> set[str]:
        """As `address` compares them."""
        return {address(url) for url in (self.url, self.final_url) if url}

    @property
    def number(self) -> tuple[str, str] | None:
        """See `number_on_wiki`."""
        return number_on_wiki(self.url, self.title, self.page_id)


@dataclass(frozen=True)
class Takedown:
    """One removal: which pages, by whom, when and why, and what it touched."""

    takedown_id: str
    pages: tuple[PageName, ...]
    reason: str
    who: str
    at: str  # ISO 8601, UTC
    state: str = BEGUN
    touched: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def begin(
        cls, pages: tuple[PageName, ...], reason: str, who: str, touched: dict[str, Any]
    ) -> "Takedown":
        """A new one, not yet written."""
        now = datetime.now(UTC)
        name = f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
        at = now.isoformat(timespec="seconds")
        return cls(name, pages, reason, who, at, touched=touched)

    @property
    def title(self) -> str:
        """Of the first of its pages, else its address."""
        return next((page.title for page in self.pages if page.title), self.pages[0].url)

    def done(self) -> "Takedown":
        """The same, at its end."""
        return replace(self, state=DONE)

    def save(self, data: Path) -> None:
        """Write it in one step. Raises OSError."""
        folder = data / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(asdict(self), indent=1, ensure_ascii=False)
        write_atomically(folder / f"{self.takedown_id}.json", f"{text}\n".encode())


class TakenDown:
    """Whether a page was taken down, as the record of this data root has it now."""

    def __init__(self, data: Path):
        self._folder = data / FOLDER
        self._read_at: int | None = None
        self._at: dict[str, set[tuple[str, str] | None]] = {}  # address: numbers of its pages
        self._numbers: set[tuple[str, str]] = set()

    def has(
        self,
        url: str,
        final_url: str | None = None,
        *,
        title: str | None = None,
        page_id: str | None = None,
    ) -> bool:
        """Whether the page was, by its number or by either address. Raises as `records`.

        Where an address was taken down with another page's number, a page that stands there is not
        that one.
        """
        self.refresh()
        number = number_on_wiki(url, title, page_id)
        if number in self._numbers:
            return True
        taken = self._at.get(address(url), set()) | self._at.get(address(final_url or url), set())
        if number is None:
            return bool(taken)
        return any(one is None or one[0] != number[0] for one in taken)

    def refresh(self) -> None:
        """Read the record where it has changed. Raises as `records`."""
        try:
            changed_at = self._folder.stat().st_mtime_ns
        except FileNotFoundError:
            return
        if changed_at == self._read_at:
            return
        self._read_at = changed_at
        pages = [page for record in records(self._folder.parent) for page in record.pages]
        self._at = {}
        for page in pages:
            for url in page.addresses:
                self._at.setdefault(url, set()).add(page.number)
        self._numbers = {page.number for page in pages if page.number is not None}


def records(data: Path) -> Iterator[Takedown]:
    """All takedowns, the oldest first. Raises TakedownRecordError."""
    for path in sorted((data / FOLDER).glob("*.json")):
        try:
            said = json.loads(path.read_text("utf-8"))
            pages = tuple(PageName(**page) for page in said.pop("pages"))
            if not pages:
                raise ValueError("it names no page")
            yield Takedown(pages=pages, **said)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise TakedownRecordError(
                f"{path} is damaged ({type(error).__name__}: {error}); restore it: without it a "
                "crawl could bring back what was taken down"
            ) from error


def address(url: str) -> str:
    """An address as it is compared: however its characters are escaped, it is the same.

    Bytes that are no UTF-8 stay told apart, as lone surrogates: it is not to be written anywhere.
    """
    return unquote(url, errors="surrogateescape")


def number_on_wiki(url: str, title: str | None, page_id: str | None) -> tuple[str, str] | None:
    """What stays of a wiki's page when it is moved: the wiki's address and the page's number.

    None where the address does not end with the title, so that the number may be anything's.
    """
    name = (title or "").replace(" ", "_")
    full = address(url)
    if not (name and page_id and page_id.isdecimal() and full.endswith(name)):
        return None
    return full.removesuffix(name), page_id
