"""How the loss and the held-out bits per byte went, what they say in words, and at what cost."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pipeline.reports import canvas, learning_plots, plots
from pipeline.reports.material import Material
from pipeline.reports.sections.section import Section
from pipeline.reports.text import counted, number, percent, size

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
        "looks": _looks(material),
        "costs": list(_costs(material.training)),
    }
    figures = {}
    if validation:
        figures = {"validation_loss_first": validation[0][1], "validation_loss": validation[-1][1]}
    return Section("learning", "How it learned", "learning.html", content, figures)


def _looks(material: Material) -> dict[str, Any] | None:
    """The plot of held-out bits per byte; None where the split was looked at less than twice."""
    points = learning_plots.looks(material.loss)
    best = learning_plots.best_look(points)
    if best is None or len(points) < 2:
        return None
    (first_step, first), (last_step, last) = points[0], points[-1]
    caption = f"Held-out bits per byte were {number(first)} at step {first_step:,}"
    if best[0] not in (first_step, last_step):
        caption += f", fewest at step {best[0]:,} ({number(best[1])})"
    caption += f" and {number(last)} at the end (step {last_step:,})"
    if (kept := material.training.get("best_step")) is not None:
        caption += f"; the weights of step {int(kept):,} were kept"
    label = f"Line plot of held-out bits per byte over training steps. {caption}."
    return {
        "caption": f"{caption}.",
        "wide": learning_plots.bits_svg(material.loss, canvas.WIDE, label),
        "narrow": learning_plots.bits_svg(material.loss, canvas.NARROW, label),
    }


def _costs(training: Mapping[str, Any]) -> Iterator[tuple[str, str, str | None]]:
    """(what, how much, its definition) of what the training took, as far as it is on record."""
    if (used := training.get("acceleration")) is not None:
        compiled = ", compiled" if used.get("compile") else ""
        yield "Precision", f"{'bfloat16' if used.get('bf16') else 'float32'}{compiled}", None
    if (batch := training.get("batch")) is not None:
        blocks = counted(batch["per_device"] * batch["processes"], "block")
        said = f"{blocks} of {counted(int(training['block_size']), 'token')}"
        if batch["accumulation"] > 1:
            said += f", {batch['accumulation']} times a step"
        if batch["processes"] > 1:
            said += f", on {batch['processes']} devices"
        yield "Batch", said, "batch"
    if (speed := training.get("tokens_per_second")) is not None:
        yield "Tokens a second", number(round(speed)), "tokens-per-second"
    if (mfu := training.get("mfu")) is not None:
        yield "MFU", percent(mfu, 1), "mfu"
    foretold = training.get("forecast") or {}
    if (memory := training.get("peak_memory_bytes")) is not None:
        whole = f"{size(memory)} with the program itself"
        yield "Memory", _beside_forecast(whole, foretold.get("memory_bytes"), _without_it), None
    if (minutes := training.get("minutes")) is not None:
        yield "Time", _beside_forecast(_time(60 * minutes), foretold.get("seconds"), _time), None


def _without_it(foretold: float) -> str:
    return f"{size(foretold)} without it"


def _beside_forecast(held: str, foretold: float | None, say: Callable[[float], str]) -> str:
    return held if foretold is None else f"{held} ({say(foretold)} foretold)"


def _time(seconds: float) -> str:
    if seconds < 90:
        return counted(round(seconds), "second")
    if seconds < 5400:
        return counted(round(seconds / 60), "minute")
    return f"{seconds / 3600:.1f} hours"


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
