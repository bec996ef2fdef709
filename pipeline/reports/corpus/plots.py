"""The plots of a corpus's page: how long documents are, and how alike those that match.

Lengths stand on a logarithmic axis, for they differ by factors; bars and lines are named where they
stand. `pipeline.reports.canvas` makes the files.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator
from matplotlib.transforms import blended_transform_factory

from pipeline.reports.canvas import (
    LIGHT,
    NARROW,
    SMALL,
    STAND_IN,
    Colours,
    Size,
    new_figure,
    to_png,
    to_svg,
)
from pipeline.reports.text import number, one_line
from pipeline.statistics import Histogram, Lengths, Similarities

#: Groups that have a line; the table has the others.
GROUPS = 8
#: Similarities are drawn from here on, or from the least that there is.
_FROM = 0.3
#: An axis that ends at so many times where it begins has two of 1, 2, 5, 10, … at least.
_SPAN = 5.1


def lengths_svg(histogram: Histogram, lengths: Lengths, size: Size, label: str) -> Markup:
    """How many documents are how long, an <svg> element named `label` for readers."""
    return to_svg(_lengths(histogram, lengths, size, STAND_IN), "lengths", size, label)


def lengths_png(histogram: Histogram, lengths: Lengths) -> bytes:
    """The same as a PNG of 640 x 320 pixels, for an inline picture elsewhere."""
    return to_png(_lengths(histogram, lengths, SMALL, LIGHT))


def ranges_svg(groups: Mapping[str, Lengths], name: str, size: Size, label: str) -> Markup:
    """From the tenth to the ninetieth percentile of each group's lengths, with the median."""
    shown = list(groups.items())[:GROUPS]
    figure = new_figure(size, 1.0 + 0.42 * len(shown))
    axes = figure.subplots()
    axes.set_xscale("log")
    for y, (group, lengths) in enumerate(shown):
        _draw_range(axes, y, one_line(group, size.label), lengths, size)
    low = min(max(1, lengths.tenth) for _, lengths in shown)
    high = max(max(1, lengths.ninetieth) for _, lengths in shown)
    axes.set_xlim(low / 1.3, high * 1.3)
    axes.set_ylim(len(shown) - 0.4, -0.7)
    _style(axes, size, STAND_IN)
    _words_axis(axes, size, STAND_IN)
    axes.set_yticks([])
    axes.grid(axis="x", color=STAND_IN.rule, linewidth=0.8)
    return to_svg(figure, f"ranges-{name}", size, label)


def similarities_svg(found: Similarities, size: Size, label: str) -> Markup:
    """How alike the pairs are that count as one, documents above whole works."""
    panels = [
        (histogram, what)
        for histogram, what in ((found.near, "documents"), (found.works, "whole works"))
        if sum(histogram.counts)
    ]
    figure = new_figure(size, 1.1 + 1.9 * len(panels))
    first = min(_FROM, *(_first(histogram) for histogram, _ in panels))
    drawn = figure.subplots(len(panels), 1, squeeze=False, sharex=True)[:, 0]
    for axes, (histogram, what) in zip(drawn, panels, strict=True):
        _bars(axes, histogram, STAND_IN)
        _style(axes, size, STAND_IN)
        axes.grid(axis="y", color=STAND_IN.rule, linewidth=0.8)
        axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
        axes.set_title(f"pairs of {what}", loc="left", **_said(size, STAND_IN))
        axes.set_xlim(first, 1.0)
    drawn[-1].set_xlabel("similarity", **_said(size, STAND_IN))
    drawn[-1].xaxis.set_major_locator(MaxNLocator(4 if size is NARROW else 8))
    return to_svg(figure, "similarities", size, label)


def _first(histogram: Histogram) -> float:
    """The edge where the first bar begins that is not empty."""
    return histogram.edges[next(at for at, count in enumerate(histogram.counts) if count)]


def _lengths(histogram: Histogram, lengths: Lengths, size: Size, colours: Colours) -> Figure:
    figure = new_figure(size)
    axes = figure.subplots()
    axes.set_xscale("log")
    _bars(axes, histogram, colours)
    axes.set_ylim(0, max(1, *histogram.counts) * 1.18)
    _style(axes, size, colours)
    _words_axis(axes, size, colours)
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(int(value))))
    axes.grid(axis="y", color=colours.rule, linewidth=0.8)
    axes.set_title("documents", loc="left", **_said(size, colours))
    if lengths.documents:
        axes.axvline(max(1, lengths.median), color=colours.ink, linewidth=1.2)
        axes.annotate(
            f"median {number(lengths.median)}",
            (max(1, lengths.median), 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(6, -2),
            textcoords="offset points",
            va="top",
            color=colours.ink,
            fontsize=size.font,
        )
    return figure


def _bars(axes: Axes, histogram: Histogram, colours: Colours) -> None:
    edges = np.array(histogram.edges)
    axes.bar(
        edges[:-1],
        histogram.counts,
        width=np.diff(edges),
        align="edge",
        color=colours.after,
        edgecolor=colours.paper,
        linewidth=0.8,
    )


def _draw_range(axes: Axes, y: int, name: str, lengths: Lengths, size: Size) -> None:
    ends = [max(1, lengths.tenth), max(1, lengths.ninetieth)]
    median = max(1, lengths.median)
    axes.plot(ends, [y, y], color=STAND_IN.before, linewidth=5, alpha=0.45, solid_capstyle="butt")
    axes.plot([median], [y], "o", markersize=8, color=STAND_IN.after)
    axes.annotate(
        number(lengths.median),
        (median, y),
        xytext=(0, 7),
        textcoords="offset points",
        ha="center",
        va="bottom",
        color=STAND_IN.after,
        fontsize=size.font - 1,
    )
    axes.text(
        -0.02,
        y,
        name,
        transform=blended_transform_factory(axes.transAxes, axes.transData),
        ha="right",
        va="center",
        parse_math=False,  # a genre may be called "$$$"
        color=STAND_IN.ink,
        fontsize=size.font,
    )


def _words_axis(axes: Axes, size: Size, colours: Colours) -> None:
    """1, 10, 100, and between them 2 and 5, or 3, where there is room; never fewer than two."""
    low, high = axes.get_xlim()
    if high / low < _SPAN:
        middle = (low * high) ** 0.5
        low, high = axes.set_xlim(middle / _SPAN**0.5, middle * _SPAN**0.5)
    fine, far = (15, 1000) if size is NARROW else (1000, 30_000)
    steps = (1, 2, 5) if high / low < fine else (1, 3) if high / low < far else (1,)
    marks = [m * 10**e for e in range(10) for m in steps if low <= m * 10**e <= high]
    axes.set_xticks(marks)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(int(value))))
    axes.set_xlabel("words", **_said(size, colours))


def _style(axes: Axes, size: Size, colours: Colours) -> None:
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(colours.rule)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelcolor=colours.muted, labelsize=size.font)
    axes.tick_params(axis="x", pad=6)


def _said(size: Size, colours: Colours) -> dict[str, Any]:
    return {"color": colours.muted, "fontsize": size.font}
