"""What the model repeats of its training text: novelty, copied passages, what can be extracted."""

from typing import Any

from pipeline.intervals import Interval
from pipeline.reports import canvas, course_plots
from pipeline.reports.course_plots import Panel
from pipeline.reports.estimates import Course
from pipeline.reports.material import Material
from pipeline.reports.readings import interval, over_steps, reading
from pipeline.reports.sections.section import Section
from pipeline.reports.sections.stories import CHECKPOINTS, spread
from pipeline.reports.text import number, one_line, percent, span

#: The measures in the order of the page: its definition, its name, whether it is a share.
MEASURES = {
    "copied": ("copied", "copied words", True),
    "extractable": ("extractable", "extractable", True),
    "extractable_held_out": ("extractable-held-out", "the same on held-out text", True),
    "longest": ("match", "longest passage (words)", False),
}


def section(material: Material) -> Section | None:
    """The curves and the verdict; None where nothing was looked for."""
    found = material.memorisation_figures
    table = material.memorisation
    panels = [panel for name in MEASURES if (panel := _panel(material, name)) is not None]
    if not panels:
        return None
    steps = sorted({step for step in table["step"].to_pylist() if step is not None})
    kept = spread(steps, CHECKPOINTS)
    told = "; ".join(_course(panel) for panel in panels)
    label = f"What is copied, over training steps, beside held-out human text. {told}."
    reason = found.get("extractable_reason")
    content = {
        "verdict": found["verdict"],
        "passed": found["passed"],
        "advice": list(found["advice"]),
        "bound": _bound(found.get("bound")),
        "passage": found.get("passage"),
        "novelty": _novelty(material),
        "wide": course_plots.panels_svg(panels, "copying", canvas.WIDE, label),
        "narrow": course_plots.panels_svg(panels, "copying", canvas.NARROW, label),
        "caption": f"At the end: {told}.",
        "steps": kept,
        "rows": [row for name in MEASURES if (row := _row(material, name, kept)) is not None],
        "reason": one_line(str(reason), 300) if reason else "",
    }
    return Section("memorisation", "What it copied", "memorisation.html", content)


def copying_png(material_table: Any) -> bytes | None:
    """Copied and extractable of MEMORISATION over steps as a PNG; None where there is nothing."""
    panels = [
        panel
        for name in ("copied", "extractable")
        if (panel := _drawn(material_table, name, None)) is not None
    ]
    return course_plots.panels_png(panels) if panels else None


def _panel(material: Material, name: str) -> Panel | None:
    bound = material.memorisation_figures.get("bound") if name == "copied" else None
    return _drawn(material.memorisation, name, bound)


def _drawn(table: Any, name: str, bound: float | None) -> Panel | None:
    points = over_steps(table, measure=name, writer="model")
    if not points or name == "extractable_held_out":
        return None
    human = reading(table, measure=name, writer="human")
    if name == "extractable":
        # What may be foretold of any such text is no memory: held-out passages are its human text.
        held_out = over_steps(table, measure="extractable_held_out", writer="model")
        human = held_out[-1][1] if held_out else None
    _, title, share = MEASURES[name]
    beyond = bound if bound is not None and (human is None or bound != human.value) else None
    return Panel(title, [Course(title, points, main=True)], human, beyond, share)


def _course(panel: Panel) -> str:
    _, last = panel.courses[0].points[-1]
    beside = f" ({_say(panel.human, panel.share)} of held-out text)" if panel.human else ""
    return f"{panel.title} {_say(last, panel.share)}{beside}"


def _say(of: Interval, share: bool) -> str:
    return _share(of.value) if share else number(of.value, 1)


def _share(value: float) -> str:
    return percent(value, 2 if value < 0.01 else 1)


def _row(material: Material, name: str, steps: list[int]) -> dict[str, Any] | None:
    term, title, share = MEASURES[name]
    table = material.memorisation
    at = dict(over_steps(table, measure=name, writer="model"))
    if not at:
        return None
    human = reading(table, measure=name, writer="human")
    return {
        "term": term,
        "title": title,
        "human": _cell(human, share),
        "figures": [_cell(at.get(step), share) for step in steps],
    }


def _cell(of: Interval | None, share: bool) -> tuple[str, str]:
    if of is None:
        return "–", ""
    return _say(of, share), span(
        of.low, of.high, _share if share else lambda value: number(value, 1)
    )


def _bound(bound: Any) -> str:
    return "" if bound is None else _share(float(bound))


def _novelty(material: Material) -> dict[str, Any] | None:
    """Share of new n-grams over n; None where none was counted."""
    by_step: dict[int, list[tuple[float, Interval]]] = {}
    human: list[tuple[float, Interval]] = []
    for row in material.novelty.sort_by("n").to_pylist():
        points = human if row["writer"] == "human" else by_step.setdefault(row["step"], [])
        points.append((row["n"], interval(row)))
    steps = sorted(by_step)
    if not steps:
        return None
    last = max(steps)
    kept = spread(steps, CHECKPOINTS)
    courses = [Course(f"step {step:,}", by_step[step], main=step == last) for step in kept]
    beside = Course("held-out human text", human) if human else None
    caption = _novel(dict(by_step[last]), dict(human))
    label = f"Line plot of the share of new runs of words over their length. {caption}"
    lines = [*courses, *([beside] if beside else [])]
    return {
        "caption": caption,
        "wide": course_plots.novelty_svg(courses, beside, canvas.WIDE, label),
        "narrow": course_plots.novelty_svg(courses, beside, canvas.NARROW, label),
        "lines": [course.name for course in lines],
        "rows": [
            (n, [_cell(dict(course.points).get(n), True) for course in lines]) for n in range(1, 11)
        ],
    }


def _novel(model: dict[float, Interval], human: dict[float, Interval]) -> str:
    said = []
    for n in (2, 4, 8):
        if n in model:
            beside = f" (human {percent(human[n].value)})" if n in human else ""
            said.append(f"{percent(model[n].value)} of its runs of {n} words are new{beside}")
    return f"{'; '.join(said)}."
