"""Texts on this machine's disk, through the same door as a site's pages: `spider: files`.

A text is a page as it stands on disk; a table's row is a page whose body is the row as a JSON
object. A url is `file:` with the path as `path:` has it: counted from the YAML file's folder, it
stays when the project is moved and tells nobody whose home it lay in. A row is named by its id, url
or title, never by its number: rows that come and go must not rename the others.
"""

import json
import os
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

from crawlers.explain import SourceError
from crawlers.franchise_spider import Found, FranchiseSpider
from crawlers.on_disk.tables import BrokenRow, Row, TableError, read_rows
from crawlers.on_disk.text_files import KINDS, TABLES, TEXTS, TextFile, find_files
from crawlers.page import Page
from crawlers.sources import AnySource, FilesSource, source_name
from pipeline.schema import story_columns

#: A text beyond this is refused here, as extraction would.
_LARGEST = 32 * 2**20
#: Broken rows of a table that are told one by one.
_TOLD = 20
#: Titles and the like beyond this name nothing.
_LONGEST_NAME = 300
#: An address without blanks, control characters, halves of characters and overrides of direction.
_WEB = re.compile(
    r"https?://[^\s<>\"\x00-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]{1,2000}"
)
#: Of a row's name, what may stand in a fragment as it is (RFC 3986, 3.5).
_READABLE = "/:?,()'!;=@&+"
_PATH = "see whether `path:` is right; it counts from the folder of the YAML file"
_COLUMN = "correct `columns:`"


@dataclass
class _Table:
    """A table that is being read: what its columns are, and what is known of its rows."""

    file: TextFile
    url: str
    columns: dict[str, str | None] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)
    broken: int = 0


