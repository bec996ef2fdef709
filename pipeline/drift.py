"""The drift alarm: does each page still give what it gave at the last good extraction?

A site that changes its markup overnight answers as ever, 200 and a page, but the page's story is no
longer found, and a corpus would quietly lose it. So the pages that were read before and are still
there are held against what they gave then: whether there is a story, how many sections, how many
characters. Pages that came or went don't count. A crawl that fetches only what was edited shows
the new markup on those few pages first, a fall of a per cent or two of a whole source; so the
pages that changed are compared by themselves too.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

#: A fall of more than this is beyond the bound. An edit takes a plot off a page now and then and
#: halves another, one page in many; another markup takes from all pages that have it at once.
BOUND = 0.2
#: So many pages at least must have fallen by more than the bound each, so that one edit does not
#: ring the alarm of a source of five pages, nor two a week in which three were edited.
LEAST = 3
#: Pages that are named, those that lost most first.
NAMED = 50

#: The file of an extraction that is compared, of schema READ_PAGES.
PAGES = "pages.parquet"

STORY, SECTIONS, CHARACTERS = "pages with a story", "sections a page", "characters a page"
_KEY = ["source", "url"]


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

    @property
    def fall(self) -> float:
        """The share that is lost; below 0 where it rose."""
        return 1 - self.after / self.before if self.before else 0.0

    @property
    def beyond(self) -> bool:
        """Whether it rings the alarm."""
        return self.fall > BOUND and self.fell >= LEAST


@dataclass(frozen=True)
class Compared:
    """Pages of a source that had a story then: all of them, or those that changed since."""

    source: str
    changed: bool  # only those whose bytes are others now
    pages: int
    measures: tuple[Measure, ...]

    @property
    def beyond(self) -> list[str]:
        """What rings, each in a sentence."""
        which = "that changed since" if self.changed else "read before and now"
        return [
            f"in {self.source}, {measure.name} fell from {measure.before:,.4g} to "
            f"{measure.after:,.4g} ({measure.fall:.0%}) over the {self.pages} pages {which}"
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


def compare(last: Path, new: Path) -> Drift:
    """Hold the extraction in `new` against that in `last`, each a folder with pages.parquet.

    There is nothing to compare with where `last` has none, being of an earlier version. Holds some
    hundred bytes a page.
    """
    if not (last / PAGES).is_file():
        return Drift()
    columns = [*_KEY, "title", "body_sha256", "documents", "characters"]
    before, now = (pq.read_table(folder / PAGES, columns=columns) for folder in (last, new))
    both = before.filter(pc.field("documents") > 0).join(
        now.drop_columns(["title"]), _KEY, join_type="inner", right_suffix="_now"
    )
    compared, fallen = [], []
    for part, pages in _parts(both):
        compared.append(part)
        if part.beyond:
            fallen.append(pages.filter(_any_fell(pages)))
    # What changed is among all pages too, and both may ring.
    rung = pa.concat_tables(fallen or [both.slice(0, 0)]).group_by(both.column_names).aggregate([])
    return Drift(tuple(compared), rung.num_rows, tuple(_named(rung)))


def _parts(both: pa.Table) -> Iterator[tuple[Compared, pa.Table]]:
    """Each source as a whole, then what changed of it; if that is all, only the whole."""
    for source in sorted(pc.unique(both["source"]).to_pylist()):
        pages = both.filter(pc.field("source") == source)
        yield _compared(source, False, pages), pages
        changed = pages.filter(pc.field("body_sha256") != pc.field("body_sha256_now"))
        if 0 < changed.num_rows < pages.num_rows:
            yield _compared(source, True, changed), changed


def _compared(source: str, changed: bool, pages: pa.Table) -> Compared:
    lost = pc.sum(_fell(pages, "documents", 1.0)).as_py() or 0
    story = Measure(STORY, pages.num_rows, pages.num_rows - lost, lost)
    means = (
        Measure(
            name,
            pc.mean(pages[column]).as_py(),
            pc.mean(pages[f"{column}_now"]).as_py(),
            pc.sum(_fell(pages, column)).as_py() or 0,
        )
        for name, column in ((SECTIONS, "documents"), (CHARACTERS, "characters"))
    )
    return Compared(source, changed, pages.num_rows, (story, *means))


def _fell(pages: pa.Table, column: str, by: float = BOUND) -> pa.ChunkedArray:
    """Of each page whether it fell by more than this share; by all of it for 1."""
    kept = pc.multiply(pc.cast(pages[column], pa.float64()), 1 - by)
    now = pc.cast(pages[f"{column}_now"], pa.float64())
    return pc.less_equal(now, kept) if by == 1 else pc.less(now, kept)


def _any_fell(pages: pa.Table) -> pa.ChunkedArray:
    return pc.or_(_fell(pages, "documents"), _fell(pages, "characters"))


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
