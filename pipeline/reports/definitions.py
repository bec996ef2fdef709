"""What each figure of a report means: one place, one click away from wherever it stands.

Definitions follow the field's usage: bits per byte as in nanochat's `loss_eval.py` and The Pile
(Gao et al. 2020), nucleus sampling after Holtzman et al. 2019, repetition penalty after CTRL
(Keskar et al. 2019), licence ids from https://spdx.org/licenses/; distinct-n after Li et al. 2016,
seq-rep-4 after Welleck et al. 2020, self-BLEU after Zhu et al. 2018 (Texygen), novelty after RAVEN
(McCoy et al. 2023), extractable memorisation after Carlini et al. 2023.
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
        "without a space. Lower is better. Its interval is that of bits per byte, told per word.",
    ),
    "interval": Definition(
        "95 % interval",
        "The figure was measured on a few works or stories; on others it would be a little "
        "different. The measured ones are drawn anew, with repetition, 2,000 times, whole works at "
        "a time since the parts of one are alike; in 95 of 100 of these the figure lies within the "
        "interval (the bootstrap). Of few works it is made wider, as Student's t has it; of one, "
        "or of works that are all alike, there is none. Shares of independent trials have Wilson's "
        "interval; so has a share that is the same in every work, 0 as a rule: a few works without "
        "a copy do not show that there never is one.",
    ),
    "difference": Definition(
        "Change, and whether it is chance",
        "The model's bits per byte less those before training, on the same works, compared in "
        "pairs: what makes one work harder than another is then no part of it. Below 0 it is "
        "better. Where the 95 % interval holds 0, the change is within chance.",
    ),
    "baselines": Definition(
        "Baselines",
        "What needs no neural network: xz squeezes the text as a file; an n-gram model counts in "
        "the training text which characters follow which. The model before training knows only "
        "what it started from. A model that learned how such stories go lies below all of them.",
    ),
    "gap": Definition(
        "Gap",
        "Bits per byte of held-out text less those of a random draw of training text. Near 0 the "
        "model does as well on what it never read; a wide gap means that it learned its training "
        "text by heart rather than how such stories go. Of a long work only the beginning is "
        "drawn, where less stands before each word than in a whole one: the gap is too narrow "
        "rather than too wide.",
    ),
    "context": Definition(
        "Context",
        "How many tokens before it the model may look at when it foretells the next. The same "
        "tokens are foretold at each length, so that only the context differs. Where the curve is "
        "flat, a longer context gains nothing.",
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
    "human-text": Definition(
        "Held-out human text",
        "Passages of people's stories that the model was never shown, cut to the length of its "
        "own: what each figure of its stories stands beside, for they depend on length. A passage "
        "is at least half as long as a story; where held-out texts are shorter there is none.",
    ),
    "words": Definition("Words", "Runs of characters without a space; the prompt does not count."),
    "measure": Definition("Measure", "A figure of a story, or its mean over stories."),
    "story-bits": Definition(
        "Bits per byte of a story",
        "How surprised another model, the judge, is by the story. Far above human text it is "
        "muddle; far below it says the likeliest thing over and over.",
    ),
    "judge": Definition(
        "Judge",
        "The model under which stories are scored: the base that this one was made from, or an "
        "n-gram model of the corpus; never the model itself.",
    ),
    "distinct": Definition(
        "Distinct-n",
        "Different runs of n words, as a share of all runs of n words of the text. Higher means "
        "more variety; it falls as texts grow longer.",
    ),
    "repetition": Definition(
        "Repetition",
        "The share of runs of four words that stand earlier in the same story (seq-rep-4). Lower "
        "is better; people repeat themselves a little.",
    ),
    "self-bleu": Definition(
        "Self-BLEU",
        "How alike a story is to three others of its checkpoint, setting and genre, 0 to 1, by the "
        "runs of up to four words that they share. Lower means that the stories differ. It is "
        "always three, so that models compare: beside more, every story looks more alike.",
    ),
    "genre-met": Definition(
        "Genre",
        "A classifier that learned the genres from the training text says which genre a story "
        "reads as. It errs itself: its accuracy on held-out human text stands beside it. By "
        "chance: what a model would meet that heeds no genre it is asked for, which is told by its "
        "last stories, had they been asked for in another order.",
    ),
    "looping": Definition(
        "Empty and looping stories",
        "A story without a word is empty; one that says the same over and over is looping.",
    ),
    "match": Definition(
        "Longest passage, and where it stands",
        "The most words in a row of a story that stand just so in the training text, whatever "
        "their case and punctuation, found through an index of all of it. The page named is the "
        "first of its places. Names and set phrases stand in anybody's text.",
    ),
    "copied": Definition(
        "Copied words",
        "The share of the stories' words that lie in copied passages: runs of several words, eight "
        "unless the model's settings say otherwise, that stand in the training text. Human text of "
        "like length stands beside it, for people repeat names and phrases too.",
    ),
    "extractable": Definition(
        "Extractable",
        "The model is given 50 tokens of a training text and goes on, always with its likeliest "
        "token; where the next 50 are the training text's own, that passage can be extracted. The "
        "figure is the share of the passages tried. Tried are beginnings, of documents and of the "
        "blocks that training cuts its text into, where nothing else stood before the model; of a "
        "passage in the midst of a block the figure says nothing.",
    ),
    "extractable-held-out": Definition(
        "Extractable from held-out text",
        "The same on text that the model never read: what can be foretold without having seen it, "
        "such as set phrases, is no memory.",
    ),
    "bound": Definition(
        "Bound",
        "A model that copies more than this is not to be published: by default more than held-out "
        "human text has in common with the training text, with 95 % confidence.",
    ),
    "novelty": Definition(
        "Novelty",
        "Of all runs of n words in the stories, the share that stands nowhere in the training "
        "text, for n of 1 to 10. Where the model's curve lies below that of human text, it copies.",
    ),
    "rated-blind": Definition(
        "Rated blind",
        "People were shown two stories for the same prompt and setting without names, in random "
        "order, and said which is better. A pair counts once, by the majority of its raters. The "
        "share leaves ties out and has Wilson's interval; the sign test says how often a fair "
        "coin would part as far.",
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
