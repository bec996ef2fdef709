"""What the page of a corpus's models means beside the terms of a model's report."""

from pipeline.reports.definitions import DEFINITIONS as OF_A_MODEL
from pipeline.reports.definitions import Definition

DEFINITIONS: dict[str, Definition] = {
    **OF_A_MODEL,
    "best": Definition(
        "Behind the best",
        "Bits per byte of the model less those of the best one, on the same works, compared in "
        "pairs: what makes one work harder than another is then no part of it. Where the 95 % "
        "interval holds 0, the two cannot be told apart on this much text.",
    ),
    "pairs": Definition(
        "Is the one really better?",
        "Each two models on the works that both were measured on, work by work. A difference "
        "counts as real where its 95 % interval lies wholly on one side of 0. Of many pairs one "
        "in twenty looks real by chance.",
    ),
}
