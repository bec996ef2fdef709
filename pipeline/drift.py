"""The drift alarm: does each page still give what it gave at the last good extraction?

A site that changes its markup overnight answers as ever, 200 and a page, but the page's story is no
longer found, and a corpus would quietly lose it. So the pages that were read before and are still
there are held against what they gave then: whether there is a story, how many sections, how many
characters. Pages that came or went don't count. A crawl that fetches only what was edited shows
the new markup on those few pages first, a fall of a per cent or two of a whole source; so the
pages that changed are compared by themselves too. And it may fetch too few to ring, two a week for
a year; so once pages fell, what fell and what changed within the year is held against what it gave
before it fell (pipeline/drift_record.py).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.drift_pages import BOUND, any_fell, at_best, changed, fell, pages_in_both
from pipeline.drift_record import CARRIED

#: So many pages at least must have fallen by more than the bound each, so that one edit does not
#: ring the alarm of a source of five pages, nor two a week in which three were edited.
LEAST = 3
#: Pages that are named, those that lost most first.
NAMED = 50

STORY, SECTIONS, CHARACTERS = "pages with a story", "sections a page", "characters a page"


class DriftError(ValueError):
    """The pages give less than before by more than the bound; `drift` says which and how much."""

    def __init__(self, drift: "Drift"):
        self.drift = drift
        super().__init__("; ".join(drift.beyond))


@dataclass(frozen=True)
class Measure:
    """One figure of a set of pages, then and now, and how many pages fell in it."""

    name: str
    before: float
    after: float
    fell: int  # pages that fell by more than BOUND
    least: int = LEAST  # of them, to ring

    @property
    def fall(self) -> float:
        """The share that is lost; below 0 where it rose."""
        return 1 - self.after / self.before if self.before else 0.0

    @property
    def beyond(self) -> bool:
        """Whether it rings the alarm."""
        return self.fall > BOUND and self.fell >= self.least


@dataclass(frozen=True)
class Compared:
    """Pages of a source that had a story then: all of them, or those that changed since.

    Over a year, "then" is before a page fell and "since" within the year; and of the pages more
    than the bound must have fallen, lest one book that shrank and two edits of a year should ring.
    """

    source: str
    changed: bool  # only those whose bytes are others now
    pages: int
    measures: tuple[Measure, ...]
    year: bool = False  # against what they gave before they fell, within a year

    @property
    def which(self) -> str:
        """Which pages, in words that follow on "pages"."""
        if self.year:
            return (
                "that changed within a year" if self.changed else "read before and now, in a year"
            )
        return "that changed since" if self.changed else "read before and now"

    @property
    def beyond(self) -> list[str]:
        """What rings, each in a sentence."""
        return [
            f"in {self.source}, {measure.name} fell from {measure.before:,.4g} to "
            f"{measure.after:,.4g} ({measure.fall:.0%}) over the {self.pages} pages {self.which}"
            for measure in self.measures
            if measure.beyond
        ]


@dataclass(frozen=True)
class FallenPage:
    """A page that gives less by more than the bound."""

    source: str
    url: str
    title: str | None
    documents_before: int
    documents: int
    characters_before: int
    characters: int


@dataclass(frozen=True)
class Drift:
    """A comparison with the last good extraction; `compared` is empty where there was none."""

    compared: tuple[Compared, ...] = ()
    fallen: int = 0  # pages that fell in what rings
    pages: tuple[FallenPage, ...] = ()  # the first NAMED of them

    @property
    def beyond(self) -> list[str]:
        """What rings, each in a sentence; empty where all is well."""
        return [told for part in self.compared for told in part.beyond]

    def figures(self) -> list[dict[str, Any]]:
        """What was compared, as JSON values."""
        return [asdict(part) for part in self.compared]

    @classmethod
    def from_figures(cls, figures: Iterable[Mapping[str, Any]]) -> "Drift":
        """What was compared, from its figures, which name no pages."""
        return cls(
            tuple(
                Compared(**{**part, "measures": tuple(Measure(**m) for m in part["measures"])})
                for part in figures
            )
        )


def compare(last: Path, new: Path, carried: pa.Table | None = None) -> Drift:
    """Hold the extraction in `new` against that in `last`, each a folder with pages.parquet.

    `carried` is what the drift record has, of schema CARRIED. Raises UnreadablePagesError of
    `last`. Holds some hundred bytes a page.
    """
    known = CARRIED.empty_table() if carried is None else carried
    return judge(pages_in_both(last, new, known))


def judge(pages: pa.Table) -> Drift:
    """Whether these pages, of `pages_in_both`, give what they gave."""
    compared, fallen = [], []
    for part, rows in _parts(pages):
        compared.append(part)
        if part.beyond:
            fallen.append(rows.filter(any_fell(rows)))
    # A page may be in all parts of its source; what it gave at its best is what it is named with.
    rung = pa.concat_tables(fallen or [pages.slice(0, 0)])
    figures = {"documents": "max", "characters": "max"}
    rest = [name for name in pages.column_names if name not in figures]
    rung = rung.group_by(rest).aggregate(list(figures.items()))
    rung = rung.rename_columns({f"{name}_max": name for name in figures} | {n: n for n in rest})
    return Drift(tuple(compared), rung.num_rows, tuple(_named(rung)))


def _parts(pages: pa.Table) -> Iterator[tuple[Compared, pa.Table]]:
    """Each source as a whole, then what changed of it; if that is all, only the whole.

    Then the same over a year, where a page of the source has fallen within it.
    """
    for source in sorted(pc.unique(pages["source"]).to_pylist()):
        rows = pages.filter(pc.field("source") == source)
        yield from _whole_and_changed(source, rows.filter(pc.field("documents") > 0), False)
        if rows["documents_before"].null_count < rows.num_rows:
            yield from _whole_and_changed(source, at_best(rows), True)


def _whole_and_changed(
    source: str, rows: pa.Table, year: bool
) -> Iterator[tuple[Compared, pa.Table]]:
    if rows.num_rows:
        yield _compared(source, False, rows, year), rows
    which = pc.or_(changed(rows), pc.fill_null(rows["anew"], False)) if year else changed(rows)
    edited = rows.filter(which)
    if 0 < edited.num_rows < rows.num_rows:
        yield _compared(source, True, edited, year), edited


def _compared(source: str, is_changed: bool, pages: pa.Table, year: bool) -> Compared:
    least = max(LEAST, int(BOUND * pages.num_rows) + 1) if year else LEAST
    lost = pc.sum(fell(pages, "documents", 1.0)).as_py() or 0
    story = Measure(STORY, pages.num_rows, pages.num_rows - lost, lost, least)
    means = (
        Measure(
            name,
            pc.mean(pages[column]).as_py(),
            pc.mean(pages[f"{column}_now"]).as_py(),
            pc.sum(fell(pages, column)).as_py() or 0,
            least,
        )
        for name, column in ((SECTIONS, "documents"), (CHARACTERS, "characters"))
    )
    return Compared(source, is_changed, pages.num_rows, (story, *means), year)


def _named(pages: pa.Table) -> Iterator[FallenPage]:
    """Those that lost most, first."""
    lost = pc.subtract(pages["characters"], pages["characters_now"])
    ordered = pages.append_column("lost", lost).sort_by(
        [("lost", "descending"), ("url", "ascending")]
    )
    for row in ordered.slice(0, NAMED).to_pylist():
        yield FallenPage(
            row["source"], row["url"], row["title"], row["documents"], row["documents_now"],
            row["characters"], row["characters_now"],
        )  # fmt: skip
