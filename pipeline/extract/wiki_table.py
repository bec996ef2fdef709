"""Summaries in lists of films and tables of episodes: each row a piece of its own.

Episode tables of Wikipedia's template keep the summary (field ShortSummary) in a cell of class
`description`, in a row of its own under the episode's. Lists of films have a column headed
"Description", "Plot" or the like. Either way the row's title names the piece.
"""

import re
from collections.abc import Iterable, Iterator
from copy import deepcopy
from itertools import chain, islice
from typing import Any

from lxml import etree

from pipeline.extract.piece import Piece
from pipeline.extract.wiki_prose import line_of, prose_of

#: Column headings under which lists keep their summaries.
SUMMARY_COLUMNS = frozenset(
    ("description", "plot", "plot summary", "premise", "summary", "synopsis", "story")
)
_TITLE_COLUMNS = frozenset(("title", "film", "name", "episode", "book", "novel", "work", "story"))
#: Spans beyond this are mistakes or malice.
_LONGEST_SPAN = 100
_MOST_COLUMNS = 50
_LONGEST_HEADING = 40
_NUMBER = re.compile(r"\d{1,4}")

_IN_EPISODE = etree.XPath(
    "ancestor::tr[1][contains(@class,'expand-child')] or .//*[contains(@class,'shortSummary')]"
)


def summaries(root: Any) -> list[Piece]:
    """The pieces of all tables below `root`, in order; a summary without a title is left."""
    tables, cells = [], []
    for element in root.iter("table", "td"):  # one walk, since a page has thousands of cells
        if element.tag == "table":
            tables.append(element)
        elif "description" in element.get("class", "").split() and _IN_EPISODE(element):
            cells.append(element)
    pieces = [piece for cell in cells for piece in _episode(cell)]
    pieces += [piece for table in tables for piece in _rows(table)]
    return pieces


def _episode(cell: Any) -> Iterator[Piece]:
    row = next(cell.iterancestors("tr"), None)
    if row is None:  # broken markup: a cell by itself
        return
    # The episode's own row stands right above, or one more where it has notes.
    above = islice(row.itersiblings("tr", preceding=True), 2)
    titles = (c for r in above for c in r if "summary" in c.get("class", "").split())
    title = next(titles, None)
    if title is not None:
        yield from _piece(title, cell)


def _rows(table: Any) -> Iterator[Piece]:
    """The rows of a table that has a column of summaries."""
    rows = (row for row in table.iter("tr") if next(row.iterancestors("table")) is table)
    first = next(rows, ())
    # Most tables have none, and a page may have hundreds.
    if len(first) < 2 or SUMMARY_COLUMNS.isdisjoint(map(_heading, _cells(first))):
        return
    grid = _grid(chain([first], rows))
    headings = [_heading(cell) for cell in next(grid)]
    summary = next((i for i, name in enumerate(headings) if name in SUMMARY_COLUMNS), None)
    if summary is None:  # beyond _MOST_COLUMNS
        return
    named = (i for i, name in enumerate(headings) if name in _TITLE_COLUMNS and i != summary)
    title = next(named, 0)
    for row in grid:
        if max(title, summary) < len(row) and row[title] is not row[summary]:
            yield from _piece(row[title], row[summary])


def _cells(row: Any) -> list[Any]:
    return [cell for cell in row if cell.tag in ("td", "th")]


def _heading(cell: Any) -> str:
    """The text of a column's heading as it is compared; none where it is longer than any.

    A table that lays out a page may have the whole page in its first cell.
    """
    text = ""
    for part in cell.itertext() if len(cell) else [cell.text or ""]:
        text = f"{text} {part}".strip()
        if len(text) > _LONGEST_HEADING:
            return ""
    return text.casefold()


def _grid(rows: Iterable[Any]) -> Iterator[list[Any]]:
    """The cells of each row by column, a cell that spans several standing in each."""
    pending: dict[int, tuple[int, Any]] = {}  # column -> rows still to fill, cell
    for row in rows:
        line: list[Any] = []
        cells = iter(_cells(row))
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
    value = cell.get(name, "").strip()
    return min(max(int(value), 1), _LONGEST_SPAN) if _NUMBER.fullmatch(value) else 1


def _piece(title_cell: Any, summary_cell: Any) -> Iterator[Piece]:
    title = line_of(title_cell).strip('"“” ')
    text = _prose(summary_cell)
    if title and text:
        yield Piece(title.replace(" ", "_"), text, title=title)


def _prose(cell: Any) -> str:
    """The text of a cell, taken as a block that is no table, since tables are no prose."""
    block = deepcopy(cell)
    block.tag, block.tail = "div", None
    block.attrib.clear()
    return prose_of([block])
