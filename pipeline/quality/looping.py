"""Whether a text is caught in a loop: to its end it says the same words or characters again.

The bounds are beyond all that was found in human text: 525,000 endings, one every 29 characters,
in eleven novels and collections of tales, Shakespeare and Milton whole, and 1,000 plots of films.
The most that the 4-grams of a last passage repeat there is 0.48 ("would not, could not, would not
join the dance"; 0.43 of sixty words, refrains in As You Like It; 0.38 of 120, 0.29 of 240), and the
longest end of the same characters again and again is 57 (a row of hyphens; of words 54, "where's
the roll?" three times). Of 345 stories of six real models (LSTM, GRU, GPT-2, Llama) 32 of the 40
drawn greedily loop, and 16 of the 20 that the Llama drew at temperature 0.3; of the others the
most was 0.60, greedy stories that have lost all sense but are still on their way into a loop.
"""

from collections.abc import Sequence

from pipeline.quality.repetition import repetition

#: Words at a text's end that are looked at: a loop repeats within one of these, however long it is.
PASSAGES = (60, 240)
#: Fewer than these say too little.
FEWEST_WORDS = 20
#: Of the 4-grams of such a passage, the share that stood before in it.
REPEATED = 0.6

#: Characters that a text ends with, the same few at least three times: of any, and of one word.
CHARACTERS, IN_A_WORD = 100, 30
TIMES = 3
_LOOKED_AT = 4 * CHARACTERS


def is_looping(text: str, words: Sequence[str]) -> bool:
    """Whether `text`, of these `words`, repeats itself to its end."""
    for length in PASSAGES:
        passage = words[-length:]
        repeated = repetition(passage) if len(passage) >= FEWEST_WORDS else None
        if repeated is not None and repeated > REPEATED:
            return True
    end = text[-_LOOKED_AT:].casefold()
    word = (end.split() or [""])[-1]
    in_a_word = _repeated_to_end(word) if any(map(str.isalpha, word)) else 0
    return in_a_word >= IN_A_WORD or _repeated_to_end(end) >= CHARACTERS


def _repeated_to_end(text: str) -> int:
    """The most characters at the end of `text` that are one run of them TIMES times or more."""
    backwards = text[::-1]
    alike = _prefixes(backwards)
    spans = (
        period + alike[period]
        for period in range(1, len(text))
        if period + alike[period] >= TIMES * period
    )
    return max(spans, default=0)


def _prefixes(text: str) -> list[int]:
    """For each place, how many characters from it on are those that the text begins with.

    The Z-algorithm, in time that grows with the text's length (Gusfield 1997, section 1.4).
    """
    alike = [0] * len(text)
    left = right = 0  # the run found so far that ends last
    for place in range(1, len(text)):
        length = min(right - place, alike[place - left]) if place < right else 0
        while place + length < len(text) and text[length] == text[place + length]:
            length += 1
        alike[place] = length
        if place + length > right:
            left, right = place, place + length
    return alike
