"""The model beside what any could do, and what a longer context gains: bits per byte, drawn."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
from markupsafe import Markup
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

from pipeline.intervals import Interval
from pipeline.reports.canvas import NARROW, STAND_IN, Size, new_figure, to_svg
from pipeline.reports.estimates import Course, Estimate, draw_course, draw_estimates
from pipeline.reports.plots import style

#: The axis of both.
_TITLE = "bits per byte (less is better)"


def baselines_svg(rows: Sequence[Estimate], size: Size, label: str) -> Markup:
    """All held-out text under each scorer, a row each, as an <svg> named `label` for readers."""
    figure = new_figure(size, 0.9 + (0.56 if size is NARROW else 0.42) * len(rows))
    draw_estimates(figure.subplots(), rows, _TITLE, size, STAND_IN)
    return to_svg(figure, "baselines", size, label)


def context_course(context: pa.Table) -> Course:
    """Rows of CONTEXT as figures over tokens of context."""
    rows = sorted(context.to_pylist(), key=lambda row: row["context"])
    points = [
        (row["context"], Interval(row["bits_per_byte"], row["low"], row["high"])) for row in rows
    ]
    return Course("the model", points, main=True)


def context_svg(context: pa.Table, size: Size, label: str) -> Markup:
    """Bits per byte over the length of context, doubling from mark to mark."""
    course = context_course(context)
    figure = new_figure(size, 3.2)
    axes = figure.subplots()
    axes.set_xscale("log", base=2)
    draw_course(axes, course, STAND_IN.after)
    style(axes, size, STAND_IN)
    lengths = [at for at, _ in course.points]
    step = -(-len(lengths) // (5 if size is NARROW else 10))
    axes.xaxis.set_major_locator(FixedLocator(lengths[::-1][::step][::-1]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.grid(axis="y", color=STAND_IN.rule, linewidth=0.8)
    said: dict[str, Any] = {"color": STAND_IN.muted, "fontsize": size.font}
    axes.set_xlabel("tokens that the model may look back", **said)
    axes.set_title(_TITLE, loc="left", **said)
    return to_svg(figure, "context", size, label)
