"""How the loss went: the curve, and what it says in words."""

from pipeline.reports import canvas, plots
from pipeline.reports.material import Material
from pipeline.reports.sections.section import Section
from pipeline.reports.text import counted, number

#: Loss may wander by so much (in parts of itself) above its lowest before we call it a rise.
_RISE = 0.01


def section(material: Material) -> Section | None:
    """The loss curve; None where no step was logged."""
    loss = material.loss
    train = plots.loss_points(loss, "train")
    validation = plots.loss_points(loss, "validation")
    if not train and not validation:
        return None
    sentences = [_course("Training loss", train), _course("validation loss", validation)]
    caption = "; ".join(sentence for sentence in sentences if sentence) + "."
    caption = caption[0].upper() + caption[1:]
    broken = loss.num_rows - len(train) - len(validation)
    label = f"Line plot of loss over training steps. {caption}"
    content = {
        "caption": caption,
        "reading": _reading(validation),
        "broken": counted(broken, "logged loss", "logged losses") if broken else "",
        "wide": plots.loss_svg(loss, canvas.WIDE, label),
        "narrow": plots.loss_svg(loss, canvas.NARROW, label),
        "rows": _table(train, validation),
    }
    figures = {}
    if validation:
        figures = {"validation_loss_first": validation[0][1], "validation_loss": validation[-1][1]}
    return Section("learning", "How it learned", "learning.html", content, figures)


def _course(what: str, points: list[tuple[int, float]]) -> str:
    if not points:
        return ""
    (first_step, first), (last_step, last) = points[0], points[-1]
    if len(points) == 1:
        return f"{what} was {number(last)} nats a token at step {last_step:,}"
    way = "fell" if last < first else "rose" if last > first else "stayed"
    return (
        f"{what} {way} from {number(first)} (step {first_step:,}) "
        f"to {number(last)} nats a token (step {last_step:,})"
    )


def _reading(validation: list[tuple[int, float]]) -> str:
    """What a practised eye would say of the validation curve."""
    if len(validation) < 3:
        return ""
    step, lowest = min(validation, key=lambda point: (point[1], point[0]))
    last = validation[-1][1]
    if last > lowest * (1 + _RISE):
        return (
            f"Validation loss was lowest at step {step:,} ({number(lowest)}) and rose after that: "
            "from there on the model learned its training text by heart rather than how such "
            "stories go. Fewer steps or more text would serve it better."
        )
    if last < validation[-2][1] and last <= lowest:
        return "Validation loss was still falling at the end: more steps would likely help."
    return "Validation loss had levelled off by the end."


def _table(
    train: list[tuple[int, float]], validation: list[tuple[int, float]], limit: int = 12
) -> list[tuple[int, float | None, float | None]]:
    """(step, training, validation) at up to `limit` steps evenly apart, for who cannot see."""
    by_step = dict(train), dict(validation)
    steps = sorted(by_step[1] or by_step[0])
    if len(steps) > limit:
        steps = [steps[round(i * (len(steps) - 1) / (limit - 1))] for i in range(limit)]
    return [(step, by_step[0].get(step), by_step[1].get(step)) for step in steps]
