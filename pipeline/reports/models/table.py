"""The one table: a row a model, and below them what none of them should be worse than."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from pipeline.intervals import Interval
from pipeline.reports.comparison import difference_from
from pipeline.reports.models.standing import Difference, Standing, bits_of, flipped, score_row
from pipeline.reports.readings import reading
from pipeline.reports.sections.quality import blind_share
from pipeline.reports.text import number, one_line, percent, short, signed, span


@dataclass(frozen=True)
class Cell:
    """A figure, its interval and what it stands beside, as they are written."""

    value: str = ""
    span: str = ""
    note: str = ""
    mark: str = ""


@dataclass(frozen=True)
class Column:
    """A column: the definition of its heading, and the heading."""

    term: str  # of pipeline.reports.models.definitions
    title: str


@dataclass(frozen=True)
class Row:
    """A model, or a baseline, which has no report."""

    name: str
    kind: str
    report: str
    cells: Sequence[Cell]
    above_bound: bool = False  # it copies more than it may


COLUMNS = (
    Column("bits-per-byte", "bits per byte"),
    Column("best", "behind the best"),
    Column("perplexity", "perplexity per word"),
    Column("gap", "gap"),
    Column("copied", "copied"),
    Column("extractable", "extractable"),
    Column("distinct", "distinct-2"),
    Column("self-bleu", "self-BLEU"),
    Column("repetition", "repetition"),
    Column("genre-met", "genre met"),
)


def kind_of(spec: Mapping[str, Any]) -> str:
    """What sort of model a recipe makes: char-LSTM, GPT-2 mini, fine-tuned BASE."""
    base, recurrent = spec.get("base"), spec.get("recurrent")
    if base:
        # Of a folder the last part: where it lies is no one's business but this machine's.
        name = one_line(str(base).rstrip("/").rpartition("/")[2], 40)
        return f"{name}, LoRA" if spec.get("lora") else f"{name}, fine-tuned"
    if recurrent:
        unit = {"characters": "char", "words": "word", "bpe": "BPE"}
        tokens = unit.get((spec.get("tokenizer") or {}).get("kind", ""), "")
        cell = str(recurrent.get("cell", "")).upper()
        return f"{tokens}-{cell}".strip("-")
    return f"GPT-2 {spec.get('size') or ''}, from scratch".replace(" ,", ",")


def parameters_of(training: Mapping[str, Any]) -> str:
    """The model's size: 3.4 M parameters; empty where its record has none."""
    count = training.get("parameters")
    return f"{short(count)} parameters" if count else ""


def rows(standings: Sequence[Standing], found: Sequence[Difference]) -> list[Row]:
    """The models in their order."""
    best = next((one.name for one in standings if one.on_this_text), None)
    behind: dict[str, Difference] = {}
    for one in found:
        if best in (one.better, one.other):
            behind[one.other if one.better == best else one.better] = one
    return [_row(one, best, behind.get(one.name)) for one in standings]


def baselines(standings: Sequence[Standing]) -> list[Row]:
    """The models before training, and what needs none: of the text as it is now."""
    current = [one for one in standings if one.on_this_text]
    made = [
        Row(
            f"{one.name} before training",
            _before(one),
            "",
            _scored(row, _ahead(current[0], "initial") if one is current[0] else None),
        )
        for one in current
        if (row := score_row(one.material.scores, "initial")) is not None
    ]
    for stage, name, kind in (
        ("ngram", "n-gram model", "counts of the training text"),
        ("xz", "xz", "a file compressor"),
    ):
        scores = (score_row(one.material.scores, stage) for one in current)
        if (row := next(filter(None, scores), None)) is not None:
            made.append(Row(name, kind, "", _scored(row, _ahead(current[0], stage))))
    return made


def _before(one: Standing) -> str:
    base = one.material.training.get("spec", {}).get("base")
    return "its base, as published" if base else "random weights"


