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
    "rated-blind": Definition(
        "Rated blind",
        "People were shown two stories for the same prompt and setting without names, in random "
        "order, and said which is better. A pair counts once, by the majority of its raters. The "
        "share leaves ties out and has Wilson's interval; the sign test says how often a fair "
        "coin would part as far.",
    ),
}
