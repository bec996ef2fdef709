"""Figures with their intervals, drawn: one below the other, or as a course with a band.

The building blocks of the plots of held-out text, stories and copying, of a model and of several.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from pipeline.intervals import Interval
from pipeline.reports.canvas import NARROW, Colours, Size
from pipeline.reports.plots import beside, name_row, style, whisker
from pipeline.reports.text import number


@dataclass(frozen=True)
class Estimate:
    """A figure under the name that a reader knows it by; `main` is what the page is about."""

    name: str
    of: Interval
    main: bool = False


@dataclass(frozen=True)
class Course:
    """Figures over something that grows, such as training steps; `main` is drawn strongest."""

    name: str
    points: Sequence[tuple[float, Interval]]
    main: bool = False


def draw_estimates(
    axes: Axes, rows: Sequence[Estimate], title: str, size: Size, colours: Colours
) -> None:
    """A row each, from the top: its name, its dot, its interval and its figure."""
    ends = [value for row in rows for value in (row.of.value, row.of.high) if value is not None]
    axes.set_xlim(0, max(ends) * (1.3 if size is NARROW else 1.14))
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_yticks([])
    style(axes, size, colours)
    axes.grid(axis="x", color=colours.rule, linewidth=0.8)
    axes.set_xlabel(title, color=colours.muted, fontsize=size.font)
    for y, row in enumerate(rows):
        colour = colours.after if row.main else colours.before
        weight = "bold" if row.main else "normal"
        name_row(axes, y, row.name, colours.ink, size, weight)
        axes.plot([0, row.of.value], [y, y], color=colours.rule, linewidth=3, zorder=1)
        whisker(axes, row.of, y, colour)
        axes.plot([row.of.value], [y], "o", markersize=7.5, color=colour, zorder=3)
        end = row.of.value if row.of.high is None else row.of.high
        ink = colours.after if row.main else colours.muted
        beside(axes, number(row.of.value), (end, y), 9, ink, size)


def draw_course(axes: Axes, course: Course, colour: str, *, band: bool = True) -> None:
    """A line through the figures in a band of their intervals."""
    x = [at for at, _ in course.points]
    y = [of.value for _, of in course.points]
    low = [of.value if of.low is None else of.low for _, of in course.points]
    high = [of.value if of.high is None else of.high for _, of in course.points]
    if len(x) > 1 and band:
        axes.fill_between(x, low, high, color=colour, alpha=0.16, linewidth=0)
    elif band:
        axes.plot([x[0], x[0]], [low[0], high[0]], "_-", color=colour, linewidth=1.6)
    width = 2.4 if course.main else 1.5
    axes.plot(x, y, color=colour, linewidth=width, marker="o", markersize=5 if course.main else 3.5)


def draw_level(axes: Axes, of: Interval, colour: str) -> None:
    """A figure that does not depend on what grows: a line across in its band."""
    if of.low is not None and of.high is not None:
        axes.axhspan(of.low, of.high, color=colour, alpha=0.16, linewidth=0)
    axes.axhline(of.value, color=colour, linewidth=1.5, linestyle=(0, (5, 3)))
