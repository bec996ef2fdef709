"""The plots of a report: drawn by matplotlib, as SVG in the colours of the page or as small PNG.

Only the Figure API is used, no pyplot, so no global state and no display. Colours in the SVG are
CSS variables, which lets a plot follow the page from light to dark. Ids are salted and metadata
left out: the same tables give the same bytes.
"""

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import pyarrow as pa
from lxml import etree
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import blended_transform_factory

from pipeline.reports.comparison import Comparison, compare
from pipeline.reports.text import number, one_line

#: At most so many points a line, each the mean of a run of steps: more is not seen, only stored.
POINTS = 240
#: At most so many groups of one grouping in the plot, the largest first; the table has more.
GROUPS = 8


@dataclass(frozen=True)
class Size:
    """A plot's width and height in inches (72 CSS pixels each in SVG), and room for labels."""

    name: str
    width: float
    height: float
    label: int  # characters of a group's name


WIDE = Size("wide", 10.0, 4.2, 28)
NARROW = Size("narrow", 4.6, 3.9, 16)
_SMALL = Size("small", 6.4, 3.2, 20)


@dataclass(frozen=True)
class _Colours:
    ink: str
    muted: str
    rule: str
    before: str
    after: str
    paper: str


_LIGHT = _Colours("#1d1c1a", "#5d594f", "#dfdbd2", "#8a8478", "#0b6470", "#ffffff")
#: In SVG a colour is only a name, exchanged for `var(--name)` after drawing.
_NAMED = _Colours("#00beef", "#01beef", "#02beef", "#03beef", "#04beef", "#05beef")
_NAMES = ("ink", "muted", "rule", "before", "after", "paper")
_SVG = "{http://www.w3.org/2000/svg}"
_XLINK = "{http://www.w3.org/1999/xlink}href"


def loss_svg(loss: pa.Table, size: Size, label: str) -> Markup:
    """Training and validation loss over steps, as an <svg> element named `label` for readers."""
    figure = _figure(size, size.height)
    _draw_loss(figure.subplots(), loss, size, _NAMED)
    return _svg(figure, f"loss-{size.name}", label)


def bits_per_byte_svg(scores: pa.Table, size: Size, label: str) -> Markup:
    """Bits per byte of each group before and after, as an <svg> element named `label`."""
    rows = _plotted(compare(scores))
    figure = _figure(size, _height(rows))
    _draw_comparison(figure.subplots(), rows, size, _NAMED)
    return _svg(figure, f"bits-{size.name}", label)


def loss_png(loss: pa.Table) -> bytes:
    """The loss plot as a small PNG (640 x 320 pixels), for an inline picture elsewhere."""
    figure = _figure(_SMALL, _SMALL.height)
    _draw_loss(figure.subplots(), loss, _SMALL, _LIGHT)
    return _png(figure)


def bits_per_byte_png(scores: pa.Table) -> bytes:
    """The plot of bits per byte as a small PNG, 640 pixels wide. Raises as `compare`."""
    rows = _plotted(compare(scores))
    figure = _figure(_SMALL, _height(rows))
    _draw_comparison(figure.subplots(), rows, _SMALL, _LIGHT)
    return _png(figure)


def loss_points(loss: pa.Table, split: str) -> list[tuple[int, float]]:
    """(step, loss) of a split in the order of steps, without losses that are not finite."""
    rows = zip(
        loss["step"].to_pylist(), loss["split"].to_pylist(), loss["loss"].to_pylist(), strict=True
    )
    return sorted((step, value) for step, of, value in rows if of == split and math.isfinite(value))


def _draw_loss(axes: Axes, loss: pa.Table, size: Size, colours: _Colours) -> None:
    ends: list[tuple[float, float, str, str]] = []
    for split, colour, name in (
        ("train", colours.before, "training"),
        ("validation", colours.after, "validation"),
    ):
        points = _thinned(loss_points(loss, split))
        if not points:
            continue
        dotted = len(points) == 1 or (split == "validation" and len(points) <= 40)
        axes.plot(
            [step for step, _ in points],
            [value for _, value in points],
            color=colour,
            linewidth=2.4 if split == "validation" else 1.4,
            marker="o" if dotted else None,
            markersize=5,
        )
        step, value = points[-1]
        ends.append((step, value, f"{name} {number(value)}", colour))
    _style(axes, size, colours)
    _label_ends(axes, ends, size, colours)
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_locator(MaxNLocator(4 if size is NARROW else 8, integer=True))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.set_xlabel("training step", color=colours.muted)
    axes.set_title("loss, nats a token", loc="left", color=colours.muted, fontsize=_font(size))


def _label_ends(
    axes: Axes, ends: list[tuple[float, float, str, str]], size: Size, colours: _Colours
) -> None:
    """Write each line's name at its end, kept apart where the ends meet."""
    low, high = axes.get_ylim()
    apart = (high - low) * 0.09
    floor = -math.inf
    for step, value, text, colour in sorted(ends, key=lambda end: end[1]):
        at = max(value, floor + apart)
        floor = at
        axes.annotate(
            text.replace(" ", "\n") if size is NARROW else text,
            (step, at),
            xytext=(9, 0),
            textcoords="offset points",
            va="center",
            color=colours.after if colour == colours.after else colours.muted,
            fontsize=_font(size),
        )
        if size is NARROW:
            floor += apart


