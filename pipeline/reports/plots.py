"""The plots of a report: the course of the loss, and bits per byte before and after with intervals.

Lines and dots are named where they stand, so no legend has to be read. Only matplotlib's Figure
API is used, no pyplot: no global state and no display. `pipeline.reports.canvas` makes the files.
"""

import math
from collections.abc import Sequence

import pyarrow as pa
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import blended_transform_factory

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
from pipeline.reports.comparison import Comparison, compare
from pipeline.reports.text import number, one_line

#: At most so many points a line, each the mean of a run of steps: more is not seen, only stored.
POINTS = 240
#: At most so many groups of one grouping in the plot, the largest first; the table has more.
GROUPS = 8

Points = Sequence[tuple[float, float]]  # (step, loss)


def loss_svg(loss: pa.Table, size: Size, label: str) -> Markup:
    """Training and validation loss over steps, as an <svg> element named `label` for readers."""
    figure = new_figure(size)
    draw_loss(figure.subplots(), loss, size, STAND_IN)
    return to_svg(figure, "loss", size, label)


def bits_per_byte_svg(compared: Sequence[Comparison], size: Size, label: str) -> Markup:
    """Bits per byte of each group before and after, as `compare` has them, as an <svg>."""
    rows = _drawn(compared)
    figure = new_figure(size, _height(rows))
    _draw_comparison(figure.subplots(), rows, size, STAND_IN)
    return to_svg(figure, "bits", size, label)


def bits_per_byte_png(scores: pa.Table, differences: pa.Table | None = None) -> bytes:
    """The plot of bits per byte as a PNG, 640 pixels wide. Raises ValueError as `compare`."""
    rows = _drawn(compare(scores, differences))
    figure = new_figure(SMALL, _height(rows))
    _draw_comparison(figure.subplots(), rows, SMALL, LIGHT)
    return to_png(figure)


def loss_points(loss: pa.Table, split: str) -> list[tuple[int, float]]:
    """(step, loss) of a split in the order of steps, without losses that are not finite."""
    rows = zip(*(loss[name].to_pylist() for name in ("step", "split", "loss")), strict=True)
    return sorted((step, value) for step, of, value in rows if of == split and math.isfinite(value))


def draw_loss(axes: Axes, loss: pa.Table, size: Size, colours: Colours) -> None:
    """Training and validation loss over steps."""
    ends: list[tuple[float, float, str, str]] = []
    for split, name, line, writing in (
        ("train", "training", colours.before, colours.muted),
        ("validation", "validation", colours.after, colours.after),
    ):
        points = loss_points(loss, split)
        if not points:
            continue
        x, y = zip(*_thinned(points), strict=True)
        main = split == "validation"
        dots = "o" if len(x) == 1 or (main and len(x) <= 40) else None
        axes.plot(x, y, color=line, linewidth=2.4 if main else 1.4, marker=dots, markersize=5)
        ends.append((x[-1], y[-1], f"{name} {number(points[-1][1])}", writing))
    style(axes, size, colours)
    _label_ends(axes, ends, size)
    by_step(axes, size, colours, "loss, nats a token")


def _label_ends(axes: Axes, ends: list[tuple[float, float, str, str]], size: Size) -> None:
    """Write each line's name at its end, kept apart where the ends meet."""
    low, high = axes.get_ylim()
    lines = 2 if size is NARROW else 1
    apart = (high - low) * 0.085 * lines
    free = -math.inf
    for step, value, text, colour in sorted(ends, key=lambda end: end[1]):
        at = max(value, free)
        free = at + apart
        text = text.replace(" ", "\n") if lines == 2 else text
        beside(axes, text, (step, at), 9, colour, size)


def _draw_comparison(
    axes: Axes, rows: Sequence[Comparison | str], size: Size, colours: Colours
) -> None:
    compared = [row for row in rows if isinstance(row, Comparison)]
    figures = [figure for row in compared for figure in (row.before.value, row.after.value)]
    axes.set_xlim(0, max(figures) * 1.16)
    axes.set_ylim(len(rows) - 0.4, -1.0)
    axes.set_yticks([])
    style(axes, size, colours)
    axes.grid(axis="x", color=colours.rule, linewidth=0.8)
    axes.set_xlabel("bits per byte (less is better)", color=colours.muted, fontsize=size.font)
    for y, row in enumerate(rows):
        if isinstance(row, str):
            name_row(axes, y, row, colours.muted, size, "normal")
            continue
        whole = row.group_by == "all"
        name = "all text" if whole else _name(row, size.label)
        name_row(axes, y, name, colours.ink, size, "bold" if whole else "normal")
        _draw_row(axes, y, row, colours, size)
    _name_dots(axes, figures[0], figures[1], colours, size)


