"""Bits per byte on held-out text, before and after, for the whole and for its parts."""

from pipeline.reports import canvas, plots
from pipeline.reports.comparison import compare, held_out_split
from pipeline.reports.material import Material
from pipeline.reports.sections.section import Section
from pipeline.reports.text import change, counted, number

#: At most so many rows of one grouping in the table; the largest are shown.
ROWS = 40


def section(material: Material) -> Section:
    """The plot and the table. Raises ValueError as `compare`."""
    rows = compare(material.scores)
    whole = rows[0]
    # A grouping whose one group is the whole says nothing new.
    rows = [whole, *(row for row in rows[1:] if row.bytes < whole.bytes)]
    groupings = []
    for group_by in dict.fromkeys(row.group_by for row in rows):
        group = [row for row in rows if row.group_by == group_by]
        groupings.append(
            {
                "title": "all" if group_by == "all" else f"by {group_by}",
                "rows": [(row, change(row.before, row.after)) for row in group[:ROWS]],
                "left_out": max(0, len(group) - ROWS),
            }
        )
    worse = [row for row in rows if row.group_by != "all" and row.verdict == "worse"]
    label = (
        f"Dot plot of bits per byte before and after training. All held-out text: "
        f"{number(whole.before)} before, {number(whole.after)} after. The table has each group."
    )
    content = {
        "split": held_out_split(material.scores),
        "by_work": material.corpus_figures["split_by"] == "work",
        "groupings": groupings,
        "caption": _caption(len(rows) - 1, len(worse)),
        "wide": plots.bits_per_byte_svg(material.scores, canvas.WIDE, label),
        "narrow": plots.bits_per_byte_svg(material.scores, canvas.NARROW, label),
    }
    return Section("held-out", "On stories it never read", "held_out.html", content)


def _caption(groups: int, worse: int) -> str:
    if groups < 2:
        return ""
    if worse == 0:
        return f"None of the {groups:,} groups got worse."
    return f"{counted(worse, 'group')} of {groups:,} got worse; the table marks which."
