"""A look at the validation split, as a training tells it and the asset shows it.

It stands by itself because the process that trains should not have to load Dagster.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # who reads the message needs no torch
    from pipeline.training.progress import Progress

#: Names the message.
LOOK = "loremill_look"


def look(progress: "Progress") -> dict[str, Any]:
    """The message: a look's figures by name; those that are not known are left out."""
    left = progress.seconds_left
    figures = {
        "step": progress.step,
        "loss": progress.loss,
        "validation_loss": progress.validation_loss,
        "bits_per_byte": progress.bits_per_byte,
        "learning_rate": progress.learning_rate,
        "tokens_per_second": progress.tokens_per_second,
        "mfu": progress.mfu,
        "memory_bytes": progress.memory_bytes,
        "minutes_left": None if left is None else left / 60,
    }
    return {LOOK: {name: value for name, value in figures.items() if value is not None}}
