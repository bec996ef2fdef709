"""The top of the page: what the figures say and how surely, whether it copies, key figures."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow.compute as pc

from pipeline.intervals import Interval
from pipeline.reports.comparison import Comparison, compare, held_out_split
from pipeline.reports.material import Material
from pipeline.reports.readings import reading
from pipeline.reports.sections.section import Section
from pipeline.reports.text import change, counted, number, percent, short, signed, size, span


@dataclass(frozen=True)
class KeyFigure:
    """A figure in the row under the title."""

    term: str  # of pipeline.reports.definitions
    label: str
    value: str
    span: str = ""  # of its interval
    note: str = ""


def section(material: Material) -> Section:
    """The verdict and the row of key figures."""
    split = held_out_split(material.scores)
    whole = compare(material.scores, material.differences)[0]
    works = _works(material, split)
    sentence = verdict(material.name, whole, works)
    copying = _copying(material)
    words_before, words_after = whole.per_word(whole.before), whole.per_word(whole.after)
    figures: dict[str, Any] = {
        "verdict": sentence,
        "better": whole.verdict,
        "bits_per_byte_before": whole.before.value,
        "bits_per_byte_after": whole.after.value,
        "bits_per_byte_interval": _bounds(whole.after),
        "difference": asdict(whole.difference),
        "perplexity_per_word_before": words_before.value,
        "perplexity_per_word_after": words_after.value,
        "perplexity_per_word_interval": _bounds(words_after),
        "held_out_split": split,
        "held_out_bytes": whole.bytes,
        "held_out_documents": whole.documents,
        "held_out_works": works,
        **{name: asdict(of) for name, of in copying.items()},
        **_judged(material),
    }
    if material.notice is not None:
        figures["notice"] = material.notice
    figures |= run_figures(material.training)
    content = {
        "notice": material.notice,
        "verdict": sentence,
        "gloss": gloss(whole),
        "copies": _judged(material),
        "row": list(_row(material, whole, works, copying)),
    }
    return Section("verdict", material.name, "headline.html", content, figures)


def _judged(material: Material) -> dict[str, Any]:
    """Whether it copies more than it may: sentence, outcome, and what to do."""
    found = material.memorisation_figures
    return {
        "copies_no_more": found["passed"],
        "copying_verdict": found["verdict"],
        "advice": list(found["advice"]),
    }


def _copying(material: Material) -> dict[str, Interval]:
    """What there is of copied, human_copied and extractable, of the last checkpoint."""
    table, last = material.memorisation, _last(material)
    found = {
        "copied": reading(table, writer="model", step=last, measure="copied"),
        "human_copied": reading(table, writer="human", measure="copied"),
        "extractable": reading(table, writer="model", step=last, measure="extractable"),
    }
    return {name: of for name, of in found.items() if of is not None}


def _last(material: Material) -> int:
    return int(pc.max(material.samples["step"]).as_py() or 0)


def _bounds(of: Interval) -> list[float] | None:
    return None if of.low is None or of.high is None else [of.low, of.high]


def run_figures(training: Mapping[str, Any]) -> dict[str, Any]:
    """What the record of the training says of the run; a figure it lacks is left out."""
    keys = ("parameters", "steps", "minutes", "tokens_per_second", "peak_memory_bytes")
    run = {key: training[key] for key in keys if training.get(key) is not None}
    if training.get("device"):
        run["device"] = training["device"]["name"]
    return run


def verdict(name: str, whole: Comparison, works: int) -> str:
    """What the figures say, whichever way they went, and how sure that is."""
    measured = f"measured on {counted(whole.bytes, 'byte')} from {counted(works, 'work')}"
    before, after = number(whole.before.value), number(whole.after.value)
    difference = change(whole.before.value, whole.after.value)
    if whole.verdict == "better":
        said = (
            f"After training, {name} needs {after} bits for each byte of stories it has never "
            f"read, down from {before} ({difference}), {measured}."
        )
    elif whole.verdict == "worse":
        said = (
            f"Training made {name} worse: it needs {after} bits for each byte of stories it has "
            f"never read, up from {before} ({difference}), {measured}."
        )
    elif whole.verdict == "unknown":
        said = (
            f"{name} needs {after} bits for each byte of stories it has never read, {before} "
            f"before training ({difference}), {measured}."
        )
    else:
        said = (
            f"Training changed nothing that can be measured: {name} needs {after} bits for each "
            f"byte of stories it has never read, {before} before, {measured}."
        )
    return f"{said} {_sure(whole)}"


def _sure(whole: Comparison) -> str:
    of = whole.difference
    if whole.verdict == "unknown":
        return f"Whether that is chance is not known: of {whole.no_interval} there is no interval."
    bounds = f"{signed(of.value)} bits a byte, {span(of.low, of.high, signed)}"
    if whole.verdict == "same":
        return f"The difference is within chance ({bounds})."
    return f"It is {whole.verdict} than before with 95\u202f% confidence ({bounds})."


def gloss(whole: Comparison) -> str:
    """The same in everyday terms."""
    after = whole.after.value
    if after >= 8:
        return "Plain storage takes 8 bits a byte, so the model has not learned this text at all."
    return (
        f"Plain storage takes 8 bits a byte: used as a compressor, the model would shrink unseen "
        f"text to {percent(after / 8)} of its size."
    )


def _works(material: Material, split: str) -> int:
    rows = material.manifest.filter(pc.field("split") == split)
    return int(pc.count_distinct(rows["work_id"]).as_py())


def _row(
    material: Material, whole: Comparison, works: int, copying: Mapping[str, Interval]
) -> Iterator[KeyFigure]:
    before = f"{number(whole.before.value)} before"
    yield _figure("bits-per-byte", "bits per byte", whole.after, number, before)
    words = f"{perplexity(whole.per_word(whole.before).value)} before"
    per_word = whole.per_word(whole.after)
    yield _figure("perplexity", "perplexity per word", per_word, perplexity, words)
    if "copied" in copying:
        human = copying.get("human_copied")
        beside = f"human text {share(human.value)}" if human else ""
        yield _figure("copied", "copied words", copying["copied"], share, beside)
    if "extractable" in copying:
        yield _figure("extractable", "extractable", copying["extractable"], share)
    yield KeyFigure("held-out", "held-out text", size(whole.bytes), note=counted(works, "work"))
    run = run_figures(material.training)
    if "parameters" in run:
        yield KeyFigure("parameters", "parameters", short(run["parameters"]))
    if "minutes" in run:
        minutes = f"{number(float(run['minutes']), 1)}\u202fmin"
        steps = counted(run["steps"], "step") if "steps" in run else ""
        yield KeyFigure("step", "training", minutes, note=steps)


def _figure(
    term: str, label: str, of: Interval, say: Callable[[float], str], note: str = ""
) -> KeyFigure:
    return KeyFigure(term, label, say(of.value), span(of.low, of.high, say), note)


def perplexity(value: float) -> str:
    """As a number, or where it is very large to three figures: 221 M."""
    return short(value) if 1e5 <= value < 1e9 else number(value)


def share(value: float) -> str:
    """A small share in per cent, to two digits where it is below one."""
    return percent(value, 2 if value < 0.01 else 1)