def _name(row: Comparison, limit: int) -> str:
    """The group's; of a source without room for its franchise, which is the same of many, …/its."""
    name = one_line(row.group, limit)
    if name == row.group or row.group_by != "source":
        return name
    return one_line(f"…/{row.group.rpartition('/')[2]}", limit)


def _draw_row(axes: Axes, y: int, row: Comparison, colours: Colours, size: Size) -> None:
    colour = colours.warn if row.verdict == "worse" else colours.after
    before, after = row.before.value, row.after.value
    axes.plot([before, after], [y, y], color=colours.rule, linewidth=3, zorder=1)
    whisker(axes, row.before, y, colours.before)
    whisker(axes, row.after, y, colour)
    (hollow,) = axes.plot([before], [y], "o", markersize=7, color=colours.paper, zorder=3)
    hollow.set(markeredgecolor=colours.before, markeredgewidth=1.8)
    axes.plot([after], [y], "o", markersize=7, color=colour, zorder=4)
    # Away from the other dot, but not over the row's name.
    room_left = after > 0.08 * axes.get_xlim()[1]
    left = after <= before and room_left
    end = row.after.low if left else row.after.high
    beside(axes, number(after), (after if end is None else end, y), -9 if left else 9, colour, size)


def whisker(axes: Axes, of: Interval, y: float, colour: str) -> None:
    """The interval as a line with an end at each bound; nothing where there is none."""
    if of.low is not None and of.high is not None:
        axes.plot([of.low, of.high], [y, y], "|-", color=colour, linewidth=1.6, markersize=9)


def _name_dots(axes: Axes, before: float, after: float, colours: Colours, size: Size) -> None:
    """Write before and after above the first row's dots, side by side where the dots meet."""
    close = abs(before - after) < 0.2 * axes.get_xlim()[1]
    for value, other, text, colour in (
        (before, after, "before", colours.muted),
        (after, before, "after", colours.after),
    ):
        outward = "right" if value < other or (value == other and text == "after") else "left"
        axes.annotate(
            text,
            (value, 0),
            xytext=(0, 10),
            textcoords="offset points",
            ha=outward if close else "center",
            va="bottom",
            color=colour,
            fontsize=size.font,
        )


def beside(
    axes: Axes, text: str, at: tuple[float, float], points: int, colour: str, size: Size
) -> None:
    """Write beside a point, `points` to its right, or to its left where negative."""
    axes.annotate(
        text,
        at,
        xytext=(points, 0),
        textcoords="offset points",
        ha="left" if points > 0 else "right",
        va="center",
        color=colour,
        fontsize=size.font,
    )


def name_row(axes: Axes, y: int, text: str, colour: str, size: Size, weight: str) -> None:
    """Write a row's name to its left, where the axis would be."""
    axes.text(
        -0.02,
        y,
        text,
        transform=blended_transform_factory(axes.transAxes, axes.transData),
        ha="right",
        va="center",
        parse_math=False,  # a group may be called "$$$"
        color=colour,
        fontsize=size.font,
        fontweight=weight,
    )


def _drawn(rows: Sequence[Comparison]) -> list[Comparison | str]:
    """The rows to draw, under a heading for each grouping; a grouping of one group says nothing."""
    drawn: list[Comparison | str] = [rows[0]]
    for group_by in dict.fromkeys(row.group_by for row in rows[1:]):
        group = [row for row in rows if row.group_by == group_by]
        if len(group) > 1:
            drawn += [f"by {group_by}", *group[:GROUPS]]
    return drawn


def _height(rows: Sequence[Comparison | str]) -> float:
    return 1.2 + 0.34 * len(rows)


def _thinned(points: Points) -> Points:
    """At most POINTS points: the means of runs of equal length."""
    run = math.ceil(len(points) / POINTS)
    runs = [points[i : i + run] for i in range(0, len(points), run)]
    return [(sum(s for s, _ in r) / len(r), sum(v for _, v in r) / len(r)) for r in runs]


def by_step(axes: Axes, size: Size, colours: Colours, title: str) -> None:
    """Training steps below, a title above, rules across."""
    axes.grid(axis="y", color=colours.rule, linewidth=0.8)
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_locator(MaxNLocator(4 if size is NARROW else 8, integer=True))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.set_xlabel("training step", color=colours.muted, fontsize=size.font)
    axes.set_title(title, loc="left", color=colours.muted, fontsize=size.font)


def style(axes: Axes, size: Size, colours: Colours) -> None:
    """As little of a frame as a reader needs."""
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(colours.rule)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelcolor=colours.muted, labelsize=size.font)
