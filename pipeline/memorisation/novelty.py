"""How much of a text is new, by n-grams of words, for n from 1 to 10 (RAVEN, McCoy et al. 2023).

An n-gram is novel where it stands in no document of the training text; every n-gram of a text
counts, one that recurs as often as it does. Short ones are seldom novel in anybody's text, long
ones nearly always, so the same shares of held-out human text stand beside. All of them follow from
one look at a text, the run of words from the training text that begins at each of its words.
"""

import numpy as np
import numpy.typing as npt

#: The longest n-grams; McCoy et al. plot as many.
LONGEST_NGRAM = 10

Counts = npt.NDArray[np.int64]


def novel_ngrams(runs: Counts) -> tuple[Counts, Counts]:
    """Novel n-grams of a text and all of them, each of shape (10,), n - 1 being the index.

    `runs`: for each word of the text, the words of the longest run beginning at it that stands
    within one document of the training text.
    """
    lengths = np.arange(1, LONGEST_NGRAM + 1)
    ngrams = np.maximum(len(runs) - lengths + 1, 0)
    known = (runs[None, :] >= lengths[:, None]).sum(1)  # no run goes beyond the text's end
    return ngrams - known, ngrams
