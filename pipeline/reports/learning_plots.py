"""The course of a training beside its loss: held-out bits per byte, the best look marked, and the
learning rate.
"""

import math

import pyarrow as pa
from markupsafe import Markup
from matplotlib.axes import Axes

from pipeline.reports import plots
from pipeline.reports.canvas import (
    LIGHT,
    SMALL,
    STAND_IN,
    Colours,
    Size,
    new_figure,
    to_png,
    to_svg,
)
from pipeline.reports.text import number

Points = list[tuple[int, float]]


def looks(loss: pa.Table) -> Points:
    """(step, held-out bits per byte) of each look, in the order of steps."""
    return _points(loss, "validation", "bits_per_byte")


def best_look(points: Points) -> tuple[int, float] | None:
    """The look with the fewest bits per byte, the first of equals; None where there is none."""
    return min(points, key=lambda point: (point[1], point[0]), default=None)


def bits_svg(loss: pa.Table, size: Size, label: str) -> Markup:
    """Held-out bits per byte over steps, as an <svg> element named `label` for readers."""
    figure = new_figure(size)
    _draw_bits(figure.subplots(), loss, size, STAND_IN)
    return to_svg(figure, "looks", size, label)


def learning_png(loss: pa.Table) -> bytes:
    """Loss, held-out bits per byte and learning rate, one below the other, 640 pixels wide.

    What was not measured is left out.
    """
    draw = [plots.draw_loss]
    if looks(loss):
        draw.append(_draw_bits)
    if len(_points(loss, "train", "learning_rate")) > 1:
        draw.append(_draw_rate)
    figure = new_figure(SMALL, SMALL.height * (0.4 + 0.6 * len(draw)))
    axes = figure.subplots(len(draw), 1, squeeze=False, sharex=True)[:, 0]
    for one, onto in zip(axes, draw, strict=True):
        onto(one, loss, SMALL, LIGHT)
        one.label_outer()
    return to_png(figure)


def _draw_bits(axes: Axes, loss: pa.Table, size: Size, colours: Colours) -> None:
    points = looks(loss)
    x, y = zip(*points, strict=True)
    few = len(x) <= 40
    axes.plot(x, y, color=colours.after, linewidth=2.4, marker="o" if few else None, markersize=5)
    best, last = best_look(points), points[-1]
    assert best is not None
    plots.style(axes, size, colours)
    plots.by_step(axes, size, colours, "held-out bits per byte (less is better)")
    if best != last:
        (ring,) = axes.plot(*best, "o", markersize=10, color=colours.paper, zorder=3)
        ring.set(markeredgecolor=colours.after, markeredgewidth=2)
        plots.beside(axes, number(last[1]), last, 9, colours.muted, size)
    axes.annotate(
        f"best {number(best[1])}",
        best,
        xytext=(0, -11),  # nothing is below the lowest
        textcoords="offset points",
        ha="right" if best[0] > 0.6 * last[0] else "center",
        va="top",
        color=colours.after,
        fontsize=size.font,
    )
    axes.margins(y=0.22)


def _draw_rate(axes: Axes, loss: pa.Table, size: Size, colours: Colours) -> None:
    x, y = zip(*_points(loss, "train", "learning_rate"), strict=True)
    axes.plot(x, y, color=colours.before, linewidth=1.4)
    plots.style(axes, size, colours)
    plots.by_step(axes, size, colours, "learning rate")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")


def _points(loss: pa.Table, split: str, column: str) -> Points:
    rows = zip(*(loss[name].to_pylist() for name in ("step", "split", column)), strict=True)
    return sorted(
        (step, value)
        for step, of, value in rows
        if of == split and value is not None and math.isfinite(value)
    )
