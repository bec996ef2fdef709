"""Pages of a franchise kept in the repository, and what must come of them: a test of its own.

Extraction is judged on saved real pages with the expected text beside them, as trafilatura and
Readability do it. A page is three files in `corpora/NAME/fixtures/`: `X.page.html`, its exact
bytes; `X.json`, the other columns of its row, the licence among them; `X.expected.txt`, the
documents and what was dropped, for a person to read and git to compare. Whoever wants a page out
deletes its three files.
"""

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import unified_diff
from hashlib import sha256
from pathlib import Path
from textwrap import wrap
from typing import Any

import pyarrow as pa

from crawlers.franchise import corpora_folder
from crawlers.on_disk.text_files import TEXTS
from dagster_project.preview import Look, NoRulesError, look
from pipeline.atomic import write_atomically
from pipeline.extract import SourceRules
from pipeline.licences import LICENCES
from pipeline.reports.text import one_line, plain
from pipeline.schema import PAGES

_EXPECTED = ".expected.txt"
_NOTICE = "NOTICE.txt"
#: Suffixes by which a saved page opens in the right program; any other content is `.bin`.
_SUFFIXES = {
    **{kind: suffix for suffix, kind in reversed(TEXTS.items())},  # of .html and .htm the first
    "application/json": ".json",  # a row of a table
    "text/x-wiki": ".wiki",
}
#: Of a document: what stands in the page's own row, and what follows from the text.
_NOT_TOLD = {"text", "text_sha256", "characters", "franchise", "source", "revision"}
#: Of what was dropped, only the beginning is pinned.
_DROPPED = 200
_WIDTH = 100
_NOTICE_HEAD = """\
The pages in this folder are kept to test how stories are cut out of them. Each stays under the
licence of the site it is from: whoever passes it on must follow that licence.
"""


class FixtureError(ValueError):
    """The fixtures of a franchise cannot be used as they lie there."""


@dataclass(frozen=True)
class Difference:
    """A page that no longer gives what is expected; `diff` is for a person to read."""

    name: str
    diff: str


def fixtures_folder(franchise: str) -> Path:
    """Where the fixtures of a franchise lie, or would."""
    return corpora_folder() / franchise / "fixtures"


def load(folder: Path) -> dict[str, pa.Table]:
    """The saved pages by name, each a table of schema PAGES of one row; empty where none are.

    Raises FixtureError.
    """
    rows = sorted(path for path in folder.glob("*.json") if ".page." not in path.name)
    return {path.stem: _load(path) for path in rows}


def together(pages: Mapping[str, pa.Table]) -> pa.Table:
    """All pages as one table."""
    return pa.concat_tables([PAGES.empty_table(), *pages.values()])


def save(folder: Path, pages: pa.Table) -> list[str]:
    """Add the pages, or replace those of the same url; returns their names. Raises FixtureError."""
    names = {page["url"][0].as_py(): name for name, page in load(folder).items()}
    folder.mkdir(parents=True, exist_ok=True)
    saved = []
    for row in pages.to_pylist():
        name = names.setdefault(row["url"], _name(row, set(names.values())))
        for stale in folder.glob(f"{name}.page.*"):
            stale.unlink()
        body = row.pop("body")
        kind = (row["content_type"] or "").partition(";")[0].strip().lower()
        write_atomically(folder / f"{name}.page{_SUFFIXES.get(kind, '.bin')}", body)
        row = {key: value for key, value in row.items() if value is not None}
        text = json.dumps(row, indent=1, ensure_ascii=False, default=datetime.isoformat)
        write_atomically(folder / f"{name}.json", f"{text}\n".encode())
        saved.append(name)
    write_atomically(folder / _NOTICE, _notice(load(folder)).encode())
    return saved


def remove(folder: Path, names: Sequence[str]) -> None:
    """Take pages out: the three files of each, and their lines in the notice."""
    for name in names:
        for path in (*folder.glob(f"{name}.page.*"), folder / f"{name}{_EXPECTED}"):
            path.unlink(missing_ok=True)
        (folder / f"{name}.json").unlink(missing_ok=True)  # last: it names the others
    left = load(folder)
    if left:
        write_atomically(folder / _NOTICE, _notice(left).encode())
    else:
        (folder / _NOTICE).unlink(missing_ok=True)


def compare(folder: Path, rules: Mapping[str, SourceRules]) -> list[Difference]:
    """The pages whose extraction is not as expected. Raises FixtureError."""
    differences = []
    for name, now in _extracted(folder, rules).items():
        path = folder / f"{name}{_EXPECTED}"
        expected = path.read_text("utf-8") if path.exists() else ""
        if now != expected:
            differences.append(Difference(name, _diff(expected, now, path.name)))
    return differences


