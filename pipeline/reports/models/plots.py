"""The models beside each other: a dot and an interval each, the baselines as lines across."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup
from matplotlib.axes import Axes

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
from pipeline.reports.plots import beside, name_row, style, whisker
from pipeline.reports.text import number, one_line

#: Room beside the figures, as a share of their range.
_ROOM = 0.16
#: Bits that are shown at least: a difference of a hundredth must not look like a gulf.
_LEAST = 0.4


@dataclass(frozen=True)
class Dot:
    """A model; `leads` where none is distinguishable from above."""

    name: str
    bits: Interval
    leads: bool


@dataclass(frozen=True)
class Line:
    """A baseline."""

    name: str
    bits: float


def models_svg(dots: Sequence[Dot], lines: Sequence[Line], size: Size, label: str) -> Markup:
    """Bits per byte of the models, the best on top, as an <svg> element named `label`."""
    figure = new_figure(size, _height(dots))
    _draw(figure.subplots(), dots, lines, size, STAND_IN)
    return to_svg(figure, "models", size, label)


def models_png(dots: Sequence[Dot], lines: Sequence[Line]) -> bytes:
    """The same as a PNG, 640 pixels wide."""
    figure = new_figure(SMALL, _height(dots))
    _draw(figure.subplots(), dots, lines, SMALL, LIGHT)
    return to_png(figure)


def _draw(
    axes: Axes, dots: Sequence[Dot], lines: Sequence[Line], size: Size, colours: Colours
) -> None:
    ends = [bound for dot in dots for bound in (dot.bits.value, dot.bits.low, dot.bits.high)]
    shown = [bound for bound in ends if bound is not None] + [line.bits for line in lines]
    low, high = min(shown), max(shown)
    room = max(high - low, _LEAST) * _ROOM
    axes.set_xlim(max(0.0, low - room), high + room * (2.2 if size is NARROW else 1))
    axes.set_ylim(len(dots) - 0.4, -0.7 - 0.5 * len(lines))
    axes.set_yticks([])
    style(axes, size, colours)
    axes.grid(axis="x", color=colours.rule, linewidth=0.8)
    axes.set_xlabel("bits per byte (less is better)", color=colours.muted, fontsize=size.font)
    _draw_lines(axes, lines, len(dots), size, colours)
    for y, dot in enumerate(dots):
        colour = colours.after if dot.leads else colours.before
        ink = colours.after if dot.leads else colours.muted
        weight = "bold" if dot.leads else "normal"
        name_row(axes, y, one_line(dot.name, size.label), colours.ink, size, weight)
        whisker(axes, dot.bits, y, colour)
        axes.plot([dot.bits.value], [y], "o", markersize=8, color=colour, zorder=3)
        end = dot.bits.value if dot.bits.high is None else dot.bits.high
        beside(axes, number(dot.bits.value), (end, y), 9, ink, size)


def _draw_lines(axes: Axes, lines: Sequence[Line], rows: int, size: Size, colours: Colours) -> None:
    """Each named at its head, one above the other, so that no two names meet."""
    left, right = axes.get_xlim()
    for place, line in enumerate(sorted(lines, key=lambda line: line.bits)):
        head = -0.75 - 0.5 * place
        axes.plot(
            [line.bits, line.bits], [head, rows - 0.4], color=colours.warn, linewidth=1.3,
            linestyle=(0, (5, 3)), zorder=1,
        )  # fmt: skip
        beyond = line.bits > left + 0.4 * (right - left)
        axes.annotate(
            f"{line.name} {number(line.bits)}", (line.bits, head), xytext=(-5 if beyond else 5, 0),
            textcoords="offset points", ha="right" if beyond else "left", va="center",
            color=colours.warn, fontsize=size.font, parse_math=False,
        )  # fmt: skip


def _height(dots: Sequence[Dot]) -> float:
    return 2.0 + 0.42 * len(dots)