def _draw_comparison(
    axes: Axes, rows: Sequence[Comparison | str], size: Size, colours: _Colours
) -> None:
    values = [figure for row in rows if isinstance(row, Comparison) for figure in _pair(row)]
    axes.set_xlim(0, max(values) * 1.16)
    axes.set_ylim(len(rows) - 0.4, -1.0)
    _style(axes, size, colours)
    axes.grid(axis="x", color=colours.rule, linewidth=0.8)
    axes.grid(axis="y", visible=False)
    beside = blended_transform_factory(axes.transAxes, axes.transData)
    for y, row in enumerate(rows):
        heading = isinstance(row, str)
        text = row if isinstance(row, str) else _row_name(row, size)
        strong = heading or (isinstance(row, Comparison) and row.group_by == "all")
        axes.text(
            -0.02,
            y,
            text,
            transform=beside,
            ha="right",
            va="center",
            parse_math=False,  # a group may be called "$$$"
            color=colours.muted if heading else colours.ink,
            fontsize=_font(size) - (1 if heading else 0),
            fontweight="bold" if strong and not heading else "normal",
        )
        if isinstance(row, str):
            continue
        axes.plot([row.before, row.after], [y, y], color=colours.rule, linewidth=3, zorder=1)
        axes.plot(
            [row.before], [y], "o", markersize=8, color=colours.paper,
            markeredgecolor=colours.before, markeredgewidth=1.8, zorder=2,
        )  # fmt: skip
        axes.plot([row.after], [y], "o", markersize=8.5, color=colours.after, zorder=3)
        axes.annotate(
            number(row.after),
            (row.after, y),
            xytext=(-8, 0) if row.after <= row.before else (8, 0),
            textcoords="offset points",
            ha="right" if row.after <= row.before else "left",
            va="center",
            color=colours.after,
            fontsize=_font(size),
        )
    first = next(row for row in rows if isinstance(row, Comparison))
    for value, text, colour in (
        (first.before, "before", colours.muted),
        (first.after, "after", colours.after),
    ):
        axes.annotate(
            text, (value, 0), xytext=(0, 10), textcoords="offset points",
            ha="center", va="bottom", color=colour, fontsize=_font(size),
        )  # fmt: skip
    axes.set_yticks([])
    axes.set_xlabel("bits per byte (less is better)", color=colours.muted)


def _pair(row: Comparison) -> tuple[float, float]:
    return row.before, row.after


def _row_name(row: Comparison, size: Size) -> str:
    return (
        "all held-out text"[: size.label]
        if row.group_by == "all"
        else one_line(row.group, size.label)
    )


def _plotted(rows: Sequence[Comparison]) -> list[Comparison | str]:
    """The rows to draw, under a heading for each grouping; a grouping of one group says nothing."""
    drawn: list[Comparison | str] = [rows[0]]
    for group_by in dict.fromkeys(row.group_by for row in rows[1:]):
        group = [row for row in rows if row.group_by == group_by]
        if len(group) > 1:
            drawn += [f"by {group_by}", *group[:GROUPS]]
    return drawn


def _height(rows: Sequence[Comparison | str]) -> float:
    return 1.2 + 0.34 * len(rows)


def _thinned(points: list[tuple[int, float]]) -> list[tuple[float, float]]:
    """At most POINTS points: the means of runs of equal length."""
    run = math.ceil(len(points) / POINTS) or 1
    runs = [points[i : i + run] for i in range(0, len(points), run)]
    return [(sum(s for s, _ in r) / len(r), sum(v for _, v in r) / len(r)) for r in runs]


def _font(size: Size) -> float:
    return 11.5 if size is NARROW else 11.0


def _figure(size: Size, height: float) -> Figure:
    return Figure(figsize=(size.width, height), layout="constrained")


def _style(axes: Axes, size: Size, colours: _Colours) -> None:
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(colours.rule)
    axes.grid(axis="y", color=colours.rule, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelcolor=colours.muted, labelsize=_font(size))
    axes.xaxis.label.set_fontsize(_font(size))


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(
        buffer,
        format="png",
        dpi=100,
        facecolor="white",
        metadata={"Software": None},
        pil_kwargs={"optimize": True},
    )
    return buffer.getvalue()


def _svg(figure: Figure, prefix: str, label: str) -> Markup:
    """The drawing as an <svg> element fit for an HTML page that holds several of them."""
    buffer = io.BytesIO()
    nothing: dict[str, Any] = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with mpl.rc_context({"svg.hashsalt": prefix, "svg.fonttype": "none"}):
        figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    root = etree.fromstring(buffer.getvalue(), etree.XMLParser(remove_blank_text=True))
    for useless in [*root.iter(f"{_SVG}style"), *root.iter(f"{_SVG}metadata")]:
        useless.getparent().remove(useless)
    for element in root.iter():
        _for_the_page(element, prefix)
    for attribute in ("width", "height", "version"):
        root.attrib.pop(attribute, None)
    root.set("role", "img")
    root.set("aria-label", label)
    root.set("class", f"plot {prefix.rsplit('-', 1)[1]}")
    return Markup(etree.tostring(root, encoding="unicode"))  # noqa: S704 - escaped by lxml


def _for_the_page(element: Any, prefix: str) -> None:
    """Ids unique in the page; the page's colours and typeface; short paths."""
    attributes = element.attrib
    if "id" in attributes:
        attributes["id"] = f"{prefix}-{attributes['id']}"
    if _XLINK in attributes:
        attributes["href"] = attributes.pop(_XLINK).replace("#", f"#{prefix}-")
    if "clip-path" in attributes:
        attributes["clip-path"] = attributes["clip-path"].replace("#", f"#{prefix}-")
    if "d" in attributes:
        attributes["d"] = " ".join(attributes["d"].split())
    style = attributes.get("style")
    if style:
        parts = [part.strip() for part in style.split(";")]
        style = "; ".join(part for part in parts if not part.startswith("font-family"))
        for name in _NAMES:
            style = style.replace(getattr(_NAMED, name), f"var(--{name})")
        attributes["style"] = style
