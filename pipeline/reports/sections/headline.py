"""The top of the page: one sentence that says what the figures say, and the key figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow.compute as pc

from pipeline.reports.comparison import Comparison, held_out_split, overall
from pipeline.reports.material import Material
from pipeline.reports.sections.section import Section
from pipeline.reports.text import change, counted, number, short, size


@dataclass(frozen=True)
class KeyFigure:
    """A figure in the row under the title."""

    term: str  # of pipeline.reports.definitions
    value: str
    note: str = ""


def section(material: Material) -> Section:
    """The verdict and the row of key figures."""
    split = held_out_split(material.scores)
    whole = overall(material.scores)
    works = _works(material, split)
    sentence = verdict(material.name, whole, works)
    figures: dict[str, Any] = {
        "verdict": sentence,
        "bits_per_byte_before": whole.before,
        "bits_per_byte_after": whole.after,
        "perplexity_per_word_before": whole.word_perplexity_before,
        "perplexity_per_word_after": whole.word_perplexity_after,
        "held_out_split": split,
        "held_out_bytes": whole.bytes,
        "held_out_documents": whole.documents,
        "held_out_works": works,
    }
    if material.notice is not None:
        figures["notice"] = material.notice
    figures |= run_figures(material.training)
    content = {
        "notice": material.notice,
        "verdict": sentence,
        "gloss": gloss(whole),
        "row": _row(material, whole, works),
    }
    return Section("verdict", material.name, "headline.html", content, figures)


def run_figures(training: Mapping[str, Any]) -> dict[str, Any]:
    """What the record of the training says of the run; a figure it lacks is left out."""
    keys = ("parameters", "steps", "minutes", "tokens_per_second", "peak_memory_bytes")
    run = {key: training[key] for key in keys if training.get(key) is not None}
    if training.get("device"):
        run["device"] = training["device"]["name"]
    return run


def verdict(name: str, whole: Comparison, works: int) -> str:
    """One sentence made from the figures, whichever way they went."""
    measured = f"measured on {counted(whole.bytes, 'byte')} from {counted(works, 'work')}"
    before, after = number(whole.before), number(whole.after)
    difference = change(whole.before, whole.after)
    if whole.verdict == "better":
        return (
            f"After training, {name} needs {after} bits for each byte of stories it has never "
            f"read, down from {before} ({difference}), {measured}."
        )
    if whole.verdict == "worse":
        return (
            f"Training made {name} worse: it needs {after} bits for each byte of stories it has "
            f"never read, up from {before} ({difference}), {measured}."
        )
    return (
        f"Training changed nothing that can be measured: {name} needs {after} bits for each byte "
        f"of stories it has never read, {before} before, {measured}."
    )


def gloss(whole: Comparison) -> str:
    """The same in everyday terms."""
    if whole.after >= 8:
        return "Plain storage takes 8 bits a byte, so the model has not learned this text at all."
    return (
        f"Plain storage takes 8 bits a byte: used as a compressor, the model would shrink unseen "
        f"text to {100 * whole.after / 8:.0f}\u202f% of its size."
    )


def _works(material: Material, split: str) -> int:
    rows = material.manifest.filter(pc.field("split") == split)
    return int(pc.count_distinct(rows["work_id"]).as_py())


def _row(material: Material, whole: Comparison, works: int) -> list[KeyFigure]:
    before_words = f"{number(whole.word_perplexity_before)} before"
    row = [
        KeyFigure("bits-per-byte", number(whole.after), f"{number(whole.before)} before"),
        KeyFigure("perplexity", number(whole.word_perplexity_after), before_words),
        KeyFigure("held-out", size(whole.bytes), counted(works, "work")),
    ]
    run = run_figures(material.training)
    if "parameters" in run:
        row.append(KeyFigure("parameters", short(run["parameters"])))
    if "minutes" in run:
        minutes = f"{number(float(run['minutes']), 1)}\u202fmin"
        steps = counted(run["steps"], "step") if "steps" in run else ""
        row.append(KeyFigure("step", minutes, steps))
    if "tokens_per_second" in run:
        on = f"on {run['device']}" if "device" in run else ""
        row.append(KeyFigure("tokens-per-second", number(round(run["tokens_per_second"])), on))
    return row