class FilesSpider(FranchiseSpider):
    """Nothing is asked of the network."""

    name = "files"

    async def listing(self, source: AnySource) -> AsyncIterator[Found]:
        """Each file and row; what cannot be read is told, and the others go on."""
        assert isinstance(source, FilesSource)
        path = source.located(self.file.parent)
        try:
            found = find_files(path, self.file)
        except FileNotFoundError as error:
            raise SourceError("is not there", _PATH) from error
        except OSError as error:
            what = f"{error.filename} cannot be read: {error.strerror}"
            raise SourceError(what, "see who may read it") from error
        except ValueError as error:
            raise SourceError(f"is no pattern: {error}", _PATH) from error
        told = found.told()
        if not found.files:
            what = "names no text" + (f"; passed over: {told}" if told else "")
            raise SourceError(what, f"{_PATH}; what is read: {KINDS}")
        if told:
            self.fail(source.path, f"passed over: {told}", f"what is read: {KINDS}")
        for file in found.files:
            if file.kind not in TABLES:
                yield self._text(file, source)
                continue
            table = _Table(file, self._url(file, source))
            try:
                for row in self._rows(table, source):
                    yield row
            except TableError as error:
                remedy = _COLUMN if isinstance(error, _ColumnError) else "correct the file"
                self.fail(str(file.path), str(error), remedy, source)
            except OSError as error:
                what = f"cannot be read: {error.strerror}"
                self.fail(str(file.path), what, "see who may read it", source)

    def _url(self, file: TextFile, source: FilesSource) -> str:
        """From the YAML file; of an absolute `path:` nothing leaves this machine but its last part.

        The source's name is before that, since two such paths may end alike.
        """
        if Path(source.path).expanduser().is_absolute():
            return "file:" + quote(f"{source_name(source)}/{file.name}")
        path = os.path.normpath(file.path.absolute())
        path = os.path.relpath(path, self.file.parent.absolute())
        return "file:" + quote(path.replace(os.sep, "/"))

    def _text(self, file: TextFile, source: FilesSource) -> Found:
        """A file as a page, read now and held by nobody else."""
        url = self._url(file, source)
        try:
            with file.path.open("rb") as opened:
                body = opened.read(_LARGEST + 1)
        except OSError as error:
            return Found(url, failed=(f"cannot be read: {error.strerror}", "see who may read it"))
        if len(body) > _LARGEST:
            what = f"is larger than {_LARGEST >> 20} MiB"
            return Found(url, failed=(what, "cut it into several files"))
        if not body.strip():
            return Found(url, failed=("is empty", "fill it or take it away"))
        return Found(url, page=self._page(url, file.name, TEXTS[file.kind], body, source))

    def _rows(self, table: _Table, source: FilesSource) -> Iterator[Found]:
        """A table's rows. Raises TableError where it has not the columns that it should."""
        late: set[str] = set()
        read = 0
        for row in read_rows(table.file.path):
            if isinstance(row, BrokenRow):
                yield from self._broken(table, row.place, row.what)
                continue
            if not read:
                late = _columns_not_there(row, source, table)
            read += 1
            if late:
                late -= row.values.keys()
            # A row of JSON Lines has only the columns that it needs.
            table.columns = story_columns(row.values, _written(source))
            yield from self._row(table, row, source)
        if late and read:
            raise _ColumnError(f"no row has the column {min(late)!r}")
        if table.broken > _TOLD:
            self.outcome.listed += table.broken - _TOLD
            more = f"{table.broken - _TOLD:,} more rows are broken"
            self.fail(table.url, more, "correct the file")
        if not read and not table.broken:
            yield Found(table.url, failed=("has no rows", "fill it or take it away"))

    def _row(self, table: _Table, row: Row, source: FilesSource) -> Iterator[Found]:
        text = json.dumps(row.values, ensure_ascii=False, default=str)
        body = text.encode("utf-8", "replace")  # JSON can name halves of characters
        if len(body) > _LARGEST:
            yield from self._broken(table, row.place, f"is larger than {_LARGEST >> 20} MiB")
            return
        title = _name(row, table.columns["title"])
        address = _name(row, table.columns["url"])
        digest = sha256(body).hexdigest()
        name = _name(row, table.columns["id"]) or address or title or digest[:16]
        if name in table.named:  # a remake under the same title; the text tells them apart
            name = f"{name}~{digest[:8]}"
        table.named.add(name)
        url = f"{table.url}#{quote(name, safe=_READABLE)}"
        yield Found(
            url,
            page=self._page(
                url,
                f"{table.file.name}/{name}",
                "application/json",
                body,
                source,
                title=title,
                attribution_url=address if address and _WEB.fullmatch(address) else None,
            ),
        )

    def _broken(self, table: _Table, place: str, what: str) -> Iterator[Found]:
        table.broken += 1
        if table.broken <= _TOLD:
            yield Found(f"{table.url}#{quote(place)}", failed=(f"{place} {what}", "correct it"))

    def _page(
        self,
        url: str,
        page_id: str,
        content_type: str,
        body: bytes,
        source: FilesSource,
        title: str | None = None,
        attribution_url: str | None = None,
    ) -> Page:
        return self.new_page(
            source,
            url=url,
            page_id=page_id,
            content_type=content_type,
            body=body,
            title=title,
            attribution_url=attribution_url,
        )


class _ColumnError(TableError):
    """A table lacks a column that the YAML names, or any that could be its text's."""


def _written(source: FilesSource) -> dict[str, str | None]:
    return source.columns.model_dump() if source.columns else {}


def _columns_not_there(first: Row, source: FilesSource, table: _Table) -> set[str]:
    """Written columns that a later row may have still. Raises _ColumnError for the others."""
    there = ", ".join(repr(name)[:_LONGEST_NAME] for name in list(first.values)[:50])
    missing = {name for name in _written(source).values() if name and name not in first.values}
    columns = story_columns(first.values, _written(source))
    text = columns["text"]
    if missing and (text is None or table.file.kind != ".jsonl"):
        raise _ColumnError(f"has no column {min(missing)!r}; there are: {there}")
    if text is None:
        raise _ColumnError(f"has no column 'Plot' or 'text'; there are: {there}")
    if source.genres and columns["genre"] is None and table.file.kind != ".jsonl":
        raise _ColumnError(f"has no column of genres, which `genres:` sorts; there are: {there}")
    return missing


def _name(row: Row, column: str | None) -> str | None:
    """A cell that names something, on one line; None where it is empty or no name."""
    value: Any = row.values.get(column) if column else None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    name = " ".join(str(value).encode("utf-8", "replace").decode().split())
    return name if 0 < len(name) <= _LONGEST_NAME else None
