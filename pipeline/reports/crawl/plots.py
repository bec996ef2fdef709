"""The plots of a crawl's page: requests in the minute over time, and the gaps between requests.

The line is the number of requests within the last 60 s at each moment: the quantity that a limit a
minute speaks of, and one that a crawl of half a minute has, too. A panel a host, the busiest first.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

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
from pipeline.reports.crawl.record import CLOCK, MINUTE, Array, HostRecord
from pipeline.reports.crawl.verdicts import limit, seconds
from pipeline.reports.text import one_line

#: Hosts that have a panel; the table has the others.
PANELS = 4
#: Moments at which the line is drawn: each shows the most of its stretch of time.
_MOMENTS = 240
_BINS = 40
_BEYOND = 1.03
#: A limit further above what was sent than this is named, not drawn: the line would lie flat.
_IN_SIGHT = 4
#: Seconds from which on a time axis counts minutes, then hours.
_MINUTES, _HOURS = 180, 3 * 3600

Policies = Mapping[str, Mapping[str, Any]]


def pace_svg(hosts: Sequence[HostRecord], policies: Policies, size: Size, label: str) -> Markup:
    """Requests in the minute over time, an <svg> element named `label` for readers."""
    return to_svg(_pace(hosts, policies, size, STAND_IN), "pace", size, label)


def pace_png(hosts: Sequence[HostRecord], policies: Policies) -> bytes:
    """The same as a PNG, 640 pixels wide, for an inline picture elsewhere."""
    return to_png(_pace(hosts, policies, SMALL, LIGHT))


def limit_in_sight(host: HostRecord, policies: Policies) -> int | None:
    """The requests a minute that the host allows; None where a line for it would lie too high."""
    policy = policies.get(host.host)
    allowed = limit(policy) if policy else None
    in_sight = allowed is not None and allowed <= _IN_SIGHT * host.busiest_minute()
    return allowed if in_sight else None


def gaps_svg(hosts: Sequence[HostRecord], policies: Policies, size: Size, label: str) -> Markup:
    """How long the gaps between two requests were, with the delay asked, as an <svg>."""
    hosts = [host for host in hosts if len(host.gaps())][:PANELS]
    figure, panels = _panels(hosts, size)
    for axes, host in zip(panels, hosts, strict=True):
        _draw_gaps(axes, host, policies.get(host.host), size, STAND_IN)
        _finish(axes, host, hosts, size, STAND_IN)
    panels[-1].set_xlabel("seconds between two requests", **_said(size, STAND_IN))
    figure.supylabel("requests", **_said(size, STAND_IN))
    return to_svg(figure, "gaps", size, label)


def _pace(hosts: Sequence[HostRecord], policies: Policies, size: Size, colours: Colours) -> Figure:
    hosts = hosts[:PANELS]
    figure, panels = _panels(hosts, size, sharex=True)
    # A little further than the last request, whose count would have no width otherwise.
    end = _BEYOND * max(*(host.offset + host.at[-1] for host in hosts), 1.0)
    unit, name = _unit(end)
    for axes, host in zip(panels, hosts, strict=True):
        x, y = _moments(host, end)
        axes.fill_between(x / unit, y, step="post", color=colours.after, alpha=0.15, linewidth=0)
        axes.step(x / unit, y, where="post", color=colours.after, linewidth=1.8)
        axes.set_ylim(0, max(1, y.max()) * 1.25)
        if (allowed := limit_in_sight(host, policies)) is not None:
            _bound(axes, "y", allowed, f"{allowed:,} allowed", size, colours)
            axes.set_ylim(0, max(allowed, int(y.max())) * 1.25)
        axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
        _finish(axes, host, hosts, size, colours)
        axes.grid(axis="y", color=colours.rule, linewidth=0.8)
    panels[0].set_xlim(0, end / unit)
    panels[-1].xaxis.set_major_locator(MaxNLocator(4 if size is NARROW else 8))
    panels[-1].set_xlabel(f"{name} since the first request", **_said(size, colours))
    figure.supylabel("requests in 60 s", **_said(size, colours))
    return figure


def _moments(host: HostRecord, end: float) -> tuple[Array, Array]:
    """Times (s) and the most requests within 60 s that the stretch from each of them saw."""
    edges = np.linspace(0, end, _MOMENTS)
    at = host.at + host.offset
    upto, since = (np.searchsorted(at, edges - back, "right") for back in (0.0, MINUTE))
    most = upto - since
    np.maximum.at(most, np.searchsorted(edges, at, "right") - 1, host.in_the_minute())
    return edges, most


def _draw_gaps(
    axes: Axes, host: HostRecord, policy: Mapping[str, Any] | None, size: Size, colours: Colours
) -> None:
    gaps = host.gaps()
    asked = float(policy["delay"]) if policy else 0.0
    # Long rests would press all else against the axis: they stand in the last bar.
    far = max(2.5 * asked, 1.5 * float(np.quantile(gaps, 0.9)), 0.01)
    # What falls short by a timer's rounding alone was kept, and stands where it was asked to be.
    gaps = np.where((gaps < asked) & (gaps >= asked - CLOCK), asked, gaps)
    axes.hist(
        gaps.clip(max=far), bins=gap_edges(far, asked).tolist(), color=colours.after, linewidth=0.6,
        edgecolor=colours.paper,
    )  # fmt: skip
    axes.set_xlim(0, far)
    top = axes.get_ylim()[1]
    axes.set_ylim(0, top * 1.25)
    axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    axes.xaxis.set_major_locator(MaxNLocator(4 if size is NARROW else 8))
    axes.grid(axis="y", color=colours.rule, linewidth=0.8)
    if asked:
        _bound(axes, "x", asked, f"{seconds(asked)} asked", size, colours)


def gap_edges(far: float, asked: float) -> Array:
    """The bounds of the bars from 0 to `far` s, one of them the delay that was asked.

    So a bar stands on the one side of its line or on the other.
    """
    if not asked:
        return np.linspace(0, far, _BINS + 1)
    below = max(1, round(_BINS * asked / far))
    upto, beyond = np.linspace(0, asked, below + 1), np.linspace(asked, far, _BINS - below + 1)
    return np.concatenate([upto, beyond[1:]])


def _bound(axes: Axes, axis: str, value: float, text: str, size: Size, colours: Colours) -> None:
    """The line that may not be crossed, named where it stands."""
    line = axes.axhline if axis == "y" else axes.axvline
    line(value, color=colours.warn, linewidth=1.4, linestyle=(0, (5, 3)))
    at = (1.0, value) if axis == "y" else (value, 1.0)
    axes.annotate(
        text,
        at,
        xycoords=("axes fraction", "data") if axis == "y" else ("data", "axes fraction"),
        xytext=(0, 3) if axis == "y" else (5, -2),
        textcoords="offset points",
        ha="right" if axis == "y" else "left",
        va="bottom" if axis == "y" else "top",
        color=colours.warn,
        fontsize=size.font,
    )


def _finish(
    axes: Axes, host: HostRecord, hosts: Sequence[HostRecord], size: Size, colours: Colours
) -> None:
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(colours.rule)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelcolor=colours.muted, labelsize=size.font)
    axes.tick_params(axis="x", pad=6)
    axes.set_title(
        one_line(host.host, 2 * size.label), loc="left", parse_math=False, **_said(size, colours)
    )


def _said(size: Size, colours: Colours) -> dict[str, Any]:
    return {"color": colours.muted, "fontsize": size.font}


def _panels(hosts: Sequence[HostRecord], size: Size, **options: Any) -> tuple[Figure, Any]:
    """A figure with a panel a host, one above the other, apart enough for their titles."""
    figure = new_figure(size, 1.1 + (1.6 if len(hosts) > 1 else 2.2) * len(hosts))
    if len(hosts) > 1:
        figure.set_layout_engine("constrained", h_pad=0.12)
    return figure, figure.subplots(len(hosts), 1, squeeze=False, **options)[:, 0]


def _unit(end: float) -> tuple[float, str]:
    if end < _MINUTES:
        return 1.0, "seconds"
    return (60.0, "minutes") if end < _HOURS else (3600.0, "hours")
