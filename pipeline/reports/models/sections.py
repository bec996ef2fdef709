"""The parts of the page of a corpus's models, in the order in which a curious person reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.intervals import Interval
from pipeline.ratings.tally import Tally
from pipeline.reports.canvas import NARROW, WIDE
from pipeline.reports.comparison import difference_from
from pipeline.reports.models import plots, stories, table
from pipeline.reports.models.standing import Difference, Standing, bits_of, score_row
from pipeline.reports.sections import rated
from pipeline.reports.sections.section import Section
from pipeline.reports.text import counted, number, signed, size, span


@dataclass(frozen=True)
class Missing:
    """A model of the corpus that is not on the page yet, and what to materialize for that."""

    name: str
    wants: str
    because: str = ""  # of a model whose figures are not of one model: why so


@dataclass(frozen=True)
class Made:
    """What the page is made from."""

    title: str
    corpus: str
    standings: Sequence[Standing]
    differences: Sequence[Difference]
    missing: Sequence[Missing]
    tallies: Sequence[Tally]

    @property
    def current(self) -> list[Standing]:
        """Those that may be compared, the best first."""
        return [one for one in self.standings if one.on_this_text]

    @property
    def leaders(self) -> list[str]:
        """The best, and whoever cannot be told from it."""
        best = [one.name for one in self.current[:1]]
        even = [
            name
            for one in self.differences
            if not one.is_real and (names := {one.better, one.other}).intersection(best)
            for name in names.difference(best)
        ]
        return best + even


def headline(made: Made) -> Section:
    """Who foretells best, and what the page cannot say."""
    whole = score_row(made.current[0].material.scores, "trained") if made.current else None
    figures = {
        "verdict": " ".join(filter(None, (_verdict(made), _not_beaten(made)))),
        "models": [_figures(made, one) for one in made.standings],
        "missing": [one.name for one in made.missing if not one.because],
        "stale": [
            *(one.name for one in made.standings if not one.on_this_text),
            *(one.name for one in made.missing if one.because),
        ],
    }
    content = {
        "verdict": figures["verdict"],
        "warnings": _warnings(made),
        "notices": [
            (one.name, one.material.notice) for one in made.standings if one.material.notice
        ],
        "models": len(made.standings),
        "held_out": size(whole["bytes"]) if whole else "",
        "works": counted(whole["works"], "work") if whole else "",
        "leader": made.leaders[0] if made.leaders else "",
        "bits": number(made.current[0].bits.value) if made.current else "",
        "bits_span": span(made.current[0].bits.low, made.current[0].bits.high)
        if made.current
        else "",
    }
    return Section("verdict", made.title, "models/headline.html", content, figures)


def sections(made: Made) -> list[Section]:
    """All that follows the headline."""
    found = [_table(made), _pairs(made), stories.section(made.standings)]
    return [one for one in (*found, rated.told(made.tallies)) if one is not None]


def dots(made: Made) -> list[plots.Dot]:
    """What the plot shows of the models."""
    leaders = made.leaders
    return [plots.Dot(one.name, one.bits, one.name in leaders) for one in made.current]


def lines(made: Made) -> list[plots.Line]:
    """The baselines of the plot: what needs no model, and pretrained bases as they were."""
    return [plots.Line(name, of.value) for name, (_, _, of) in _beneath(made).items()]


def _beneath(made: Made) -> dict[str, tuple[Standing, str, Interval]]:
    """Baselines by name: the first model that was held against it, its stage there, its bits."""
    found: dict[str, tuple[Standing, str, Interval]] = {}
    for one in made.current:
        spec = one.material.training.get("spec", {})
        stages = {"ngram": "n-gram model", "xz": "xz"}
        if spec.get("base"):
            stages["initial"] = f"{table.kind_of({'base': spec['base']}).partition(',')[0]} itself"
        for stage, name in stages.items():
            if (row := score_row(one.material.scores, stage)) is not None:
                found.setdefault(name, (one, stage, bits_of(row)))
    return found


def _verdict(made: Made) -> str:
    if not made.current:
        return f"No model of {made.corpus} was measured on its held-out text as it is now."
    best, leaders = made.current[0], made.leaders
    needs = f"{number(best.bits.value)} bits for each byte of stories it has never read"
    if len(made.current) == 1:
        return f"{best.name} needs {needs}; there is no other model to hold it against yet."
    if len(leaders) == 1:
        return (
            f"Of {counted(len(made.current), 'model')}, {best.name} foretells best: it needs "
            f"{needs}."
        )
    others = ", ".join(leaders[1:])
    return (
        f"{best.name} needs the fewest, {needs}, but on this much text it cannot be told from "
        f"{others}."
    )


def _not_beaten(made: Made) -> str:
    """The baselines that the best model is not shown to beat, as surely as an interval says."""
    if not made.current:
        return ""
    best, said = made.current[0], []
    for name, (one, stage, bits) in _beneath(made).items():
        of = difference_from(stage, "test", best.material.differences) if one is best else None
        named = f"{name} ({number(bits.value)})"
        if of is None or of.low is None:  # not compared in pairs of works
            if bits.value <= best.bits.value:
                said.append(f"It needs no fewer bits than {named}.")
            continue
        told = f"{signed(of.value)}, {span(of.low, of.high, signed)}"
        if of.above(0):
            said.append(f"It does worse than {named}: {told} bits a byte.")
        elif not of.below(0):
            said.append(f"It cannot be told from {named}: {told} bits a byte.")
    return " ".join(said)


def _warnings(made: Made) -> list[str]:
    """What is not compared, and what to materialize."""
    said = [
        f"{one.name} was measured on other held-out text than the corpus has now, and is held "
        f"against no other: materialize {one.name}/perplexity."
        for one in made.standings
        if not one.on_this_text
    ]
    said += [
        f"{one.name} was trained on an earlier version of the corpus: materialize {one.name}/model "
        "to have it learn from the corpus as it is."
        for one in made.standings
        if not one.trained_on_this
    ]
    said += [
        f"{one.name} is held against no other, for {one.because}: materialize {one.wants}."
        if one.because
        else f"{one.name} is not on this page: materialize {one.wants}."
        for one in made.missing
    ]
    return said


def _figures(made: Made, one: Standing) -> dict[str, Any]:
    """For elsewhere than the page."""
    row = _row(made, one)
    cells = dict(zip((c.title for c in table.COLUMNS), row.cells, strict=True))
    return {
        "name": one.name,
        "kind": table.kind_of(one.material.training.get("spec", {})),
        "parameters": one.material.training.get("parameters"),
        "bits_per_byte": one.bits.value,
        "low": one.bits.low,
        "high": one.bits.high,
        "perplexity_per_word": one.words,
        "behind": cells["behind the best"].value,
        "distinguishable": one.name not in made.leaders,
        "copied": cells["copied"].value,
        "above_bound": row.above_bound,
        "report": one.report,
    }


def _row(made: Made, one: Standing) -> table.Row:
    return next(row for row in table.rows(made.standings, made.differences) if row.name == one.name)


def _table(made: Made) -> Section:
    drawn = {}
    if made.current:
        told = "; ".join(f"{dot.name} {number(dot.bits.value)}" for dot in dots(made))
        beneath = ", ".join(f"{line.name} {number(line.bits)}" for line in lines(made))
        label = f"Bits per byte of held-out text, the best model first: {told}."
        label += f" Baselines: {beneath}." if beneath else ""
        drawn = {
            "wide": plots.models_svg(dots(made), lines(made), WIDE, label),
            "narrow": plots.models_svg(dots(made), lines(made), NARROW, label),
        }
    content = {
        "plot": drawn,
        "columns": table.COLUMNS,
        "rows": table.rows(made.standings, made.differences),
        "baselines": table.baselines(made.standings),
        "leaders": made.leaders,
    }
    return Section("models", "All models", "models/table.html", content)


def _pairs(made: Made) -> Section | None:
    if not made.differences:
        return None
    whole = max(one.works for one in made.differences)
    pairs = [_pair(one, whole) for one in made.differences]
    return Section("pairs", "Is the one really better?", "models/pairs.html", {"pairs": pairs})


def _pair(one: Difference, whole: int) -> Mapping[str, Any]:
    return {
        "better": one.better,
        "other": one.other,
        "value": number(one.of.value, 3),
        "span": span(one.of.low, one.of.high, lambda bits: signed(bits, 3)),
        "real": one.is_real,
        "works": f"{one.works:,}" if one.works == whole else f"{one.works:,} of {whole:,}",
    }
