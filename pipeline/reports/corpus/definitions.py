"""What the words and figures of a corpus's page mean."""

from pipeline.reports.definitions import DEFINITIONS as OF_MODELS
from pipeline.reports.definitions import Definition

DEFINITIONS: dict[str, Definition] = {
    "work": OF_MODELS["work"],
    "words": Definition(
        "Words",
        "Runs of characters without a space. “Don't”, “twenty-one” and “—” are one each; a "
        "language that is written without spaces has few.",
    ),
    "length": Definition(
        "Length",
        "The words of a document. Of ten documents one is no longer than the first figure, five "
        "than the median, nine than the last. Each bar of the histogram holds lengths up to 1.41 "
        "times those of the bar before: lengths differ by factors, so equal steps would show one "
        "tall bar and a long tail.",
    ),
    "tokens": Definition(
        "Tokens, estimated",
        "A token is a piece of a word, as a tokenizer cuts it. Here: a byte-level BPE as GPT-2's, "
        "trained on a random draw of the training text (10 MB at most), with an entry for each "
        "100 bytes of the draw, between 512 and 50,257. Bytes a token are measured on a random "
        "draw of each split's passages; a split no longer than its draw is counted whole. "
        "Another tokenizer counts otherwise: GPT-2's own gave from 4 % fewer to 8 % more on the "
        "plots of English films and on novels.",
    ),
    "bytes-a-token": Definition(
        "Bytes a token",
        "UTF-8 bytes of the text divided by its tokens. On held-out text it is lower than on the "
        "training text that the tokenizer was made from: its words are less familiar.",
    ),
    "split": Definition(
        "Train, validation, test",
        "A model learns from train, is watched on validation while it learns, and is judged once "
        "on test. A work stands on one side as a whole, chosen by a hash of its name and recorded, "
        "so that it never changes sides; where the works are too few, documents are dealt instead.",
    ),
    "share": Definition(
        "Share",
        "Of the UTF-8 bytes of the documents' text. Separators and control tokens are not counted.",
    ),
    "licence": OF_MODELS["licence"],
    "left-out": Definition(
        "Left out",
        "Documents that were cut and cleaned, and did not go into this corpus. What extraction and "
        "cleaning left out before stands on the page of each franchise's documents.",
    ),
    "similarity": Definition(
        "Similarity",
        "The share of five-word runs that two texts have in common, of all that either has "
        "(Jaccard). Case, punctuation and old spellings do not count. 1 is the same text; from the "
        "bound that the corpus is configured with (0.5, and 0.35 for whole works, where nothing "
        "else is written) two count as one. Pairs are looked for by MinHash, so one near the bound "
        "may be missed.",
    ),
    "draw": Definition(
        "Random draw",
        "Documents are ordered by a hash of a seed and their names, and the first are shown: none "
        "is picked by hand, and the same corpus shows the same.",
    ),
}
