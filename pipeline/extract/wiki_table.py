"""Summaries in lists of films and tables of episodes: each row a piece of its own.

Episode tables of Wikipedia's template keep the summary (field ShortSummary) in a cell of class
`description`, in a row of its own under the episode's. Lists of films have a column headed
"Description", "Plot" or the like. Either way the row's title names the piece.
"""

import re
from collections.abc import Iterator
from html import escape
from itertools import islice
from typing import Any

from lxml import etree
from lxml.html import tostring

from pipeline.extract.piece import Piece
from pipeline.extract.wiki_prose import prose

#: Column headings under which lists keep their summaries.
SUMMARY_COLUMNS = frozenset(
    ("description", "plot", "plot summary", "premise", "summary", "synopsis", "story")
)
_TITLE_COLUMNS = frozenset(("title", "film", "name", "episode", "book", "novel", "work", "story"))
#: Spans beyond this are mistakes or malice.
_LONGEST_SPAN = 100
_MOST_COLUMNS = 50

_EPISODE_SUMMARIES = etree.XPath(
    ".//td[contains(concat(' ',@class,' '),' description ')]"
    "[ancestor::tr[1][contains(@class,'expand-child')] or .//*[contains(@class,'shortSummary')]]"
)


def summaries(root: Any) -> list[Piece]:
    """The pieces of all tables below `root`, in order; a summary without a title is left."""
    pieces = [*_episodes(root)]
    for table in root.iter("table"):
        pieces.extend(_rows(table))
    return pieces


def _episodes(root: Any) -> Iterator[Piece]:
    for cell in _EPISODE_SUMMARIES(root):
        row = next(cell.iterancestors("tr"))
        # The episode's own row stands right above, or one more where it has notes.
        above = islice(row.itersiblings("tr", preceding=True), 2)
        titles = (c for r in above for c in r if "summary" in c.get("class", "").split())
        title = next(titles, None)
        if title is not None:
            yield from _piece(title, cell)


def _rows(table: Any) -> Iterator[Piece]:
    """The rows of a table that has a column of summaries."""
    rows = [row for row in table.iter("tr") if next(row.iterancestors("table")) is table]
    grid = _grid(rows)
    headings = [" ".join(cell.itertext()).strip().casefold() for cell in next(grid, [])]
    summary = next((i for i, name in enumerate(headings) if name in SUMMARY_COLUMNS), None)
    if summary is None:
        return
    named = (i for i, name in enumerate(headings) if name in _TITLE_COLUMNS and i != summary)
    title = next(named, 0)
    for row in grid:
        if max(title, summary) < len(row) and row[title] is not row[summary]:
            yield from _piece(row[title], row[summary])


def _grid(rows: list[Any]) -> Iterator[list[Any]]:
    """The cells of each row by column, a cell that spans several standing in each."""
    pending: dict[int, tuple[int, Any]] = {}  # column -> rows still to fill, cell
    for row in rows:
        line: list[Any] = []
        cells = iter([cell for cell in row if cell.tag in ("td", "th")])
        while (column := len(line)) < _MOST_COLUMNS:
            if column in pending:
                left, cell = pending.pop(column)
                if left > 1:
                    pending[column] = (left - 1, cell)
                line.append(cell)
                continue
            cell = next(cells, None)
            if cell is None:
                break
            down = _span(cell, "rowspan")
            for offset in range(_span(cell, "colspan")):
                if down > 1:
                    pending[column + offset] = (down - 1, cell)
                line.append(cell)
        yield line


def _span(cell: Any, name: str) -> int:
    value = cell.get(name, "1").strip()
    return min(max(int(value), 1), _LONGEST_SPAN) if re.fullmatch(r"\d{1,4}", value) else 1


def _plain(cell: Any) -> str:
    return " ".join(prose(_contents(cell)).split())


def _piece(title_cell: Any, summary_cell: Any) -> Iterator[Piece]:
    title = _plain(title_cell).strip('"“” ')
    text = prose(_contents(summary_cell))
    if title and text:
        yield Piece(title.replace(" ", "_"), text, title=title)


def _contents(cell: Any) -> str:
    """The cell as a block that is no table, since tables are no prose."""
    parts = [tostring(child, encoding="unicode") for child in cell]
    return f"<div>{escape(cell.text or '')}{''.join(parts)}</div>"
