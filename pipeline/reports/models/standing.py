"""The models of a corpus as they stand beside each other: which may be compared, and in what order.

Bits per byte compare only on the same text. A model that was measured on another test split than
the corpus has now is shown, but held against no other, and the page says what to materialize; so it
does where the corpus has changed since a training, which takes nothing from the comparison.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.intervals import Interval
from pipeline.reports.material import Inputs, Material, read_material, read_table
from pipeline.reports.readings import interval
from pipeline.schema import WORKS


@dataclass(frozen=True)
class Entrant:
    """A finished model: its outputs, its report's address from the page, what must be known."""

    name: str
    inputs: Inputs
    report: str
    notice: str | None = None


@dataclass(frozen=True)
class Standing:
    """A model with its figures, read once."""

    material: Material
    works: pa.Table
    report: str
    bits: Interval  # per byte of held-out text
    words: float  # perplexity per word
    on_this_text: bool  # measured on the test split as it is now
    trained_on_this: bool

    @property
    def name(self) -> str:
        """The model's."""
        return self.material.name


@dataclass(frozen=True)
class Difference:
    """Of two models, the better figure first, over the works that both were measured on."""

    better: str
    other: str
    works: int
    of: Interval  # bits per byte of the other less those of the better: 0 or above

    @property
    def is_real(self) -> bool:
        """Whether its interval leaves 0 out."""
        return self.of.above(0)


def read_standings(entrants: Iterable[Entrant], corpus_version: str) -> list[Standing]:
    """The models, the best first; those that were measured on another text come last.

    `corpus_version` is the corpus's data version. Raises FileNotFoundError or ValueError naming the
    file that is missing or wrong, and what writes it.
    """
    found = [_read(entrant, corpus_version) for entrant in entrants]
    return sorted(found, key=lambda one: (not one.on_this_text, one.bits.value, one.name))


def score_row(scores: pa.Table, stage: str) -> dict[str, Any] | None:
    """The row of SCORES of all held-out text under a scorer; None where there is none."""
    rows = scores.filter(
        pc.and_(
            pc.and_(pc.equal(scores["stage"], stage), pc.equal(scores["split"], "test")),
            pc.equal(scores["group_by"], "all"),
        )
    ).to_pylist()
    return dict(rows[0]) if rows else None


def bits_of(row: Mapping[str, Any]) -> Interval:
    """Of a row of SCORES. Raises ValueError where the figure is not finite."""
    return interval({**row, "measure": "bits per byte", "value": row["bits_per_byte"]})


def differences(standings: Sequence[Standing]) -> list[Difference]:
    """Each two models that were measured on the text as it is now, in the order of the models."""
    from pipeline.perplexity.compare import compare_models

    there = {one.name: one.works for one in standings if one.on_this_text}
    found = {
        (row["model"], row["than"]): row
        for row in compare_models(there).to_pylist()
        if row["group_by"] == "all"
    }
    return [_difference(found[pair]) for pair in combinations(there, 2) if pair in found]


def _difference(row: Mapping[str, Any]) -> Difference:
    of = interval({**row, "measure": "a difference"})
    names = row["model"], row["than"]
    if of.value <= 0:  # of the first less the second: the first is the better
        return Difference(*names, row["works"], flipped(of))
    return Difference(names[1], names[0], row["works"], of)


def flipped(of: Interval) -> Interval:
    """A difference the other way round."""
    low, high = (None if bound is None else -bound for bound in (of.high, of.low))
    return Interval(-of.value, low, high)


def _read(entrant: Entrant, corpus_version: str) -> Standing:
    material = read_material(entrant.name, entrant.inputs, entrant.notice)
    folder = entrant.inputs.perplexity.folder
    works = read_table(folder / "works.parquet", WORKS, "the perplexity step")
    row = score_row(material.scores, "trained")
    if row is None:
        raise ValueError(
            f"{folder / 'scores.parquet'} has no row for all of the test split; let "
            f"{entrant.name}/perplexity run again"
        )
    return Standing(
        material=material,
        works=works,
        report=entrant.report,
        bits=bits_of(row),
        words=row["perplexity_per_word"],
        on_this_text=_measured(works) == _held_out(material.manifest),
        trained_on_this=material.training.get("data_version") == corpus_version,
    )


def _measured(works: pa.Table) -> Counter[str]:
    """Documents of each work that the trained model was measured on."""
    mine = works.filter(
        pc.and_(pc.equal(works["stage"], "trained"), pc.equal(works["split"], "test"))
    )
    counts: Counter[str] = Counter()
    for work, documents in zip(
        mine["work_id"].to_pylist(), mine["documents"].to_pylist(), strict=True
    ):
        counts[work] += documents
    return counts


def _held_out(manifest: pa.Table) -> Counter[str]:
    """The same of the test split as it is now."""
    rows = manifest.filter(
        pc.and_(pc.equal(manifest["split"], "test"), pc.equal(manifest["kind"], "document"))
    )
    return Counter(rows["work_id"].to_pylist())
