"""From a matplotlib figure to what a page can hold: SVG in the page's own colours, or a small PNG.

In SVG a colour is drawn as a stand-in and exchanged for a CSS variable, so that a plot follows the
page from light to dark. Text stays text, in the page's typeface. Ids are salted and metadata left
out: the same figure gives the same bytes.
"""

import io
from dataclasses import dataclass, fields
from typing import Any

import matplotlib as mpl
from lxml import etree
from markupsafe import Markup
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

_SVG = "{http://www.w3.org/2000/svg}"
_XLINK = "{http://www.w3.org/1999/xlink}href"
#: Colours of a PNG's palette: enough for smooth edges, a third of the bytes.
_PALETTE = 48


@dataclass(frozen=True)
class Size:
    """A plot's width and height in inches (72 CSS pixels in SVG, 100 in PNG), and its type."""

    name: str
    width: float
    height: float
    font: float  # points
    label: int  # characters of a group's name


WIDE = Size("wide", 10.0, 4.2, 11, 28)
NARROW = Size("narrow", 4.6, 4.0, 13, 14)
SMALL = Size("small", 6.4, 3.2, 10.5, 20)


@dataclass(frozen=True)
class Colours:
    """The colours of a plot by their part in it; the names are the style sheet's variables."""

    ink: str
    muted: str
    rule: str
    before: str
    after: str
    warn: str
    paper: str


LIGHT = Colours("#1d1c1a", "#5d594f", "#dfdbd2", "#8a8478", "#0b6470", "#8a3d00", "#ffffff")
STAND_IN = Colours("#00beef", "#01beef", "#02beef", "#03beef", "#04beef", "#05beef", "#06beef")


def new_figure(size: Size, height: float | None = None) -> Figure:
    """An empty figure of that size."""
    return Figure(figsize=(size.width, height or size.height), layout="constrained")


def to_png(figure: Figure) -> bytes:
    """The figure on white, 100 pixels an inch."""
    figure.set_dpi(100)
    figure.set_facecolor("white")
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    width, height = canvas.get_width_height()
    pixels = Image.frombuffer("RGBA", (width, height), canvas.buffer_rgba(), "raw", "RGBA", 0, 1)
    buffer = io.BytesIO()
    pixels.convert("RGB").quantize(_PALETTE).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def to_svg(figure: Figure, name: str, size: Size, label: str) -> Markup:
    """The figure, drawn in STAND_IN colours, as an <svg> element that screen readers call `label`.

    `name` and `size` make the ids unique in a page that holds several.
    """
    prefix = f"{name}-{size.name}"
    buffer = io.BytesIO()
    nothing: dict[str, Any] = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with mpl.rc_context({"svg.hashsalt": prefix, "svg.fonttype": "none"}):
        figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    root = etree.fromstring(buffer.getvalue(), etree.XMLParser(remove_blank_text=True))
    for useless in [*root.iter(f"{_SVG}style"), *root.iter(f"{_SVG}metadata")]:
        useless.getparent().remove(useless)
    for element in root.iter():
        _fit_into_page(element.attrib, prefix)
    for attribute in ("width", "height", "version"):
        root.attrib.pop(attribute, None)
    root.attrib.update({"role": "img", "aria-label": label, "class": f"plot {size.name}"})
    return Markup(etree.tostring(root, encoding="unicode"))  # noqa: S704 - lxml has escaped it


def _fit_into_page(attributes: Any, prefix: str) -> None:
    """Ids unique in the page; the page's colours and typeface; paths on one line."""
    if "id" in attributes:
        attributes["id"] = f"{prefix}-{attributes['id']}"
    if _XLINK in attributes:
        attributes["href"] = attributes.pop(_XLINK).replace("#", f"#{prefix}-")
    if "clip-path" in attributes:
        attributes["clip-path"] = attributes["clip-path"].replace("#", f"#{prefix}-")
    if "d" in attributes:
        attributes["d"] = " ".join(attributes["d"].split())
    if "style" in attributes:
        parts = (part.strip() for part in attributes["style"].split(";"))
        style = "; ".join(part for part in parts if not part.startswith("font-family"))
        for colour in fields(Colours):
            style = style.replace(getattr(STAND_IN, colour.name), f"var(--{colour.name})")
        attributes["style"] = style