def accept(folder: Path, rules: Mapping[str, SourceRules], names: Sequence[str]) -> None:
    """Expect of these pages what they give now. Raises FixtureError."""
    extracted = _extracted(folder, rules)
    for name in names:
        write_atomically(folder / f"{name}{_EXPECTED}", extracted[name].encode())


def unfree(pages: pa.Table) -> list[str]:
    """The licences among the pages' that ask something of whoever passes the pages on."""
    licences = sorted(set(pages["licence"].to_pylist()))
    return [spdx for spdx in licences if spdx not in LICENCES or LICENCES[spdx].attribution]


def _load(path: Path) -> pa.Table:
    bodies = sorted(path.parent.glob(f"{path.stem}.page.*"))
    if len(bodies) != 1:
        raise FixtureError(
            f"{path}: has {len(bodies)} files {path.stem}.page.* beside it, not one; "
            "delete them all, then save the page again with `loremill fixtures`"
        )
    try:
        row = json.loads(path.read_text("utf-8"))
        fetched_at = datetime.fromisoformat(row.get("fetched_at", ""))
        row |= {"body": bodies[0].read_bytes(), "fetched_at": fetched_at}
        needed = [field.name for field in PAGES if not field.nullable]
        if lacking := [name for name in needed if row.get(name) is None]:
            raise ValueError(f"lacks {', '.join(lacking)}")
        page = pa.Table.from_pylist([row], PAGES)
    except (ValueError, TypeError, AttributeError, pa.ArrowException) as error:
        raise FixtureError(f"{path}: is no row of a page: {one_line(str(error), 200)}") from error
    if sha256(row["body"]).hexdigest() != row["body_sha256"]:
        raise FixtureError(
            f"{bodies[0]}: is not the page as it was saved (body_sha256 in {path.name}); restore "
            "it, and keep editors and git from changing its line ends"
        )
    return page


def _extracted(folder: Path, rules: Mapping[str, SourceRules]) -> dict[str, str]:
    """What comes of each page, as text."""
    pages = load(folder)
    try:
        looks = look(together(pages), rules).looks
    except NoRulesError as error:
        raise FixtureError(
            f"{folder}: {error}; save pages anew, and delete those of sources that are no more"
        ) from error
    return {name: _told(one) for name, one in zip(pages, looks, strict=True)}


def _told(one: Look) -> str:
    """All that is pinned of a page: the documents in full, of what was dropped the beginning."""
    parts = []
    for document in one.documents:
        head = {key: value for key, value in document.items() if key not in _NOT_TOLD}
        parts.append(f"{_head('document', head)}\n{document['text']}\n")
    for piece in one.dropped:
        keys = ("stage", "reason", "figure", "doc_id", "section")
        text = one_line(piece["text"] or "", _DROPPED)
        parts.append(f"{_head('dropped', {key: piece[key] for key in keys})}\n{text}\n")
    return "\n".join(parts) or "nothing\n"


def _head(kind: str, values: Mapping[str, Any]) -> str:
    lines = [f"{key}: {plain(str(value))}\n" for key, value in values.items() if value is not None]
    return f"=== {kind}\n{''.join(lines)}"


def _diff(expected: str, now: str, path: str) -> str:
    """A unified diff of short lines; where only white space differs, with it made visible."""
    before, after = _lines(expected), _lines(now)
    if before == after:
        before, after = ([repr(line) for line in text.splitlines()] for text in (expected, now))
    lines = unified_diff(before, after, f"{path} (expected)", f"{path} (now)", n=2, lineterm="")
    return "\n".join(lines)


def _lines(text: str) -> list[str]:
    return [short for line in plain(text).splitlines() for short in wrap(line, _WIDTH) or [""]]


def _name(row: Mapping[str, Any], taken: set[str]) -> str:
    """A file name of a page's title: ASCII, distinct however the disk treats case."""
    title = unicodedata.normalize("NFKD", row["title"] or "").encode("ascii", "ignore").decode()
    name = re.sub(r"\W+", "_", title, flags=re.ASCII).strip("_")[:60]
    name = name or sha256(row["url"].encode()).hexdigest()[:12]
    folded = {other.casefold() for other in taken}
    numbered, count = name, 2
    while numbered.casefold() in folded:
        numbered, count = f"{name}-{count}", count + 1
    return numbered


def _notice(pages: Mapping[str, pa.Table]) -> str:
    """Where each page is from and under which licence it stays."""
    parts = [_NOTICE_HEAD]
    for name, page in pages.items():
        row = page.drop_columns("body").to_pylist()[0]
        known = LICENCES.get(row["licence"])
        lines = [
            f"{name}: {one_line(row['title'] or row['url'], 200)}",
            f"  from {plain(row['attribution_url'] or row['url'])}",
            f"  under {row['licence']}" + (f", {known.name}, {known.url}" if known else ""),
        ]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)
