"""The small pictures for asset metadata, and what is drawn in them."""

import io
from typing import Any

import pyarrow as pa
from lxml import etree
from PIL import Image

from pipeline.reports.canvas import NARROW, WIDE
from pipeline.reports.comparison import compare
from pipeline.reports.learning_plots import best_look, bits_svg, learning_png, looks
from pipeline.reports.plots import (
    POINTS,
    bits_per_byte_png,
    bits_per_byte_svg,
    loss_points,
    loss_svg,
)
from pipeline.schema import LOSS, SCORES


def losses(rows: list) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=LOSS)


def scores(rows: list) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=SCORES)


def test_pngs_are_small_pictures_with_something_on_them(made: Any) -> None:
    many = made.both("all", "all", 8.0, 2.0)
    for n in range(30):
        many += made.both("source", f"source {n}", 8.0, 1 + n / 10)
        many += made.both("genre", f"genre {n}", 8.0, 1 + n / 10)
    for png in (learning_png(losses(made.loss_rows(4000))), bits_per_byte_png(scores(many))):
        picture = Image.open(io.BytesIO(png))
        assert picture.format == "PNG"
        assert picture.width == 640
        assert len(picture.convert("RGB").getcolors(1 << 16)) > 10
        assert len(png) < 40_000


def test_the_same_table_gives_the_same_png(made: Any) -> None:
    table = losses(made.loss_rows())
    assert learning_png(table) == learning_png(table)


def test_the_loss_plot_names_its_lines_and_their_last_values(made: Any) -> None:
    texts = etree.fromstring(str(loss_svg(losses(made.loss_rows(400)), WIDE, "a plot"))).itertext()
    assert {"training 3.05", "validation 3.15"} <= set(texts)


def test_a_long_training_is_thinned(made: Any) -> None:
    long = [{"step": n, "split": "train", "loss": 2.0, "learning_rate": None} for n in range(9_000)]
    svg = str(loss_svg(losses(long), WIDE, "a plot"))
    assert svg.count(" L ") < 2 * POINTS
    assert len(svg) < 40_000


def test_losses_that_are_not_finite_are_left_out(made: Any) -> None:
    rows = [
        {"step": n, "split": "train", "loss": x, "learning_rate": None}
        for n, x in enumerate((3.0, float("nan"), float("inf"), 2.0))
    ]
    assert loss_points(losses(rows), "train") == [(0, 3.0), (3, 2.0)]


def test_the_largest_groups_are_drawn_under_their_heading(made: Any) -> None:
    rows = [*made.both("all", "all", 8.0, 2.0)]
    for n in range(12):
        rows += made.both("source", f"source {n}", 8.0, 2.0, bytes=1000 + n)
    texts = set(
        etree.fromstring(str(bits_per_byte_svg(compare(scores(rows)), NARROW, "a plot"))).itertext()
    )
    assert "by source" in texts
    assert "source 11" in texts
    assert "source 0" not in texts


def test_a_label_is_text_and_not_markup(made: Any) -> None:
    rows = (
        made.both("all", "all", 8.0, 2.0)
        + made.both("genre", "<b>", 8.0, 2.0)
        + made.both("genre", "$x$", 8.0, 2.0)
    )
    svg = bits_per_byte_svg(compare(scores(rows)), WIDE, '"><script>alert(1)</script>')
    root = etree.fromstring(str(svg))
    assert root.get("aria-label") == '"><script>alert(1)</script>'
    assert {"<b>", "$x$"} <= set(root.itertext())
    assert not [e for e in root.iter() if etree.QName(e).localname in ("b", "script")]


def test_the_best_look_is_marked_and_the_last_named(made: Any) -> None:
    bits = {50: 3.1, 100: 2.4, 150: 2.4, 200: 2.6}
    rows = [
        row | {"bits_per_byte": bits.get(row["step"])} if row["split"] == "validation" else row
        for row in made.loss_rows()
    ]
    table = losses(rows)
    assert best_look(looks(table)) == (100, 2.4)
    for size in (WIDE, NARROW):
        texts = set(etree.fromstring(str(bits_svg(table, size, "a plot"))).itertext())
        assert {"best 2.40", "2.60"} <= texts
    assert len(learning_png(table)) > len(learning_png(losses(made.loss_rows())))


def test_a_training_without_looks_is_drawn_without_bits_per_byte(made: Any) -> None:
    table = losses([row for row in made.loss_rows() if row["split"] == "train"])
    assert looks(table) == []
    assert best_look([]) is None
    assert Image.open(io.BytesIO(learning_png(table))).width == 640
