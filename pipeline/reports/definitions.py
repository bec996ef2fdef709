"""What each figure of a report means: one place, one click away from wherever it stands.

Definitions follow the field's usage: bits per byte as in nanochat's `loss_eval.py` and The Pile
(Gao et al. 2020), nucleus sampling after Holtzman et al. 2019, repetition penalty after CTRL
(Keskar et al. 2019), licence ids from https://spdx.org/licenses/.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Definition:
    """A term and what it means, in words for a reader who is new to it."""

    title: str
    text: str


DEFINITIONS: dict[str, Definition] = {
    "bits-per-byte": Definition(
        "Bits per byte",
        "How surprised the model is by text it has never read: the negative base-2 logarithm of "
        "the probability it gave to the text, divided by the text's length in UTF-8 bytes. Lower "
        "is better. 8 means it knows nothing; it is also the size to which the model would "
        "compress the text, so 2 means a quarter. It compares models of any vocabulary.",
    ),
    "perplexity": Definition(
        "Perplexity per word",
        "The same surprise, told per word: among how many equally likely words the model was "
        "choosing, on average, at each word of the held-out text. Words are runs of characters "
        "without a space. Lower is better.",
    ),
    "held-out": Definition(
        "Held-out text",
        "Text that was set aside before training and never shown to the model. The split is by "
        "work wherever the corpus has works enough, so that no other chapter of a held-out book "
        "was trained on.",
    ),
    "before": Definition(
        "Before training",
        "The same model with the weights it started from: random ones for a fresh model, the "
        "published ones for a fine-tuned model. It reads the same bytes in the same windows.",
    ),
    "loss": Definition(
        "Loss",
        "The mean negative natural logarithm of the probability given to each next token, in "
        "nats. Training lowers it on the training text; validation is text held out from it. "
        "Where validation turns up while training still falls, the model begins to learn by heart.",
    ),
    "step": Definition(
        "Training step",
        "One update of the model's weights, after reading one batch of text.",
    ),
    "parameters": Definition("Parameters", "The numbers that training adjusts: the model's size."),
    "tokens-per-second": Definition(
        "Tokens a second",
        "Tokens read in training divided by its wall-clock time. A token is a piece of a word, "
        "as the model's tokenizer cuts it.",
    ),
    "mfu": Definition(
        "MFU",
        "Model FLOPs utilisation: the arithmetic that the model needs for the tokens it read, as a "
        "share of what the device could do in that time (Chowdhery et al. 2022).",
    ),
    "batch": Definition(
        "Batch",
        "The blocks of text that the model reads in one forward pass. Several passes may go into "
        "one step, which then learns from all of them as from one larger batch.",
    ),
    "sampling": Definition(
        "Sampling settings",
        "Temperature sharpens (below 1) or flattens the model's probabilities. Top-k keeps only "
        "the k likeliest tokens, top-p the likeliest that together reach the probability p. The "
        "repetition penalty (above 1) makes tokens that already stand there less likely. The "
        "maximum length counts tokens, prompt included. With the same seed the same story comes "
        "again.",
    ),
    "work": Definition(
        "Work, document",
        "A work is a whole: a book, a film, an episode. A document is a piece of story in it: a "
        "plot section, a chapter.",
    ),
    "licence": Definition(
        "Licence",
        "The terms under which the site gives its text, as an SPDX id. Share-alike licences bind "
        "what is made from the text; non-commercial ones exclude sale.",
    ),
}
