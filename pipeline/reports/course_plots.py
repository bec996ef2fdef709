"""Figures of stories over checkpoints beside those of people: a panel a figure.

A dashed line across is the held-out human text, its band the interval; so one sees at a glance
where the model comes near it, or begins to copy.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from pipeline.intervals import Interval
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
from pipeline.reports.estimates import Course, draw_course, draw_level
from pipeline.reports.plots import style
from pipeline.reports.text import percent


@dataclass(frozen=True)
class Panel:
    """A figure over checkpoints."""

    title: str
    courses: Sequence[Course]
    human: Interval | None = None
    bound: float | None = None  # that it must not pass
    share: bool = False  # told in per cent


def panels_svg(panels: Sequence[Panel], name: str, size: Size, label: str) -> Markup:
    """The panels side by side, or one below the other where it is narrow, as an <svg>."""
    return to_svg(_draw(panels, size, 1 if size is NARROW else 3, STAND_IN), name, size, label)


def panels_png(panels: Sequence[Panel]) -> bytes:
    """The panels in two columns, 640 pixels wide."""
    return to_png(_draw(panels, SMALL, min(2, len(panels)), LIGHT))


def novelty_svg(courses: Sequence[Course], human: Course | None, size: Size, label: str) -> Markup:
    """Share of new n-grams over n, of checkpoints and of people."""
    figure = new_figure(size, 3.9)
    _draw_novelty(figure.subplots(), courses, human, size, STAND_IN)
    return to_svg(figure, "novelty", size, label)


def _draw(panels: Sequence[Panel], size: Size, across: int, colours: Colours) -> Figure:
    columns = min(across, len(panels))
    rows = -(-len(panels) // columns)
    figure = new_figure(size, 2.6 * rows)
    figure.set_layout_engine("constrained", hspace=0.08)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for one, panel in zip(axes, panels, strict=False):
        _draw_panel(one, panel, size, colours)
    for unused in axes[len(panels) :]:
        unused.set_visible(False)
    return figure


def _draw_panel(axes: Axes, panel: Panel, size: Size, colours: Colours) -> None:
    if panel.human is not None:
        draw_level(axes, panel.human, colours.before)
    if panel.bound is not None:
        axes.axhline(panel.bound, color=colours.warn, linewidth=1.5)
    for course in panel.courses:
        draw_course(axes, course, colours.after)
    style(axes, size, colours)
    axes.grid(axis="y", color=colours.rule, linewidth=0.8)
    steps = [at for course in panel.courses for at, _ in course.points]
    if len(set(steps)) == 1:
        axes.set_xlim(steps[0] - 1, steps[0] + 1)
        axes.set_xticks([steps[0]])
    else:
        axes.set_xticks(_apart(sorted(set(steps))))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.tick_params(axis="x", pad=7)
    axes.yaxis.set_major_locator(MaxNLocator(4))
    if panel.share:
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _per_cent(axes, value)))
    low, high = axes.get_ylim()
    axes.set_ylim(0.0 if panel.share else max(0.0, low), high + 0.12 * (high - low))
    axes.set_title(panel.title, loc="left", color=colours.ink, fontsize=size.font)
    axes.set_xlabel("training step", color=colours.muted, fontsize=size.font)


def _per_cent(axes: Axes, value: float) -> str:
    low, high = axes.get_ylim()
    return percent(value, 0 if high - low > 0.06 else 1 if high - low > 0.02 else 2)


def _apart(steps: Sequence[float]) -> list[float]:
    """The steps to name on an axis: the last, and of the others those with room for a number."""
    named = [steps[-1]]
    for step in reversed(steps[:-1]):
        if named[-1] - step > 0.2 * (steps[-1] - steps[0]):
            named.append(step)
    return named


def _draw_novelty(
    axes: Axes, courses: Sequence[Course], human: Course | None, size: Size, colours: Colours
) -> None:
    lines = [
        *((one, colours.after if one.main else colours.muted) for one in courses),
        *([(human, colours.warn)] if human else []),
    ]
    # The curves rise to the right, so below them there is room for their names.
    for nth, (course, colour) in enumerate(reversed(lines)):
        draw_course(axes, course, colour, band=course.main or course is human)
        at = (0.99, 0.05 + 0.085 * nth * (1.2 if size is NARROW else 1))
        weight = "bold" if course.main else "normal"
        axes.text(
            *at,
            course.name,
            transform=axes.transAxes,
            ha="right",
            va="bottom",
            color=colour,
            fontsize=size.font,
            fontweight=weight,
        )
    style(axes, size, colours)
    axes.grid(axis="y", color=colours.rule, linewidth=0.8)
    axes.set_ylim(0, 1.04)
    axes.set_xticks(range(1, 11))
    axes.yaxis.set_major_formatter(lambda value, _: percent(value))
    said: dict[str, Any] = {"color": colours.muted, "fontsize": size.font}
    axes.set_xlabel("words in a row (n)", **said)
    axes.set_title("share of runs that are new", loc="left", **said)