def _row(one: Standing, best: str | None, behind: Difference | None) -> Row:
    training = one.material.training
    kind = kind_of(training.get("spec", {}))
    size = parameters_of(training)
    return Row(
        one.name,
        f"{kind} · {size}" if size else kind,
        one.report,
        list(_cells(one, best, behind)),
        above_bound=not one.material.memorisation_figures["passed"],
    )


def _cells(one: Standing, best: str | None, behind: Difference | None) -> Iterator[Cell]:
    material = one.material
    yield _bits(one.bits, "" if one.on_this_text else "other text")
    yield _behind(one, best, behind)
    yield Cell(number(one.words))
    yield _gap(material.perplexity_figures.get("gap"))
    last = max(material.samples["step"].to_pylist(), default=None)
    copied = reading(material.memorisation, writer="model", measure="copied", step=last)
    human = reading(material.memorisation, writer="human", measure="copied")
    yield _cell(copied, "people", human, _percent)
    of = {"writer": "model", "step": last}
    told = reading(material.memorisation, measure="extractable", **of)
    held_out = reading(material.memorisation, measure="extractable_held_out", **of)
    yield _cell(told, "held-out", held_out, _percent)
    for measure, say in (
        ("distinct_2", percent),
        ("self_bleu", number),
        ("repetition", _percent),
        ("genre_met", percent),
    ):
        value, human = _means(material.quality_means, measure, last)
        cell = _cell(value, "people", human, say)
        blind = blind_share(material.quality_figures) if measure == "genre_met" else ""
        noted = ", ".join(filter(None, (cell.note, blind and f"by chance {blind}")))
        yield replace(cell, note=noted) if value else cell


def _means(
    means: pa.Table, measure: str, last: int | None
) -> tuple[Interval | None, Interval | None]:
    """Of the model's last stories, and of people."""
    of = {"measure": measure, "genre": None, "setting": None}
    human = reading(means, writer="human", **of)
    return reading(means, writer="model", step=last, **of), human


def _cell(
    value: Interval | None, other: str, beside: Interval | None, say: Callable[[float], str]
) -> Cell:
    """A figure, and the same of `other`."""
    if value is None:
        return Cell()
    note = f"{other} {say(beside.value)}" if beside is not None else ""
    return Cell(say(value.value), span(value.low, value.high, say), note)


def _percent(share: float) -> str:
    return percent(share, 1)


def _bits(bits: Interval, mark: str = "") -> Cell:
    return Cell(number(bits.value, 3), span(bits.low, bits.high, lambda b: number(b, 3)), "", mark)


def _behind(one: Standing, best: str | None, behind: Difference | None) -> Cell:
    if one.name == best:
        return Cell("best")
    if behind is None:
        return Cell()
    # Over the works that both have it may be ahead, where the other has more of them.
    return _apart(behind.of if behind.better == best else flipped(behind.of))


def _apart(of: Interval) -> Cell:
    """Bits behind the best, and whether that may be chance."""
    bounds = span(of.low, of.high, lambda bits: signed(bits, 3))
    real = of.above(0) or of.below(0)
    return Cell(signed(of.value, 3), bounds, "" if real else "not distinguishable from the best")


def _gap(gap: Mapping[str, Any] | None) -> Cell:
    if not gap:
        return Cell()
    return Cell(signed(gap["value"]), span(gap.get("low"), gap.get("high"), signed))


def _ahead(best: Standing, stage: str) -> Interval | None:
    """The bits of a baseline less those of the best model; None where that was not compared."""
    of = difference_from(stage, "test", best.material.differences)
    return None if of is None else flipped(of)


def _scored(row: Mapping[str, Any], behind: Interval | None) -> list[Cell]:
    """Bits per byte, how far behind the best, perplexity per word; a baseline tells no stories."""
    cells = [Cell() for _ in COLUMNS]
    cells[0], cells[2] = _bits(bits_of(row)), Cell(number(row["perplexity_per_word"]))
    if behind is not None:
        cells[1] = _apart(behind)
    return cells
