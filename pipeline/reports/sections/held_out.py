"""Bits per byte on held-out text: before and after, beside baselines, by group and by context."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.intervals import Interval
from pipeline.reports import canvas, held_out_plots, plots
from pipeline.reports.comparison import Comparison, compare, difference_from, held_out_split
from pipeline.reports.estimates import Estimate
from pipeline.reports.material import Material
from pipeline.reports.sections.headline import perplexity
from pipeline.reports.sections.section import Section
from pipeline.reports.text import change, counted, number, signed, span

#: At most so many rows of one grouping in the table; the largest are shown.
ROWS = 40
#: How a scorer is called beside the model, in the order of the plot.
_SCORERS = {
    "xz": "xz (a compressor)",
    "ngram": "an n-gram model",
    "initial": "this model before training",
    "trained": "this model",
}


def section(material: Material) -> Section:
    """The plots and the table. Raises ValueError as `compare`."""
    rows = compare(material.scores, material.differences)
    whole = rows[0]
    # A grouping whose one group is the whole says nothing new.
    rows = [whole, *(row for row in rows[1:] if row.bytes < whole.bytes)]
    groupings = []
    for group_by in dict.fromkeys(row.group_by for row in rows):
        group = [row for row in rows if row.group_by == group_by]
        groupings.append(
            {
                "title": "all" if group_by == "all" else f"by {group_by}",
                "rows": [_line(row) for row in group[:ROWS]],
                "left_out": max(0, len(group) - ROWS),
            }
        )
    label = (
        f"Dot plot of bits per byte before and after training. All held-out text: "
        f"{number(whole.before.value)} before, {number(whole.after.value)} after. The table has "
        "each group."
    )
    content = {
        "split": held_out_split(material.scores),
        "by_work": material.corpus_figures["split_by"] == "work",
        "baselines": _baselines(material, whole),
        "groupings": groupings,
        "caption": _caption(rows[1:]),
        "wide": plots.bits_per_byte_svg(rows, canvas.WIDE, label),
        "narrow": plots.bits_per_byte_svg(rows, canvas.NARROW, label),
        "gap": _gap(material.perplexity_figures.get("gap")),
        "context": _context(material),
    }
    return Section("held-out", "On stories it never read", "held_out.html", content)


def _line(row: Comparison) -> dict[str, Any]:
    return {
        "group": row.group,
        "before": number(row.before.value),
        "before_span": span(row.before.low, row.before.high),
        "after": number(row.after.value),
        "after_span": span(row.after.low, row.after.high),
        "change": change(row.before.value, row.after.value),
        "difference": span(row.difference.low, row.difference.high, signed),
        "no_interval": row.no_interval if row.verdict == "unknown" else "",
        "verdict": row.verdict,
        "words": perplexity(row.per_word(row.after).value),
        "documents": row.documents,
        "bytes": row.bytes,
    }


def _caption(groups: list[Comparison]) -> str:
    if len(groups) < 2:
        return ""
    of = Counter(row.verdict for row in groups)
    known = len(groups) - of["unknown"]
    said = []
    if of["worse"]:
        said.append(
            f"{counted(of['worse'], 'group')} of {known:,} got worse; the table marks which."
        )
    elif known:
        said.append(f"None of {counted(known, 'group')} is shown to have got worse.")
    if of["same"]:
        said.append(f"Of {counted(of['same'], 'group')} the change is within chance.")
    if of["unknown"]:
        said.append(f"Of {counted(of['unknown'], 'group')} it is not known: there is no interval.")
    return " ".join(said)


def _baselines(material: Material, whole: Comparison) -> dict[str, Any] | None:
    """All held-out text under each scorer, and the model on what it was trained on."""
    rows = list(_scorers(material, whole))
    if len(rows) < 3:
        return None
    rows.sort(key=lambda row: -row.of.value)
    told = "; ".join(f"{row.name} {number(row.of.value)}" for row in rows)
    label = f"Bits per byte of all held-out text, less is better: {told}."
    return {
        "wide": held_out_plots.baselines_svg(rows, canvas.WIDE, label),
        "narrow": held_out_plots.baselines_svg(
            [Estimate(_broken(row.name), row.of, row.main) for row in rows], canvas.NARROW, label
        ),
        "said": " ".join(_beside(material, rows, whole.after)),
    }


def _scorers(material: Material, whole: Comparison) -> Iterator[Estimate]:
    split = held_out_split(material.scores)
    based = (material.training.get("spec") or {}).get("base") is not None
    for row in material.scores.to_pylist():
        if row["group_by"] != "all" or row["stage"] not in _SCORERS:
            continue
        of = Interval(row["bits_per_byte"], row["low"], row["high"])
        name = _SCORERS[row["stage"]]
        if row["split"] == split:
            if row["stage"] == "initial" and based:
                name = "the base it was made from"
            yield Estimate(name, of, main=row["stage"] == "trained")
        elif row["stage"] == "trained":
            yield Estimate("this model, on text it trained on", of)


def _beside(material: Material, rows: list[Estimate], after: Interval) -> Iterator[str]:
    """How the model stands to what knows no stories, as surely as its interval says."""
    there = {row.name: row.of for row in rows}
    of = difference_from("ngram", held_out_split(material.scores), material.differences)
    if of is not None:
        yield _beside_counting(of)
    if _SCORERS["xz"] in there:
        xz = there[_SCORERS["xz"]].value
        few = "fewer" if after.value < xz else "no fewer"
        yield f"It needs {few} bits than xz (a compressor), whose figure has no interval."


def _beside_counting(of: Interval) -> str:
    """What the paired difference from the n-gram model says."""
    bounds = span(of.low, of.high, signed)
    if not bounds:
        return (
            f"From an n-gram model it differs by {signed(of.value)} bits a byte, without an "
            "interval: whether that is chance is not known."
        )
    told = f"({signed(of.value)} bits a byte, {bounds})"
    if of.below(0):
        return f"It foretells held-out text better than an n-gram model {told}."
    if of.above(0):
        return (
            f"It foretells held-out text worse than an n-gram model {told}: so far it has learned "
            "less of how such stories go than counting finds."
        )
    return f"On this much text it cannot be told from an n-gram model {told}."


def _gap(gap: Mapping[str, Any] | None) -> dict[str, str] | None:
    """Held-out less training text, and what that means."""
    if not gap or gap.get("value") is None:
        return None
    of = Interval(gap["value"], gap.get("low"), gap.get("high"))
    said = f"{signed(of.value)} bits per byte"
    if of.above(0):
        meaning = (
            "the model foretells what it was trained on better than what it never read; the wider "
            "the gap, the more of it is learned by heart."
        )
    elif of.low is None:
        meaning = "there are too few works to say how much of it is chance."
    elif of.below(0):
        meaning = (
            "the held-out text is the easier one; what is known by heart would not show in this."
        )
    else:
        meaning = (
            "whether there is a gap cannot be told from these works; one as wide as the upper "
            "bound is not ruled out."
        )
    return {"said": said, "span": span(of.low, of.high, signed), "meaning": meaning}


def _context(material: Material) -> dict[str, Any] | None:
    """The curve over the length of context; None of fewer than two lengths."""
    points = held_out_plots.context_course(material.context).points
    if len(points) < 2:
        return None
    (short, first), (long, last) = points[0], points[-1]
    caption = (
        f"Looking back {counted(int(short), 'token')}, the model needs {number(first.value)} bits "
        f"a byte; looking back {int(long):,}, {number(last.value)}."
    )
    label = f"Line plot of bits per byte over tokens of context. {caption}"
    return {
        "caption": caption,
        "wide": held_out_plots.context_svg(material.context, canvas.WIDE, label),
        "narrow": held_out_plots.context_svg(material.context, canvas.NARROW, label),
    }


def _broken(name: str) -> str:
    """A long name on two lines, for where it is narrow."""
    words = name.split()
    if len(name) < 18:
        return name
    half = (len(words) + 1) // 2
    return f"{' '.join(words[:half])}\n{' '.join(words[half:])}"
