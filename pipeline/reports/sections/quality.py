"""What was measured of the stories, checkpoint by checkpoint and setting by setting, beside people.

A figure of a story says little by itself: of one short text two words in three are different words,
whoever wrote it. So each stands beside the same figure of held-out human text of like length.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.intervals import Interval
from pipeline.reports import canvas, course_plots
from pipeline.reports.course_plots import Panel
from pipeline.reports.estimates import Course
from pipeline.reports.material import Material
from pipeline.reports.readings import over_steps, reading
from pipeline.reports.sections.section import Section
from pipeline.reports.sections.stories import CHECKPOINTS, spread
from pipeline.reports.text import counted, number, one_line, percent, span

#: At most so many settings in the table.
SETTINGS = 12


@dataclass(frozen=True)
class Measure:
    """How a measure of QUALITY_MEANS is told."""

    term: str  # of pipeline.reports.definitions
    title: str
    share: bool = False  # in per cent
    drawn: bool = False
    digits: int = 2

    def say(self, value: float) -> str:
        """The figure as it is written."""
        return percent(value, 1) if self.share else number(value, self.digits)


#: The measures in the order of the page; others follow by name.
MEASURES = {
    "bits_per_byte": Measure("story-bits", "bits per byte under the judge", drawn=True),
    "genre_met": Measure("genre-met", "reads as the genre asked", share=True, drawn=True),
    "repetition": Measure("repetition", "repetition", share=True, drawn=True),
    "distinct_1": Measure("distinct", "distinct-1", share=True),
    "distinct_2": Measure("distinct", "distinct-2", share=True, drawn=True),
    "distinct_3": Measure("distinct", "distinct-3", share=True),
    "self_bleu": Measure("self-bleu", "self-BLEU", drawn=True),
    "words": Measure("words", "words a story", drawn=True, digits=0),
    "characters": Measure("words", "characters a story", digits=0),
    "genre_probability": Measure("genre-met", "probability of the genre asked", share=True),
    "empty": Measure("looping", "empty stories", share=True),
    "looping": Measure("looping", "looping stories", share=True),
}


def section(material: Material) -> Section | None:
    """The plots and the table; None where no story was measured."""
    means = material.quality_means.filter(pc.is_null(pc.field("genre")))
    steps = sorted({step for step in means["step"].to_pylist() if step is not None})
    if not steps:
        return None
    kept = spread(steps, CHECKPOINTS)
    there = set(means["measure"].to_pylist())
    names = [name for name in MEASURES if name in there]
    names += sorted(there - set(MEASURES))
    panels = [panel for name in names if (panel := _panel(means, name)) is not None]
    told = "; ".join(f"{panel.title} {_course(panel)}" for panel in panels)
    label = f"Figures of the stories over training steps, beside held-out human text. {told}."
    drawn = {
        "wide": course_plots.panels_svg(panels, "quality", canvas.WIDE, label),
        "narrow": course_plots.panels_svg(panels, "quality", canvas.NARROW, label),
    } if panels else None  # fmt: skip
    content = {
        "plot": drawn,
        "steps": kept,
        "measures": [_rows(means, name, kept) for name in names],
        "blind": blind_share(material.quality_figures),
        "several": len({name for name in means["setting"].to_pylist() if name is not None}) > 1,
        "genre": _classifier(material.quality_figures),
        "judge": _judge(material.quality_figures),
        "people": _people(material.quality_figures),
    }
    return Section("quality", "How well they are told", "quality.html", content)


def quality_png(means: pa.Table) -> bytes | None:
    """The panels of QUALITY_MEANS as a PNG, 640 pixels wide; None where there is nothing."""
    whole = means.filter(pc.is_null(pc.field("genre")))
    panels = [panel for name in MEASURES if (panel := _panel(whole, name)) is not None]
    return course_plots.panels_png(panels) if panels else None


def blind_share(figures: Mapping[str, Any]) -> str:
    """The share of genres that the last stories would meet if nobody had heeded them; or empty."""
    blind = figures.get("genre_blind")
    return "" if blind is None else percent(blind)


def _measure(name: str) -> Measure:
    return MEASURES.get(name) or Measure("measure", one_line(name.replace("_", " "), 60))


def _panel(means: pa.Table, name: str) -> Panel | None:
    measure = _measure(name)
    points = over_steps(means, measure=name, writer="model", setting=None)
    if not measure.drawn or not points:
        return None
    human = reading(means, measure=name, writer="human")
    course = Course("all settings", points, main=True)
    return Panel(measure.title, [course], human, share=measure.share)


def _course(panel: Panel) -> str:
    say = percent if panel.share else number
    _, last = panel.courses[0].points[-1]
    beside = f", human {say(panel.human.value)}" if panel.human else ""
    return f"{say(last.value)}{beside}"


def _rows(means: pa.Table, name: str, steps: list[int]) -> dict[str, Any]:
    """A measure's lines: of all settings together, and of each by itself."""
    measure = _measure(name)
    rows = means.filter((pc.field("measure") == name) & (pc.field("writer") == "model"))
    settings = sorted({setting for setting in rows["setting"].to_pylist() if setting is not None})

    def line(setting: str | None) -> list[tuple[str, str]]:
        return [_cell(reading(rows, step=step, setting=setting), measure) for step in steps]

    return {
        "name": name,
        "term": measure.term,
        "title": measure.title,
        "human": _cell(reading(means, measure=name, writer="human"), measure),
        "all": line(None),
        "by_setting": [(one_line(setting, 60), line(setting)) for setting in settings[:SETTINGS]],
        "left_out": max(0, len(settings) - SETTINGS),
    }


def _cell(of: Interval | None, measure: Measure) -> tuple[str, str]:
    return ("–", "") if of is None else (measure.say(of.value), span(of.low, of.high, measure.say))


def _classifier(figures: Mapping[str, Any]) -> dict[str, str] | None:
    """How good the classifier of genres itself is, or why there is none."""
    found = figures.get("genre_classifier")
    if found is None:
        reason = figures.get("genre_reason")
        return {"reason": one_line(str(reason), 300)} if reason else None
    bounds = span(found.get("low"), found.get("high"), percent)
    return {
        "reason": "",
        "accuracy": percent(found["accuracy"]),
        "span": bounds,
        "works": counted(int(found["works"]), "held-out work"),
        "genres": number(int(found["genres"])),
        "majority": percent(found["majority"]),
    }


def _people(figures: Mapping[str, Any]) -> str:
    """How many passages of human text the stories stand beside."""
    passages = figures.get("human_texts")
    return "" if passages is None else counted(int(passages), "passage")


def _judge(figures: Mapping[str, Any]) -> str:
    judge = figures.get("judge")
    if isinstance(judge, Mapping):
        judge = judge.get("name")
    return one_line(str(judge), 120) if judge else ""
